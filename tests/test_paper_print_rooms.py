"""The papers of the print room, looked at as pictures: places in millimetres, layers, marks, codes."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from paper_samples import HEAD, letter

from paper import DOCUMENTS
from paper.address_labels import Label, Labels
from paper.calibrations import Calibration
from paper.envelopes import Envelope, Postage
from paper.overprints import overprint
from paper.pdf import PaperError
from paper.postings import PostedRun, PostingLine, PostingList, TrayLabel, TrayLabels
from paper.print_registers import PrintRegister, RegisterLine
from paper.print_runs import render_letters
from paper.specimens import specimens
from paper.undelivered_registers import UndeliveredLine, UndeliveredRegister

pytestmark = pytest.mark.slow
DAY = dt.date(2026, 11, 22)
DPI = 150
HOUSE = replace(HEAD, return_address="佛山市南海区桂城街道南海大道北88号", return_postcode="528200")


def pixels(pdf, page=0):
    with pypdfium2.PdfDocument(pdf) as file:
        return file[page].render(scale=DPI / 72, grayscale=True).to_numpy().squeeze()


def text_of(pdf, page=0):
    with pypdfium2.PdfDocument(pdf) as file:
        return file[page].get_textpage().get_text_range()


def dark(picture, x, y, width, height):
    """How many dark pixels a box in mm holds."""
    one = DPI / 25.4
    box = picture[int(y * one) : int((y + height) * one), int(x * one) : int((x + width) * one)]
    return int((box < 200).sum())


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Two letters as a print run makes them."""
    target = tmp_path_factory.mktemp("room") / "run.pdf"
    render_letters([letter(1), letter(2)], HEAD, target)
    return target


@pytest.mark.parametrize(("key", "width", "height"), [("outer_envelope", 230, 120), ("return_envelope", 220, 110)])
def test_envelopes_keep_clear_what_machines_read(key, width, height):
    mark = Postage("国内邮资已付", "粤佛商函 2026-018")
    made = DOCUMENTS[key].compose(Envelope("HD202611-01", DAY, mark), HOUSE)
    picture = pixels(made)
    assert dark(picture, 0, 0, 90, 26) == 0 and dark(picture, width - 160, height - 20, 105, 20) == 0
    assert dark(picture, width - 46, 8, 36, 24) > 500 and "粤佛商函" in text_of(made)
    if key == "outer_envelope":
        assert dark(picture, 23, 28.5, 104, 53) == 0


def test_without_a_mark_there_is_a_place_for_a_stamp_and_without_an_address_no_envelope():
    assert "票" in text_of(DOCUMENTS["return_envelope"].compose(Envelope("HD202611-01", DAY), HOUSE))
    with pytest.raises(PaperError, match="单位抬头"):
        DOCUMENTS["return_envelope"].compose(Envelope("HD202611-01", DAY), replace(HEAD, return_postcode=""))


def test_labels_stand_three_by_eight_with_the_letter_s_code_and_skip_used_places():
    labels = [Label(f"HD-{at}", "0123456789", "佛山市南海区南海大道12号", "张三", "528200") for at in range(24)]
    made = DOCUMENTS["address_labels"].compose(Labels("HD202611-01-1", DAY, tuple(labels), skip=2), HEAD)
    picture = pixels(made)
    assert dark(picture, 0, 0, 140, 37) == 0 and dark(picture, 143, 3, 60, 30) > 500
    assert {one.text[:13] for one in zxingcpp.read_barcodes(picture)} == {"L1.0123456789"}
    with pypdfium2.PdfDocument(made) as file:
        assert len(file) == 2
    long = replace(labels[0], address="路" * 80)
    with pytest.raises(PaperError, match="HD-0的地址太长"):
        DOCUMENTS["address_labels"].compose(Labels("HD202611-01-1", DAY, (long,)), HEAD)


def test_the_calibration_page_moves_by_tenths_of_a_millimetre():
    at_rest, moved = (
        pixels(DOCUMENTS["calibration_page"].compose(Calibration("奔图", x, y, DAY), HEAD))
        for x, y in ((0, 0), (20, -10))
    )
    assert dark(at_rest, 189.7, 14, 0.6, 2) > 0 and dark(moved, 189.7, 14, 0.6, 2) == 0
    assert dark(moved, 191.7, 13, 0.6, 2) > 0


