"""The A3 board."""

import datetime as dt
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from paper_samples import HEAD, HOSTILE_NAMES, PRINT, page_texts

from paper.competitions import Board, BoardPerson, BoardUnit, Division, board
from paper.figures import Rate

pytestmark = pytest.mark.slow


def facts(units=6, **changes):
    lines = tuple(
        BoardUnit(
            number,
            f"第{number}供电所",
            100 - number,
            move=number % 3 - 1,
            completeness=Rate(98, 100),
            accuracy=Rate(47, 50, 0.85, 0.98),
            confirmed_this_week=number,
        )
        for number in range(1, units + 1)
    )
    persons = tuple(
        BoardPerson(number, name, "第1供电所", 30 - number)
        for number, name in enumerate(HOSTILE_NAMES * 4, 1)
    )
    values = {
        "title": "客户联系信息劳动竞赛排行榜",
        "period": "2026年11月",
        "as_of": dt.datetime(2026, 11, 21, 18, tzinfo=ZoneInfo("Asia/Shanghai")),
        "divisions": (Division("城区组", lines), Division("农村组", lines)),
        "persons": persons,
        "rule": "核实一项得2分。",
        "small_units": "小单位按收缩估计排序。",
        "fingerprint": PRINT,
    }
    return Board(**(values | changes))


def test_board_is_a3_upright_on_one_page():
    pdf = board(facts(), HEAD)
    with pypdfium2.PdfDocument(pdf) as document:
        assert len(document) == 1
        assert [round(value * 25.4 / 72) for value in document[0].get_size()] == [297, 420]
    (page,) = page_texts(pdf)
    for text in (
        "客户联系信息劳动竞赛排行榜",
        "截至11月21日18时",
        "城区组",
        "农村组",
        "第6供电所",
        "98.00%（98/100）",
        "85.0～98.0",
        "核实一项得2分。",
        "小单位按收缩估计排序。",
        "校验a1b2c3d4",
    ):
        assert text in page
    assert "定榜" not in page


def test_first_twenty_persons_are_shown():
    (page,) = page_texts(board(facts(), HEAD))
    assert "10.00" in page
    assert "9.00" not in page.replace("99.00", "").replace("29.00", "").replace("19.00", "")


def test_many_units_go_on_over_pages_with_the_foot_on_each():
    pages = page_texts(board(facts(40, frozen=True), HEAD))
    assert len(pages) > 1
    assert all("核实一项得2分。" in page for page in pages)
    assert "定榜" in pages[0]
    assert "第40供电所" in "".join(pages)


def test_board_without_persons_or_scores_is_printed():
    empty = facts(
        divisions=(Division("全局", (BoardUnit(1, "唯一供电所", 0.0),)),), persons=(), fingerprint=None
    )
    assert "唯一供电所" in page_texts(board(empty, HEAD))[0]
