"""How numbers and dates are written on paper."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from paper import figures
from paper.figures import Rate


@pytest.mark.parametrize(
    ("shown", "text"),
    [
        (figures.rate(Rate(1230, 1250)), "98.40%"),
        (figures.rate(Rate(0, 0)), "—"),
        (figures.rate(None), "—"),
        (figures.fraction(Rate(1230, 1250)), "1230/1250"),
        (figures.interval(Rate(47, 50, 0.851, 0.983)), "85.1～98.3"),
        (figures.interval(Rate(47, 50)), "—"),
        (figures.points(0.0052), "+0.52"),
        (figures.points(-0.0052), "−0.52"),
        (figures.points(0.00001), "0.00"),
        (figures.points(None), "—"),
        (figures.rank(3, tied=True), "并列3"),
        (figures.rank(3), "3"),
        (figures.move(2), "↑2"),
        (figures.move(-1), "↓1"),
        (figures.move(0), "—"),
        (figures.score(-4.5), "−4.50"),
        (figures.signed_score(2), "+2.00"),
        (figures.signed_score(0), "0.00"),
        (figures.long_date(dt.date(2026, 1, 2)), "2026年1月2日"),
        (figures.short_date(dt.date(2026, 1, 2)), "2026-01-02"),
        (figures.cutoff(dt.date(2026, 11, 30)), "截至11月30日24时"),
        (figures.month("2026-03"), "2026年3月"),
        (figures.month("第三轮"), "第三轮"),
        (figures.count(None), "—"),
    ],
)
def test_figures_are_written_one_way(shown, text):
    assert shown == text


def test_moment_shows_minutes_only_when_there_are_some():
    moment = dt.datetime(2026, 11, 21, 18, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert figures.as_of(moment) == "截至11月21日18时"
    assert figures.as_of(moment.replace(minute=5)) == "截至11月21日18时5分"
