"""Scans read: files opened, codes found, forms registered, boxes measured, on simulated sheets."""

import io
import struct
import zlib
from dataclasses import replace
from random import Random

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw
from scanning import FORM, FRONT, TOKEN, Sheet, batch, scanned

from paper import scan_children, scans, sides
from paper.codes import code_rows
from paper.outlines import refined
from paper.registration import corner_points, fit, place, turned
from paper.scans import ScanError
from seed.scanner import Damage, Filled, fill_in, plain_form, scan

TICKED = Filled({"all.same": "tick", "outage.sms": "cross", "consent": "fill"}, {"mobile.2": "1380"})
DAMAGES = {
    "clean": Damage(),
    "turned over": Damage(turns=2, angle=1.5),
    "sideways": Damage(turns=1, angle=-2),
    "aslant": Damage(angle=4, scale=1.015, shift=(2, -2)),
    "coarse": Damage(dpi=150, angle=-1, noise=6, blur=0.5),
    "fine": Damage(dpi=300, angle=2),
    "fax": Damage(mono=True, angle=1, noise=2),
    "coloured": Damage(colour=True, paper=230),
    "torn": Damage(torn=(3,), torn_size=40, backdrop=20, angle=1),
    "dirty": Damage(stains=2, specks=150, holes=True, noise=10, paper=225),
}


def read(picture, page=FORM):
    seen = sides.look_at(scans.Side(1, picture.convert("L") if picture.mode == "RGB" else picture))
    return seen, sides.read(seen, page)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_sheet_is_identified_and_its_boxes_read(damage):
    seen, reading = read(scanned(Sheet(filled=TICKED, damage=damage)))
    assert seen.ours == {("L", TOKEN, 2)}
    assert reading.residual < 0.4
    marked = {name for name, mark in reading.marks.items() if mark.value}
    assert marked == {*TICKED.ticks, *TICKED.texts, "signature", "signed_on"}
    assert all(mark.sure for mark in reading.marks.values())


def test_an_upright_picture_is_kept_with_the_way_back_to_its_boxes():
    picture = scanned(Sheet(damage=Damage(turns=2, angle=1)))
    _seen, reading = read(picture)
    kept = np.asarray(Image.open(io.BytesIO(reading.picture)))
    a, b, c, d, e, f = reading.placed
    x, y = a * 17 + b * 42 + c, d * 17 + e * 42 + f  # inside 以下信息全部无变化
    assert x < kept.shape[1] / 4 and y < kept.shape[0] / 4
    assert kept[round(y) - 12 : round(y) + 12, round(x) - 12 : round(x) + 12].min() < 120


def test_a_stroke_through_a_box_and_half_a_mark_are_left_to_a_person():
    page = fill_in(plain_form(FORM, TOKEN), FORM["boxes"], Filled(signed=False), Random(1))
    draw, mm = ImageDraw.Draw(page), 300 / 25.4
    draw.line([80 * mm, 155 * mm, 120 * mm, 184 * mm], fill=60, width=5)  # across outage.call
    draw.point([(17 * mm, 42 * mm)], fill=0)
    draw.rectangle([16.4 * mm, 41.4 * mm, 17.0 * mm, 41.95 * mm], fill=30)  # a blot in all.same
    _seen, reading = read(scan(page, Damage(), Random(2)))
    unsure = {name for name, mark in reading.marks.items() if not mark.sure}
    assert unsure == {"outage.call", "all.same"}


def test_a_card_with_one_code_is_registered_on_its_outlines_too():
    card = {**FORM, "codes": FORM["codes"][:1]}
    picture = scan(
        fill_in(plain_form(card, TOKEN), FORM["boxes"], TICKED, Random(3)), Damage(angle=3), Random(4)
    )
    seen = sides.look_at(scans.Side(1, picture))
    rough = place(seen.found, card)
    better = refined(seen.grey, seen.found, rough, card)
    truth = place(
        sides.look_at(scans.Side(1, scan(plain_form(FORM, TOKEN), Damage(angle=3), Random(5)))).found, FORM
    )
    corner = np.array([[150.0, 220.0]])
    assert np.hypot(*(better.pixels(corner) - truth.pixels(corner))[0]) / truth.scale < 0.3
    assert better.residual < 0.6


