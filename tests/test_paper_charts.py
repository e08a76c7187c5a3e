import re
from xml.etree.ElementTree import fromstring

import pytest

from paper.charts import Bar, Series, bars, lines


def parts(svg, name):
    return [one for one in fromstring(str(svg)).iter() if one.tag.endswith(name)]  # noqa: S314 our own


def test_bars_below_their_target_are_hatched():
    drawn = bars([Bar("甲所", 0.9, 0.96), Bar("乙所", 0.97, 0.96), Bar("丙所", 0.5)])
    assert [one.get("fill") for one in parts(drawn, "rect")] == ["#fff", "#9a9a9a", "#9a9a9a"]
    lengths = [float(one.get("width")) for one in parts(drawn, "rect")]
    assert lengths[0] / lengths[2] == pytest.approx(1.8, rel=0.01)
    assert [one.text for one in parts(drawn, "text")] == [
        "甲所",
        "90.00%",
        "乙所",
        "97.00%",
        "丙所",
        "50.00%",
    ]


@pytest.mark.parametrize("value", [0, 0.001, 0.2, 1])
def test_hatching_stays_inside_the_bar(value):
    drawn = bars([Bar("甲所", value, 1.0 if value < 1 else None)])
    box = parts(drawn, "rect")[0]
    left, right = float(box.get("x")), float(box.get("x")) + float(box.get("width"))
    paths = [one.get("d") for one in parts(drawn, "path") if one.get("stroke-width") == "2.5"]
    spots = [float(x) for path in paths for x in re.findall(r"[ML]([\d.]+) ", path)]
    assert all(left - 0.1 <= x <= right + 0.1 for x in spots)


def test_long_names_are_set_smaller_and_hostile_ones_escaped():
    name = '<b>"很长很长的供电服务中心联合供电所名称"</b>'
    drawn = bars([Bar(name, 0.5)])
    text = parts(drawn, "text")[0]
    assert text.text == name and float(text.get("font-size")) * len(name) <= 345


def test_a_month_without_a_rate_breaks_its_line():
    periods = [f"2026-{month:02}" for month in range(1, 7)]
    drawn = lines(
        periods, [Series("完整率", (0.9, 0.91, None, 0.92, 0.93, 0.94)), Series("有效率", (0.5,) * 6)]
    )
    assert [len(one.get("points").split()) for one in parts(drawn, "polyline")] == [2, 3, 6]
    assert {one.get("stroke-dasharray") for one in parts(drawn, "polyline")} == {None, "26 12"}
    texts = [one.text for one in parts(drawn, "text")]
    assert "完整率 94.00%" in texts and "2026年" in texts and texts.count("6月") == 1


def test_names_at_the_ends_of_lines_do_not_meet():
    drawn = lines(["2026-01", "2026-02"], [Series(f"线{at}", (0.9, 0.9)) for at in range(4)])
    heights = sorted(float(one.get("y")) for one in parts(drawn, "text") if (one.text or "").startswith("线"))
    assert all(below - above >= 30 for above, below in zip(heights, heights[1:], strict=False))
