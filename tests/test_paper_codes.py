"""Tokens, check characters and printed codes."""

import string

import pytest
import segno
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from paper import codes, matrices

tokens = st.text(alphabet=codes.CROCKFORD, min_size=10, max_size=10)


def test_check_characters_follow_the_standards_example():
    assert codes.check_characters("ISO79") == "3W"


def test_tokens_are_random_and_well_formed():
    made = {codes.new_token() for _ in range(500)}
    assert len(made) == 500
    assert all(codes.normalise_token(token) == token for token in made)


@pytest.mark.parametrize(
    "typed",
    [
        "0123456789",
        "o123456789",
        "O 1234-56789",
        " 0123456789\n",
        "０１２３４５６７８９",
        "0l23456789",
        "OI23456789",
    ],
)
def test_typed_token_is_forgiven(typed):
    assert codes.normalise_token(typed) == "0123456789"


@pytest.mark.parametrize(
    "typed", ["", "012345678", "01234567890", "012345678U", "户0123456789", "0123*56789"]
)
def test_other_text_is_no_token(typed):
    assert codes.normalise_token(typed) is None
    assert codes.parse_code(typed) is None


@given(tokens, st.sampled_from("LVN"), st.integers(1, 99), st.sampled_from(codes.PLACES))
def test_code_text_is_read_back(token, kind, page, place):
    text = codes.code_text(kind, token, page=page, place=place)
    assert codes.parse_code(text) == codes.Code(token, kind=kind, page=page, place=place)


@pytest.mark.parametrize(
    "typed",
    [
        "l1.abcdefghjk.1.{c}.w",
        "L1。ABCDEFGHJK。1。{c}。W",
        "Ｌ１．ＡＢＣＤＥＦＧＨＪＫ．１．{c}．Ｗ",
        "L1.ABCDEFGHJK.1.{c}.W\r\n",
    ],
)
def test_scanner_behind_an_input_method_is_understood(typed):
    check = codes.check_characters("L1ABCDEFGHJK1")
    assert codes.parse_code(typed.format(c=check)) == codes.Code("ABCDEFGHJK", kind="L", page=1, place="W")


def test_token_alone_is_a_code_without_place():
    assert codes.parse_code("abcdefghjk") == codes.Code("ABCDEFGHJK")


@pytest.mark.parametrize(
    "text",
    [
        "X1.ABCDEFGHJK.1.00.W",
        "L2.ABCDEFGHJK.1.00.W",
        "L1.ABCDEFGHJK.1.00.W",
        "L1.ABCDEFGHJK.0.00.W",
        "L1.ABCDEFGHJK.1.00",
        "L1.ABCDEFGHJK.1.00.5",
        "....",
        "HTTPS://EXAMPLE.CN/R/ABCDEFGHJK",
        "L1.ABCDEFGHJK.1.00.W.W",
    ],
)
def test_wrong_code_is_refused(text):
    assert codes.parse_code(text) is None


@given(st.text(alphabet=codes.RADIX_36, min_size=1, max_size=16), st.data())
def test_every_single_substitution_is_detected(text, data):
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from([c for c in codes.RADIX_36 if c != text[place]]))
    assert codes.check_characters(text[:place] + other + text[place + 1 :]) != codes.check_characters(text)


@given(st.text(alphabet=codes.RADIX_36, min_size=2, max_size=16), st.data())
def test_every_adjacent_transposition_is_detected(text, data):
    place = data.draw(st.integers(0, len(text) - 2))
    swapped = text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    same = text[place] == text[place + 1]
    assert (codes.check_characters(swapped) == codes.check_characters(text)) is same


def test_all_substitutions_of_one_code_are_refused():
    text = codes.code_text("L", "ABCDEFGHJK", page=1, place="W")
    for place in range(3, 13):
        for other in set(codes.CROCKFORD) - {text[place]}:
            assert codes.parse_code(text[:place] + other + text[place + 1 :]) is None


def test_code_needs_a_known_kind_and_place():
    with pytest.raises(ValueError, match="no code"):
        codes.code_text("Z", "ABCDEFGHJK", page=1, place="W")
    with pytest.raises(ValueError, match="no code"):
        codes.code_text("L", "ABCDEFGHJK", page=1, place="X")


def _picture(svg: str, module: int) -> Image.Image:
    size = int(svg.split('viewBox="0 0 ')[1].split()[0])
    picture = Image.new("L", ((size + 8) * module,) * 2, 255)
    pen = ImageDraw.Draw(picture)
    for run in svg.split('d="')[1].split('"')[0].split("M")[1:]:
        x, rest = run.split(" ", 1)
        y, width = rest.split("h")[0], rest.split("h")[1].split("v")[0]
        left, top = (int(x) + 4) * module, (int(y) + 4) * module
        pen.rectangle((left, top, left + int(width) * module - 1, top + module - 1), fill=0)
    return picture


@settings(max_examples=40)
@given(tokens)
def test_printed_code_has_25_modules_and_reads_back(token):
    text = codes.code_text("L", token, page=2, place="4")
    svg = codes.svg(codes.code_rows(text))
    assert 'viewBox="0 0 25 25"' in svg
    assert [found.text for found in zxingcpp.read_barcodes(_picture(svg, 3))] == [text]


@pytest.mark.slow
@given(tokens, st.sampled_from("LVN"), st.sampled_from((1, 2, 12)), st.sampled_from(codes.PLACES))
def test_added_code_is_the_one_that_is_computed(token, kind, page, place):
    for text, error in (
        (codes.code_text(kind, token, page=page, place=place), "Q"),
        (f"HTTPS://KEFU.EXAMPLE.CN/R/{token}", "M"),
    ):
        made = segno.make(text, error=error, mask=2, micro=False, boost_error=False).matrix
        side, modules = matrices.packed(text, error)
        wide = len(modules) // side
        rows = [modules[at : at + wide] for at in range(0, len(modules), wide)]
        bits = [f"{int.from_bytes(row, 'big'):0{8 * wide}b}" for row in rows]
        assert bits == ["".join(map(str, row)).ljust(len(bits[0]), "0") for row in made]


def test_link_is_read_back():
    url = "HTTPS://KEFU.EXAMPLE.CN/R/0123456789"
    assert zxingcpp.read_barcodes(_picture(codes.svg(codes.link_rows(url)), 3))[0].text == url


def test_alphabet_leaves_out_what_is_misread():
    assert set(string.ascii_uppercase + string.digits) - set(codes.CROCKFORD) == set("ILOU")