def test_a_picture_that_is_bent_shows_a_large_residual():
    found = sides.look_at(scans.Side(1, scanned(Sheet()))).found
    paper, scan_points = corner_points(found, FORM)
    bent = scan_points + np.where(paper[:, :1] > 100, np.where(paper[:, 1:] > 100, 24.0, 0.0), 0.0)
    assert fit(paper, bent, codes=4).residual > 0.6


def test_empty_sides_fronts_and_foreign_codes_are_told_apart():
    blank = scan(
        Image.new("L", (2480, 3508), 255), Damage(specks=200, holes=True, angle=3, backdrop=20), Random(6)
    )
    seen = sides.look_at(scans.Side(1, blank))
    assert seen.is_blank and not seen.found
    front, _reading = read(scanned(Sheet(page=1, filled=Filled(), damage=Damage(turns=2))), FRONT)
    assert front.ours == {("L", TOKEN, 1)}
    page = Image.new("L", (2480, 3508), 255)
    small = Image.fromarray(255 - np.array([list(row) for row in code_rows("AB CD")], dtype=np.uint8) * 255)
    page.paste(small.resize((200, 200), Image.Resampling.NEAREST), (1000, 1500))
    seen = sides.look_at(scans.Side(1, page))
    assert [one.text for one in seen.found] == ["AB CD"] and not seen.ours and not seen.is_blank


def test_turning_a_picture_turns_its_map():
    matrix = (8.0, 0.1, 5.0, -0.1, 8.0, 7.0)
    back = matrix
    for turns, size in ((1, (1654, 2339)), (1, (2339, 1654)), (2, (1654, 2339))):
        back = turned(back, turns, size)
    assert np.allclose(back, matrix)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["scans.pdf", "scans.tif", "scan.jpg", "scan.png"])
def test_every_kind_of_file_gives_its_sides_through_the_child(tmp_path, name):
    sheets = [Sheet(damage=Damage(turns=2)), Sheet(page=1, filled=Filled())]
    path = batch(tmp_path / name, *sheets[: 1 if name.startswith("scan.") else 2])
    with scan_children.ScanReader(tmp_path) as reader:
        number = reader.count_sides(path)
        pages_of = lambda looked: {one.number: FORM for one in looked if one.codes[0].page == 2}  # noqa: E731
        read = [one for some in reader.read(path, 1, number, pages_of=pages_of) for one in some]
    assert [one.looked.codes[0].page for one in read] == [2, 1][:number]
    assert read[0].marks["all.same"].value and read[0].picture.stat().st_size > 1000


def test_the_scans_own_picture_is_taken_out_of_a_pdf(tmp_path):
    path = batch(tmp_path / "scans.pdf", Sheet())
    (side,) = scans.sides(path, 1, 1)
    with pikepdf.open(path) as pdf:
        (image,) = pdf.pages[0].resources.XObject.values()
        assert side.jpeg == image.read_raw_bytes()
        pdf.pages[0].contents_add(b"BT /F1 9 Tf (x) Tj ET")  # something else shows: then it is drawn
        pdf.save(tmp_path / "more.pdf")
    (drawn,) = scans.sides(tmp_path / "more.pdf", 1, 1)
    assert drawn.jpeg is None and abs(drawn.picture.width - 1654) < 3


def test_a_fax_in_a_pdf_is_taken_out_black_and_white_the_right_way_round(tmp_path):
    path = batch(tmp_path / "fax.pdf", Sheet(damage=Damage(mono=True)))
    (side,) = scans.sides(path, 1, 1)
    assert (side.picture.mode, side.picture.width) == ("1", 1654) and side.jpeg is None
    seen, _reading = read(side.picture)
    assert seen.ours == {("L", TOKEN, 2)} and _reading.media == "image/png"


