"""What exports write for dates, classes and sensitivity."""

from datetime import date, datetime

import pytest

from models.clock import ZONE
from services import import_facts as facts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-03-05", date(2024, 3, 5)),
        ("2024/3/5", date(2024, 3, 5)),
        ("2024.03.05", date(2024, 3, 5)),
        ("20240305", date(2024, 3, 5)),
        ("2024年3月5日", date(2024, 3, 5)),
        ("２０２４-03-05", date(2024, 3, 5)),
        ("2024-03-05 14:30:00", date(2024, 3, 5)),
        ("2024-03-05T14:30:00.000", date(2024, 3, 5)),
        ("45356", date(2024, 3, 5)),  # the number behind a date cell
        ("2024-02-30", None),
        ("03/05/2024", None),
        ("去年", None),
        ("", None),
    ],
)
def test_days_are_read_as_exports_write_them(text, expected):
    assert facts.read_day(text) == expected


def test_a_moment_keeps_its_time_in_the_bureaus_zone():
    assert facts.read_moment("2024/3/5 8:05") == datetime(2024, 3, 5, 8, 5, tzinfo=ZONE)


@pytest.mark.parametrize(
    ("read", "text", "expected"),
    [
        (facts.read_usage, "居民生活用电", "residential"),
        (facts.read_usage, "大工业", "large_industrial"),
        (facts.read_usage, "agricultural", "agricultural"),
        (facts.read_usage, "临时", None),
        (facts.read_class, "低压 居民", "low_voltage_residential"),
        (facts.read_class, "高压", "high_voltage"),
        (facts.read_class, "居民", "low_voltage_residential"),
        (facts.read_class, "？", None),
        (facts.read_sensitivity, "是", "attention"),
        (facts.read_sensitivity, "高敏客户", "high"),
        (facts.read_sensitivity, "N", "normal"),
        (facts.read_sensitivity, "甲", None),
    ],
)
def test_words_of_both_systems_become_codes(read, text, expected):
    assert read(text) == expected


def test_usage_suggests_the_class():
    assert facts.class_of_usage("large_industrial") == "high_voltage"
    assert facts.class_of_usage("") == "low_voltage_residential"
