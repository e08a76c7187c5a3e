"""Breaking texts into lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paper.fonts import text_width
from paper.lines import Setting, address_block, break_lines, fitting_size, set_text


def test_address_breaks_after_a_road_and_never_inside_a_number():
    block = address_block("三水区西南街道张边路9号御江南国际社区三期翠景苑12座2单元1803房", "张三")
    assert block.address == ("三水区西南街道张边路9号", "御江南国际社区三期翠景苑", "12座2单元1803房")


@pytest.mark.parametrize("text", ["中心A区12号楼（由门卫代收）", "阿不都热合曼·买买提江·吐尔逊　收"])
def test_bracket_and_dot_stay_where_they_belong(text):
    for line in break_lines(text, 40, setting=Setting(10.5))[:-1]:
        assert not line.endswith("（")
    for line in break_lines(text, 40, setting=Setting(10.5)):
        assert not line.startswith(("）", "·"))


@given(st.text(alphabet="路街道0123456789AB座室（）、 ", min_size=1, max_size=80))
def test_lines_hold_the_whole_text_and_keep_the_width(text):
    lines = break_lines(text, 60, setting=Setting(9))
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(text_width(line, 9) <= 60 or len(line) == 1 for line in lines)


def test_words_given_are_not_broken():
    lines = break_lines(
        "关于2026年11月客户联系信息质量考核情况的通报",
        120,
        setting=Setting(22),
        words=("客户联系信息", "质量"),
    )
    assert len(lines) == 2
    assert lines[0].endswith(("客户联系信息", "质量", "月"))


def test_size_shrinks_until_the_text_fits():
    assert fitting_size("短", 60, largest=15, smallest=8) == 15
    assert fitting_size("某" * 15, 60, largest=15, smallest=8) == 11
    assert fitting_size("某" * 500, 60, largest=15, smallest=8) == 8


def test_value_takes_the_first_size_that_holds_it():
    sizes = ((10.0, 1), (8.0, 2))
    assert set_text("短文", 36, sizes=sizes).lines == ("短文",)
    assert set_text("某" * 20, 36, sizes=sizes).size == 8.0
    assert set_text("某" * 99, 36, sizes=sizes).lines[1].endswith("…")
    assert set_text("", 36, sizes=sizes).lines == ()
