"""The change form's boxes: the map, and the ink on paper."""

import io
from dataclasses import replace

import numpy as np
import pikepdf
import pytest
from paper_samples import HEAD, LETTER, picture

from paper.boxes import compiled
from paper.forms import (
    SAMPLE_HEAD,
    check_letter_layout,
    form_map,
    form_sha256,
    preflight,
    template_faults,
    window_faults,
)
from paper.letters import SAMPLE
from paper.pdf import PaperError
from paper.print_runs import blank, survey_letter

pytestmark = pytest.mark.slow
DPI = 200


@pytest.fixture(scope="session")
def boxes():
    return form_map(1)["pages"]


@pytest.fixture(scope="session")
def back():
    return picture(survey_letter(LETTER, HEAD), 1, dpi=DPI)


def test_map_has_the_codes_of_both_pages(boxes):
    assert boxes[0] == {
        "number": 1,
        "codes": [{"x": 89.0, "y": 46.0, "size": 12.0, "place": "W"}],
        "boxes": [],
    }
    places = {code["place"]: (code["x"], code["y"], code["size"]) for code in boxes[1]["codes"]}
    assert places == {"1": (10, 10, 12), "2": (188, 10, 12), "3": (10, 275, 12), "4": (188, 275, 12)}


def test_form_has_26_ticks_and_40_cells(boxes):
    marks = boxes[1]["boxes"]
    assert len({mark["id"] for mark in marks}) == len(marks)
    ticks = [mark for mark in marks if mark["kind"] == "tick"]
    assert (len(ticks), {(tick["w"], tick["h"]) for tick in ticks}) == (26, {(4.0, 4.0)})
    assert sum(mark["w"] / 6 for mark in marks if mark["kind"] == "comb") == 40


def test_ticks_keep_eleven_millimetres_of_row(boxes):
    rows = sorted({mark["y"] for mark in boxes[1]["boxes"] if mark["kind"] == "tick"})
    assert min(low - high for high, low in zip(rows, rows[1:], strict=False)) >= 11


def test_layout_keeps_the_rules_of_window_and_folds():
    assert check_letter_layout() == []


@pytest.mark.parametrize(
    ("name", "moved", "fault"),
    [
        ("serial", {"y": 120.0}, "“serial”（横145.0至200.0、纵42.3至46.7毫米）会从信封窗口露出"),
        ("window", {"x": 90.0}, "“window”（横31.7至91.8、纵41.5至63.5毫米）离二维码“code_W”只有0.0毫米"),
        (
            "reply_link",
            {"y": 593.0},
            "“reply_link”（横142.0至202.0、纵209.2至212.8毫米）离折线210毫米处不足1.0毫米",
        ),
        ("reply_link", {"x": 428.0}, "离纸边只有-1.0毫米，打印机印不到，至少要4.0毫米"),
        ("unit", {"y": 30.0}, "离二维码“code_2”只有0.0毫米，至少要2.0毫米"),
        ("name", {"text": "\ue000"}, "的字体没有“\ue000”"),
    ],
)
def test_preflight_names_box_and_millimetres(name, moved, fault):
    template = compiled(blank(SAMPLE, SAMPLE_HEAD), "登记表版本1")
    pages = [[replace(box, **moved) if box.name == name else box for box in page] for page in template.boxes]
    faults = template_faults(replace(template, boxes=pages))
    assert template_faults(template) == []
    assert any(fault in one for one in faults), faults


def test_letterhead_without_glyphs_is_refused():
    with pytest.raises(PaperError, match="登记表版本1的版面不合要求.*字体没有的字“〓”"):
        preflight(1, replace(SAMPLE_HEAD, organ="某某\ue000供电公司"))


def test_boxes_that_cannot_be_stamped_are_refused_by_name():
    html = (
        "<html lang='zh-CN'><style>html{font-kerning:none}</style>"
        "<p>尊敬的<span data-field='inside'>张三</span>：</p><p data-field='flat'>张三</p>"
        "<p data-field='loose' style='position:absolute;height:9mm'>张三</p>"
        "<p data-field='spaced' style='width:9mm;height:9mm;letter-spacing:1mm'>张三</p>"
    )
    with pytest.raises(PaperError) as refused:
        compiled(html, "样张")
    for fault in ("“inside”夹在其他文字中间", "“flat”没有固定高度", "“loose”没有固定宽度", "“spaced”设了字距"):
        assert fault in str(refused.value)


def test_ink_in_the_window_is_found(tmp_path):
    with pikepdf.open(io.BytesIO(survey_letter(LETTER, HEAD))) as pdf:
        pdf.pages.reverse()
        pdf.save(tmp_path / "form-first.pdf")
    assert "信封窗口" in window_faults((tmp_path / "form-first.pdf").read_bytes())[0]


def test_every_tick_is_printed_where_the_map_says(boxes, back):
    for mark in (mark for mark in boxes[1]["boxes"] if mark["kind"] == "tick"):
        left, top = round(mark["x"] / 25.4 * DPI), round(mark["y"] / 25.4 * DPI)
        side = round(4 / 25.4 * DPI)
        cut = back[top - 4 : top + side + 4, left - 4 : left + side + 4] < 140
        rows, columns = np.flatnonzero(cut.mean(axis=1) > 0.6), np.flatnonzero(cut.mean(axis=0) > 0.6)
        assert abs(rows[0] - 4) <= 2, mark
        assert abs(rows[-1] - (side + 4)) <= 3, mark
        assert abs(columns[0] - 4) <= 2, mark
        inner = back[top + 4 : top + side - 4, left + 4 : left + side - 4]
        assert (inner > 250).all(), mark


def test_every_comb_is_printed_where_the_map_says(boxes, back):
    for mark in (mark for mark in boxes[1]["boxes"] if mark["kind"] == "comb"):
        top, bottom = (round(value / 25.4 * DPI) for value in (mark["y"], mark["y"] + mark["h"]))
        band = back[top + 6 : bottom - 6]
        for cell in range(round(mark["w"] / 6) + 1):
            x = round((mark["x"] + cell * 6) / 25.4 * DPI)
            assert (band[:, x - 3 : x + 4].min(axis=1) < 190).all(), (mark, cell)


def test_digest_of_the_form_is_stable():
    assert form_sha256() == form_sha256()
    assert len(form_sha256()) == 64
