"""Printed letters, read as a stranger would: texts, codes, places in millimetres, bytes."""

from dataclasses import replace

import numpy as np
import pikepdf
import pypdfium2
import pytest
import zxingcpp
from paper_samples import HEAD, HOSTILE_NAMES, LETTER, hostile_letters, letter, page_texts, picture

from paper import proofs
from paper.codes import parse_code
from paper.forms import window_faults
from paper.letters import Problem
from paper.pdf import PaperError
from paper.print_runs import render_letters, survey_letter

pytestmark = pytest.mark.slow
CORNERS = {"1": (10, 10), "2": (188, 10), "3": (10, 275), "4": (188, 275)}
HIDDEN = ("13812345678", "85551234", "13900002222", "zhangsanfeng", "wx_zhang", "0301234567890123", "李四光")


@pytest.fixture(scope="session")
def printed(tmp_path_factory):
    """A run with hostile values."""
    target = tmp_path_factory.mktemp("print") / "letters.pdf"
    return target, render_letters(hostile_letters() + [letter(99, address="路" * 64)], HEAD, target)


@pytest.fixture(scope="session")
def texts(printed):
    return page_texts(printed[0])


def crop(pixels, x, y, size, *, dpi):
    one = dpi / 25.4
    return np.ascontiguousarray(
        pixels[int((y - 2) * one) : int((y + size + 2) * one), int((x - 2) * one) : int((x + size + 2) * one)]
    )


def test_run_counts_letters_and_names_what_did_not_fit(printed):
    target, result = printed
    assert (result.letters, result.pages) == (len(hostile_letters()), 2 * len(hostile_letters()))
    assert result.bytes == target.stat().st_size
    assert Problem("HD-2026-11-000099", "address", "address_too_long", "路" * 64) in result.problems
    assert {one.text for one in result.problems if one.reason == "missing_glyph"} == {"🙂", "\ue000"}


def test_personal_data_stands_in_the_window_only(texts):
    for text in texts:
        for part in HIDDEN:
            assert part not in text
    assert texts[0].count("501室") == 1
    assert "501" not in texts[1]
    assert "张三丰" not in texts[1]
    assert "0301********0123" in texts[1]
    assert "138****5678" in texts[1]


def test_every_page_tells_its_letter(texts):
    for front, back in zip(texts[::2], texts[1::2], strict=True):
        assert "客户联系信息核对函" in front
        assert "客户联系信息变更登记表" in back
        assert "我们不会向您索要银行卡号、密码或短信验证码" in front
    assert "HD-2026-11-000002第2次打印" in texts[2]


def test_rare_characters_are_extractable(texts):
    place = 2 * (2 + HOSTILE_NAMES.index("欧阳𠮷㛃䶮暠"))
    assert "欧阳𠮷㛃䶮暠" in texts[place]


@pytest.mark.parametrize("dpi", [150, 200])
def test_codes_stand_in_place_and_read_back(printed, dpi):
    front, back = picture(printed[0], 0, dpi=dpi), picture(printed[0], 1, dpi=dpi)
    window = parse_code(zxingcpp.read_barcodes(crop(front, 89, 46, 12, dpi=dpi))[0].text)
    assert (window.kind, window.token, window.page, window.place) == ("L", LETTER.token, 1, "W")
    for place, (x, y) in CORNERS.items():
        code = parse_code(zxingcpp.read_barcodes(crop(back, x, y, 12, dpi=dpi))[0].text)
        assert (code.kind, code.token, code.page, code.place) == ("L", LETTER.token, 2, place)


def test_own_code_leads_to_the_reply_address(printed):
    found = zxingcpp.read_barcodes(crop(picture(printed[0], 0), 160, 236, 24, dpi=200))
    assert [one.text for one in found] == [LETTER.reply_url]


def test_corner_codes_begin_to_the_tenth_of_a_millimetre(printed):
    pixels = picture(printed[0], 1, dpi=600)
    dark = np.argwhere(pixels[: int(30 / 25.4 * 600), : int(24 / 25.4 * 600)] < 128)
    top, left = dark.min(axis=0) / 600 * 25.4
    assert (left, top) == (pytest.approx(10, abs=0.1), pytest.approx(10, abs=0.1))