def test_tray_labels_say_the_same_to_a_scanner():
    labels = [
        TrayLabel("528", "HD202611-01-3", 1, 2, 250, "00001 – 00250"),
        TrayLabel("", "HD202611-01-3", 2, 2, 7, "00251 – 00257", 1, 1),
    ]
    made = DOCUMENTS["tray_labels"].compose(TrayLabels("HD202611-01-3", "某局", DAY, tuple(labels)), HEAD)
    assert {one.text for one in zxingcpp.read_barcodes(pixels(made))} == {"HD202611-01-3/1", "HD202611-01-3/2/1"}
    assert "把签" in text_of(made) and "不明" in text_of(made)


def test_posting_list_and_register_add_up():
    lines = (PostingLine("528", True, 240, 13.9, 0.8), PostingLine("510", False, 3, 13.9, 1.2))
    runs = tuple(PostedRun(f"HD202611-01-{at}", "核对", "1 – 200", 100, 2) for at in (3, 4))
    facts = PostingList("某局", DAY, "平常信函", "协议。", runs, lines)
    shown = text_of(DOCUMENTS["posting_list"].compose(facts, HEAD))
    assert "195.60" in shown and "3377.7" in shown and "243" in shown
    line = RegisterLine("第 1 批", "首次", "v1", "1 – 3", 3, 1, 2, "奔图", "张三", "", "", "已打印")
    facts = PrintRegister("核对", "HD202611-01", "某局", DAY, (line, line))
    assert (facts.total("spoiled"), facts.total("reprinted")) == (2, 4)
    assert "奔图" in text_of(DOCUMENTS["print_register"].compose(facts, HEAD))


def test_an_overprint_has_what_is_the_letter_s_own_and_nothing_else_moved_as_asked(run, tmp_path):
    still, moved = tmp_path / "still.pdf", tmp_path / "moved.pdf"
    assert overprint(run, [2, 3], still, offset=(0, 0), day=DAY) == 2
    overprint(run, [2, 3], moved, offset=(20, -30), day=DAY)
    whole, own, shifted = (pixels(path) for path in (run, still, moved))
    assert "尊敬的客户" in text_of(run) and "尊敬的客户" not in text_of(still) and "501" in text_of(still)
    assert dark(whole, 20, 92, 170, 160) > 5000 and dark(own, 20, 92, 110, 160) == 0
    codes = [zxingcpp.read_barcodes(picture)[0].position.top_left for picture in (own, shifted)]
    right, down = (codes[1].x - codes[0].x) * 25.4 / DPI, (codes[1].y - codes[0].y) * 25.4 / DPI
    assert (right, down) == (pytest.approx(2.0, abs=0.2), pytest.approx(-3.0, abs=0.2))
    with pytest.raises(PaperError, match="不能套打"):
        overprint(_flat(tmp_path), [0], still, offset=(0, 0), day=DAY)


def _flat(folder: Path) -> Path:
    path = folder / "flat.pdf"
    path.write_bytes(DOCUMENTS["calibration_page"].compose(Calibration("奔图", 0, 0, DAY), HEAD))
    return path


def test_specimens_say_so_across_every_page_and_in_the_window(tmp_path):
    assert specimens([letter(1), letter(2)], HEAD, tmp_path / "sample.pdf", day=DAY) == 4
    for page in range(4):
        assert "样" in text_of(tmp_path / "sample.pdf", page)
    assert "不得寄出" in text_of(tmp_path / "sample.pdf", 0)
    one = DPI / 25.4
    picture = pixels(tmp_path / "sample.pdf")
    box = picture[int(34 * one) : int(39 * one), int(30 * one) : int(100 * one)]
    assert ((box > 100) & (box < 200)).sum() > 200


def test_the_register_of_undelivered_letters_names_each_piece_and_no_room_number():
    place, when = "佛山市南海区南海大道12号3栋1204室", "2026-11-22 09:00"
    line = UndeliveredLine("HD-1", 2, place, 77, when, "拒收", "不再寄信", "李华美")
    facts = UndeliveredRegister("某局", DAY, (line, replace(line, letter="HD-2")))
    shown = text_of(DOCUMENTS["undelivered_register"].compose(facts, HEAD))
    assert all(text in shown for text in ("HD-1", "HD-2", "77", "拒收", "李华美", "共 2 件")) and "1204" not in shown