def png_claiming(width, height):
    """A few bytes that say they are a picture of this size."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (head, b"IDAT", b"IEND")
    packed = [struct.pack(">I", len(one) - 4) + one + struct.pack(">I", zlib.crc32(one)) for one in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"hello", "kind"),
        (b"%PDF-1.7\nnothing", "broken"),
        (b"\xff\xd8\xff\xe0 cut", "broken"),
        (b"", "empty"),
        (png_claiming(20_000, 20_000), "too_large"),
    ],
)
def test_what_is_no_scan_is_refused(tmp_path, content, code):
    path = tmp_path / "x"
    path.write_bytes(content)
    with scan_children.ScanReader(tmp_path) as reader, pytest.raises(ScanError) as refused:
        reader.count_sides(path)
    assert refused.value.code == code


@pytest.mark.slow
def test_a_page_that_kills_the_child_is_unreadable_and_the_others_are_read(tmp_path, monkeypatch):
    path = batch(tmp_path / "scans.tif", Sheet(), Sheet(page=1, filled=Filled()))
    with scan_children.ScanReader(tmp_path) as reader:
        ask = reader._ask
        monkeypatch.setattr(reader, "_ask", lambda request: _dies_on(reader, ask, request, 1))
        read = [one for some in reader.read(path, 1, 2, pages_of=lambda looked: {}) for one in some]
    assert [(one.looked.number, bool(one.looked.digest)) for one in read] == [(1, False), (2, True)]


def test_a_file_on_which_the_child_dies_again_and_again_is_not_waited_for(tmp_path, monkeypatch):
    path, asked = batch(tmp_path / "scans.tif", *[Image.new("L", (60, 80), 255)] * 40), []

    def die(request):
        asked.append(request)
        raise scan_children._Died

    with scan_children.ScanReader(tmp_path) as reader:
        monkeypatch.setattr(reader, "_ask", die)
        read = [one for some in reader.read(path, 1, 40, pages_of=lambda looked: {}) for one in some]
    assert [one.looked.number for one in read] == list(range(1, 41)) and len(asked) == scan_children.MOST_DEATHS
    assert not any(one.looked.digest for one in read)


def pdf_of(path, data, *, width=800, height=1100):
    """A page that is one picture, whose bytes may be anything."""
    with pikepdf.new() as pdf:
        page, picture = pdf.add_blank_page(page_size=(595, 842)), pdf.make_stream(b"")
        picture.write(data, filter=pikepdf.Name.FlateDecode)
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width, picture.Height, picture.BitsPerComponent = width, height, 8
        picture.ColorSpace = pikepdf.Name.DeviceGray
        page.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(Im0=picture))
        page.Contents = pdf.make_stream(b"q 595 0 0 842 0 0 cm /Im0 Do Q")
        pdf.save(path)


@pytest.mark.parametrize(
    ("data", "size"), [(b"\xff" * 880_000, (800, 1100)), (b"cut", (800, 1100)), (b"", (30_000, 30_000))]
)
def test_a_picture_in_a_pdf_that_is_broken_or_a_bomb_is_unreadable_and_not_blank(tmp_path, data, size):
    pdf_of(tmp_path / "x.pdf", zlib.compress(data), width=size[0], height=size[1])
    (side,) = scans.sides(tmp_path / "x.pdf", 1, 1)
    seen = sides.look_at(side)
    assert (seen is not None and seen.is_blank) == (len(data) > 3)


def test_a_locked_pdf_is_refused_and_one_that_opens_without_a_word_is_read(tmp_path):
    batch(tmp_path / "open.pdf", Image.new("L", (60, 80), 255))
    with pikepdf.open(tmp_path / "open.pdf") as pdf:
        pdf.save(tmp_path / "print.pdf", encryption=pikepdf.Encryption(owner="x"))
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(owner="x", user="y"))
    assert scans.count_sides(tmp_path / "print.pdf") == 1
    with pytest.raises(ScanError) as refused:
        scans.count_sides(tmp_path / "locked.pdf")
    assert refused.value.code == "locked"


def _dies_on(reader, ask, request, number):
    if request["do"] == "look" and request["first"] <= number <= request["last"]:
        reader._started().kill()
    return ask(request)


def test_a_torn_sheet_with_two_codes_keeps_them_and_says_so():
    sheet = Sheet(damage=replace(Damage(), torn=(0, 3), torn_size=45))
    _seen, reading = read(scanned(sheet))
    assert reading.codes == 2 and reading.residual < 0.6 and reading.marks["all.same"].value
