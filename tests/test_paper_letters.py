"""What stands on a survey letter before it is laid out."""

import re
from dataclasses import replace

import pytest
from paper_samples import HEAD, HOSTILE_NAMES, LETTER, LONG_ADDRESS, RECORDED, letter

from paper.letterheads import local_address
from paper.letters import Recorded, fits_address, letter_sheet, unprintable, window_block
from paper.pages import compose

OWN_PARTS = (
    "13812345678",
    "85551234",
    "13900002222",
    "zhangsanfeng",
    "wx_zhang",
    "0301234567890123",
    "李四光",
)


def own_html(facts):
    sheet = letter_sheet(facts, HEAD)
    return compose("survey_letter.html", HEAD, title="t", letters=[sheet], layers=("own",), ids=False)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("广东省佛山市禅城区建新路12号", "禅城区建新路12号"),
        ("佛山市禅城区建新路12号", "禅城区建新路12号"),
        ("广东省广州市天河区1号", "广东省广州市天河区1号"),
        ("禅城区建新路12号", "禅城区建新路12号"),
        ("广东省佛山市", "广东省佛山市"),
    ],
)
def test_local_mail_leaves_out_province_and_city(address, shown):
    assert local_address(address, HEAD) == shown


def test_window_starts_at_the_largest_size():
    block = window_block(LETTER.address, LETTER.addressee, LETTER.postcode, letterhead=HEAD)
    assert (block.size, block.addressee) == (10.5, ("张三丰　收",))
    assert "".join(block.address) == "禅城区祖庙街道建新路12号恒福花园3座501室"


@pytest.mark.parametrize(("characters", "size"), [(48, 10.5), (49, 9.0), (54, 9.0), (55, 8.0), (63, 8.0)])
def test_window_shrinks_before_it_gives_up(characters, size):
    assert window_block("路" * characters, "张三").size == size


@pytest.mark.parametrize(
    ("address", "name", "fits"),
    [
        ("路" * 63, "张三", True),
        ("路" * 64, "张三", False),
        (LONG_ADDRESS, "张三", True),
        (LONG_ADDRESS * 2, "张三", False),
        (LONG_ADDRESS, HOSTILE_NAMES[6], False),
        ("禅城区1号", HOSTILE_NAMES[6], True),
        ("", "张三", False),
        ("禅城区1号", "", True),
        ("A" * 300, "张三", False),
    ],
)
def test_address_fits_or_is_excluded(address, name, fits):
    assert fits_address(address, name, "528000") is fits


def test_letter_that_does_not_fit_has_no_sheet():
    assert letter_sheet(letter(1, address="路" * 64), HEAD) is None


def test_block_stands_in_the_middle_of_the_window():
    sheet = letter_sheet(LETTER, HEAD)
    assert sheet.window[0] == "528000"
    assert sheet.window_top + len(sheet.window) * 4.4 / 2 == pytest.approx(52.5)


def test_only_the_window_shows_personal_data_in_full():
    html = own_html(LETTER)
    for part in OWN_PARTS:
        assert part not in html
    window = re.findall(r'data-field="window_\d">([^<]*)<|window_\d"[^>]*>([^<]*)<', html)
    rest = re.sub(r"<span[^>]*window_\d[^>]*>[^<]*</span>", "", html)
    assert window
    assert "501" not in rest
    assert "张三丰" not in rest


def test_recorded_value_asks_no_change_and_missing_asks_none():
    known, unknown = own_html(LETTER), own_html(letter(1, recorded=Recorded()))
    assert (known.count("无变化"), known.count("暂无")) == (7, 0)
    assert (unknown.count("无变化"), unknown.count("暂无")) == (0, 7)


def test_values_are_escaped():
    facts = letter(1, addressee="<b>李&四</b>", unit="<script>", recorded=replace(RECORDED, person="<i>"))
    assert "<script" not in own_html(facts)
    assert "&lt;b&gt;李&amp;四&lt;/b&gt;" in own_html(facts)


def test_unprintable_characters_are_reported():
    problems = unprintable(letter(1, addressee="🙂王小明", name="㛃䶮𠮷暠"))
    assert [(one.field, one.reason, one.text) for one in problems] == [("addressee", "missing_glyph", "🙂")]


def test_second_copy_says_so():
    assert own_html(letter(1, copy=2)).count("第2次打印") == 2
    assert "次打印" not in own_html(LETTER)


def test_way_to_scan_is_offered_only_with_an_address():
    def fixed(facts):
        sheets = [letter_sheet(facts, HEAD)]
        return compose("survey_letter.html", HEAD, title="t", letters=sheets, layers=("fixed",), ids=True)

    assert "扫描下方二维码" in fixed(LETTER)
    assert "扫描下方二维码" not in fixed(letter(1, reply_url=""))
    assert "三、拨打" in fixed(LETTER)
    assert "二、拨打" in fixed(letter(1, reply_url=""))


def test_reminder_asks_to_ignore_it_when_answered():
    sheets = [letter_sheet(letter(1, reminder=True), HEAD)]
    html = compose("survey_letter.html", HEAD, title="t", letters=sheets, layers=("fixed",), ids=True)
    assert "如已回复，请忽略本函" in html
