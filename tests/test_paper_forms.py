"""The change form's boxes: the map, and the ink on paper."""

import io

import numpy as np
import pikepdf
import pytest
from paper_samples import HEAD, LETTER, picture

from paper.forms import check_letter_layout, form_map, form_sha256, window_faults
from paper.print_runs import survey_letter

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
