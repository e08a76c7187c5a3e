"""What stands on a survey letter before it is laid out."""

from dataclasses import replace

import pytest
from paper_samples import HEAD, HOSTILE_NAMES, LETTER, LONG_ADDRESS, RECORDED, letter

from paper.letterheads import local_address
from paper.letters import Recorded, fits_address, letter_sheet, unprintable, window_block
from paper.lines import lines_of
from paper.print_runs import blank, letters_html

OWN_PARTS = (
    "13812345678",
    "85551234",
    "13900002222",
    "zhangsanfeng",
    "wx_zhang",
    "0301234567890123",
    "李四光",
)


def shown(facts):
    """The values of a letter by the names of their boxes."""
    return {name: "".join(lines_of(value)) for name, value in letter_sheet(facts, HEAD).values.items()}


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


def test_window_begins_with_the_postcode():
    assert lines_of(letter_sheet(LETTER, HEAD).values["window"])[0] == "528000"


def test_only_the_window_shows_personal_data_in_full():
    values = shown(LETTER)
    window, rest = values.pop("window"), "".join(values.values())
    for part in OWN_PARTS:
        assert part not in rest
    assert "501室张三丰" in window
    assert "501" not in rest
    assert "张三丰" not in rest


def test_recorded_value_asks_no_change_and_missing_asks_none():
    known, unknown = shown(LETTER), shown(letter(1, recorded=Recorded()))
    assert [value for name, value in known.items() if name.endswith("_same")] == ["无变化"] * 7
    assert [value for name, value in unknown.items() if name.endswith("_same")] == ["暂无"] * 7


def test_values_are_escaped_in_the_template():
    facts = letter(1, unit="<script>", recorded=replace(RECORDED, person="<i>"))
    html = letters_html([letter_sheet(facts, HEAD)], HEAD)
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_unprintable_characters_are_reported():
    problems = unprintable(letter(1, addressee="🙂王小明", name="㛃䶮𠮷暠"))
    assert [(one.field, one.reason, one.text) for one in problems] == [("addressee", "missing_glyph", "🙂")]


def test_second_copy_says_so():
    assert "".join(shown(letter(1, copy=2)).values()).count("第2次打印") == 2
    assert "次打印" not in "".join(shown(LETTER).values())


def test_way_to_scan_is_offered_only_with_an_address():
    with_address, without = blank(LETTER, HEAD), blank(letter(1, reply_url=""), HEAD)
    assert "扫描下方二维码" in with_address
    assert "扫描下方二维码" not in without
    assert "三、拨打" in with_address
    assert "二、拨打" in without


def test_reminder_asks_to_ignore_it_when_answered():
    assert "如已回复，请忽略本函" in blank(letter(1, reminder=True), HEAD)


def test_template_shows_nothing_of_the_letter_it_is_chosen_by():
    assert blank(LETTER, HEAD) == blank(letter(2, addressee="别人", unit="别处"), HEAD)