def test_nothing_else_shows_in_a_window(printed):
    with pypdfium2.PdfDocument(printed[0]) as document:
        fronts = range(0, len(document), 2)
    for page in fronts:
        with pikepdf.open(printed[0]) as source, pikepdf.new() as one:
            one.pages.append(source.pages[page])
            one.save(printed[0].with_suffix(".one.pdf"))
        assert window_faults(printed[0].with_suffix(".one.pdf").read_bytes()) == []


def test_file_says_what_it_is_and_how_to_print_it(printed):
    with pikepdf.open(printed[0]) as pdf:
        assert str(pdf.docinfo.Title) == "客户联系信息核对函"
        assert str(pdf.Root.Lang) == "zh-CN"
        assert pdf.Root.ViewerPreferences.PrintScaling == "/None"
        assert pdf.Root.ViewerPreferences.Duplex == "/DuplexFlipLongEdge"
        assert [str(value) for value in pdf.pages[0].MediaBox][2:] == ["595.275591", "841.889764"]


def test_file_has_one_subset_of_each_font_and_no_fault(printed):
    with pikepdf.open(printed[0]) as pdf:
        fonts = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/FontFile3" in one]
        assert len({str(one.FontName) for one in fonts}) == len(fonts) > 1
        assert all("+" in str(one.FontName) for one in fonts)
        assert pdf.check_pdf_syntax() == []


def test_every_page_has_its_structure_element(printed):
    with pikepdf.open(printed[0]) as pdf:
        assert pdf.Root.MarkInfo.Marked
        elements = [part for group in pdf.Root.StructTreeRoot.K.K for part in group.K]
        assert [one.Pg.objgen for one in elements] == [page.objgen for page in pdf.pages]
        numbers = [one for kid in pdf.Root.StructTreeRoot.ParentTree.Kids for one in kid.Nums]
        assert numbers[::2] == list(range(len(pdf.pages)))


def test_letter_in_a_run_looks_like_one_printed_alone(printed):
    alone = survey_letter(letter(1), HEAD)
    for page in (0, 1):
        assert (picture(alone, page) == picture(printed[0], page)).all()


def test_own_truetype_font_is_cut_down_once(tmp_path):
    head = replace(HEAD, fangsong="AR PL KaitiM GB", font_folder=str(tmp_path))
    render_letters([letter(number) for number in range(1, 4)], head, tmp_path / "letters.pdf")
    with pikepdf.open(tmp_path / "letters.pdf") as pdf:
        files = [one for one in pdf.objects if isinstance(one, pikepdf.Dictionary) and "/FontFile2" in one]
    assert len(files) == 1


def test_printing_again_writes_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        render_letters([letter(1), letter(2, copy=2)], HEAD, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_single_letter_that_does_not_fit_is_refused():
    with pytest.raises(PaperError, match="HD-2026-11-000007.*窗口内排不下"):
        survey_letter(letter(7, address="路" * 64), HEAD)


def test_run_without_letters_makes_no_file(tmp_path):
    result = render_letters([letter(1, address="路" * 64)], HEAD, tmp_path / "none.pdf")
    assert (result.letters, result.pages, result.bytes) == (0, 0, 0)
    assert list(tmp_path.iterdir()) == []


def test_spoiled_file_is_refused_by_name_of_page_and_field(printed):
    missing = proofs.Expected("函件X", 1, [("户号", "9999")])
    with pytest.raises(PaperError, match="函件X第2页的“户号”没有完整印出"):
        proofs.proof(printed[0], pages=printed[1].pages, expected=[missing])
    with pytest.raises(PaperError, match="应有3页"):
        proofs.proof(printed[0], pages=3, expected=[])


def test_value_that_no_size_holds_is_cut_and_reported(tmp_path):
    result = render_letters([letter(1, unit="某" * 99)], HEAD, tmp_path / "letters.pdf")
    assert [(one.field, one.reason, one.text[-1]) for one in result.problems] == [("unit", "cut_short", "…")]
