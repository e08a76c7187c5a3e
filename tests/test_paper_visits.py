"""The walk list: pages, headings, and what stands on them."""

import numpy as np
import pytest
import zxingcpp
from paper_samples import HEAD, HOSTILE_NAMES, LONG_ADDRESS, page_texts, picture, token, walk, walk_row

from paper.codes import parse_code
from paper.pdf import PaperError
from paper.visits import ROWS_ROOM, ROWS_TOP, WalkGroup, paged, walk_list


def group(title, *numbers):
    return WalkGroup(title, tuple(walk_row(number) for number in numbers))


@pytest.mark.parametrize(
    ("groups", "doors"),
    [
        ([group("甲园", *range(11))], [11]),
        ([group("甲园", *range(12))], [11, 1]),
        ([group("甲园", *range(5)), group("乙园", *range(5, 10))], [10]),
        ([group(f"{number}园", number) for number in range(20)], [8, 8, 4]),
        ([group("甲园", *range(10)), group("乙园", 10, 11)], [11, 1]),
    ],
)
def test_doors_are_paged(groups, doors):
    pages = paged(groups)
    assert [page.doors for page in pages] == doors
    assert [item.number for page in pages for item in page.items if item.row] == list(
        range(1, sum(doors) + 1)
    )


def test_heading_never_stands_alone_and_is_repeated():
    pages = paged([group("甲园", *range(10)), group("乙园", *range(10, 20))])
    for page in pages:
        assert page.items[0].heading
        assert page.items[-1].row
        assert page.items[-1].top + 13.5 <= ROWS_TOP + ROWS_ROOM
    assert pages[1].items[0].heading == "乙园（续）"
    assert pages[0].items[0].note == "10户"


@pytest.mark.slow
def test_doors_whose_address_names_no_place_stand_under_a_heading_that_says_so():
    assert "未写明道路或小区" in page_texts(walk_list(walk(group("", 1, 2)), HEAD))[0]


def test_list_without_doors_is_refused():
    with pytest.raises(PaperError, match="ZF-20261121-07没有走访任务"):
        walk_list(walk(WalkGroup("甲园", ())), HEAD)


@pytest.fixture(scope="session")
def printed():
    hostile = tuple(
        walk_row(
            number, name=name, address=LONG_ADDRESS * 2, hints=("院内有犬", "须两人同行"), reason=name * 3
        )
        for number, name in enumerate(HOSTILE_NAMES, start=30)
    )
    return walk_list(walk(group("甲园", *range(12)), WalkGroup("乙园" * 30, hostile), copy=2), HEAD)


@pytest.mark.slow
def test_list_shows_what_the_task_needs(printed):
    first = page_texts(printed)[0]
    for text in (
        "内部资料用后销毁",
        "第2次打印",
        "ZF-20261121-07",
        "李明华",
        "2026年11月21日",
        "20户",
        "030123450001",
        "13812345678",
        "无此址",
        "走访人签名",
        "复核",
    ):
        assert text in first


@pytest.mark.slow
def test_each_page_has_head_foot_and_number(printed):
    texts = page_texts(printed)
    assert len(texts) == 2
    for number, text in enumerate(texts, start=1):
        assert f"第{number}页共2页" in text
        assert "走访结果" in text


@pytest.mark.slow
def test_codes_of_the_doors_read_back_with_a_hand_scanner(printed):
    found = [parse_code(one.text) for one in zxingcpp.read_barcodes(picture(printed, 0, dpi=300))]
    assert {code.token for code in found if code.kind == "V"} == {token(100 + number) for number in range(11)}


@pytest.mark.slow
def test_codes_are_ten_millimetres_with_white_around(printed):
    pixels = picture(printed, 0, dpi=600)
    one = 600 / 25.4
    left, top = 15 * one, (ROWS_TOP + 6) * one
    cell = pixels[
        int(top + 0.4 * one) : int(top + 13.1 * one), int(left + 0.4 * one) : int(left + 12.8 * one)
    ]
    dark = np.argwhere(cell < 128)
    (high, near), (low, far) = dark.min(axis=0), dark.max(axis=0)
    assert (low - high) / one == pytest.approx(10, abs=0.15)
    assert (far - near) / one == pytest.approx(10, abs=0.15)
    assert min(high, near) / one > 1.0


@pytest.mark.slow
def test_nothing_leaves_its_column(printed):
    pixels = picture(printed, 1, dpi=150)
    one = 150 / 25.4
    for column in (52.0, 103.0, 122.0, 147.0, 169.0):
        x = round((8 + column) * one)
        strip = pixels[round(37 * one) : round(150 * one), x + 1 : x + 5]
        assert (strip.min(axis=1) < 140).mean() < 0.1, column
