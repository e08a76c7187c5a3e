"""Scanned files opened: every side as its own picture, as the scanner made it; drawn only where it must be."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pikepdf
import pypdfium2
from PIL import Image, UnidentifiedImageError

MAX_SIDES = 5_000  # of one file
MAX_PIXELS = 120_000_000  # of one side: A3 at 600 dpi, colour or not
DRAWN_DPI = 200
MAX_DRAWN = 6_000  # pixels along the longer edge of a side that has to be drawn
ONE_TONE = 0.999  # of the pixels: no scan of a blank side is as clean
COVERS = 0.9  # of the page, for its one picture to be the page
_PICTURES = ("JPEG", "PNG", "TIFF")
_JPEG_SPACES = ("/DeviceGray", "/DeviceRGB", "/CalGray", "/CalRGB")
_DRAWN_ONLY = ("/JBIG2Decode",)  # a blank side of these shows nothing at all
_SHOWN = frozenset(
    {"q", "Q", "cm", "Do", "gs", "BMC", "BDC", "EMC", "MP", "DP", "w", "J", "j", "M", "d", "i", "ri"}
)
_TEXT = frozenset(
    {"BT", "ET", "Tf", "Td", "TD", "Tm", "T*", "Tj", "TJ", "'", '"', "Tc", "Tw", "Tz", "TL", "Ts", "Tr"}
)
_ORIENTATION = 0x0112
_BROKEN = (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError, pikepdf.PikepdfError)


class ScanError(Exception):
    """A file that cannot be read as scans.

    `code` says why: `kind`, `broken`, `locked`, `empty`, `too_many` sides, or `too_large` a picture.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Side:
    """One side: its picture in grey or black and white; None if it cannot be read. `jpeg`: the same, as it came."""

    number: int
    picture: Image.Image | None
    jpeg: bytes | None = None


def count_sides(path: Path) -> int:
    """How many sides a file holds, without reading their pictures; refuses what is no scan."""
    if not path.stat().st_size:
        raise ScanError("empty")
    number = _count_pages(path) if _is_pdf(path) else _count_frames(path)
    if not number:
        raise ScanError("empty")
    if number > MAX_SIDES:
        raise ScanError("too_many")
    return number


def sides(path: Path, first: int, last: int) -> Iterator[Side]:
    """The sides of a file from the first to the last, counted from 1."""
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses twice as much
    yield from _pdf_sides(path, first, last) if _is_pdf(path) else _frames(path, first, last)


def _is_pdf(path: Path) -> bool:
    with open(path, "rb") as file:
        return b"%PDF-" in file.read(1024)


def _count_pages(path: Path) -> int:
    try:
        with pikepdf.open(path) as pdf:
            return len(pdf.pages)
    except pikepdf.PasswordError as error:
        raise ScanError("locked") from error
    except pikepdf.PdfError as error:
        raise ScanError("broken") from error


def _count_frames(path: Path) -> int:
    try:
        with Image.open(path, formats=_PICTURES) as picture:
            return int(getattr(picture, "n_frames", 1)) if picture.format == "TIFF" else 1
    except UnidentifiedImageError as error:
        raise ScanError("kind") from error
    except Image.DecompressionBombError as error:
        raise ScanError("too_large") from error
    except _BROKEN as error:
        raise ScanError("broken") from error


def _frames(path: Path, first: int, last: int) -> Iterator[Side]:
    with Image.open(path, formats=_PICTURES) as source:
        for number in range(first, last + 1):
            try:
                if source.format == "TIFF":
                    source.seek(number - 1)
                    yield Side(number, _grey(source.copy()))
                else:
                    yield single(number, path.read_bytes())
            except _BROKEN:
                yield Side(number, None)


def single(number: int, data: bytes) -> Side:
    """The one side of a picture file."""
    picture = Image.open(io.BytesIO(data), formats=_PICTURES)
    kept = data if picture.format == "JPEG" and picture.getexif().get(_ORIENTATION, 1) == 1 else None
    return Side(number, _grey(picture), kept)


def _grey(picture: Image.Image) -> Image.Image:
    """Grey, or black and white as it came; a colour JPEG gives its brightness without being turned into colours."""
    if picture.width * picture.height > MAX_PIXELS or min(picture.size) < 50:
        raise ValueError("size")
    if picture.mode == "1":
        picture.load()
        return picture
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
        raise ValueError("depth")
    if picture.format == "JPEG":
        picture.draft("L", picture.size)
    if "A" in picture.getbands() or "transparency" in picture.info:
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture.convert("RGBA"))
    return picture.convert("L")


def _pdf_sides(path: Path, first: int, last: int) -> Iterator[Side]:
    with pikepdf.open(path) as pdf, _Drawer(path) as drawer:
        for number in range(first, last + 1):
            try:
                page = pdf.pages[number - 1]
                yield _own_picture(number, page) or _drawn(number, page, drawer)
            except (*_BROKEN, pypdfium2.PdfiumError):
                yield Side(number, None)


def _drawn(number: int, page: pikepdf.Page, drawer: _Drawer) -> Side:
    """A page drawn; one that shows nothing although a picture stands on it is not blank but broken."""
    picture = drawer.draw(number)
    is_empty = max(picture.histogram()) > ONE_TONE * picture.width * picture.height
    kinds = [str(image.get("/Filter")) for image in page.get_images().values()]
    return Side(number, None if is_empty and any(kind not in _DRAWN_ONLY for kind in kinds) else picture)


class _Drawer:
    """Draws pages of one file; it is opened only when the first page has to be drawn."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._document: pypdfium2.PdfDocument | None = None

    def __enter__(self) -> _Drawer:
        return self

    def __exit__(self, *_: object) -> None:
        if self._document is not None:
            self._document.close()

    def draw(self, number: int) -> Image.Image:
        self._document = self._document or pypdfium2.PdfDocument(self._path)
        page = self._document[number - 1]
        try:
            scale = min(DRAWN_DPI / 72, MAX_DRAWN / max(page.get_size()))
            drawn: Image.Image = page.render(scale=scale, grayscale=True).to_pil()
            return drawn.convert("L")
        finally:
            page.close()


def _own_picture(number: int, page: pikepdf.Page) -> Side | None:
    """The scan's own picture, where the page is one picture and nothing else that shows."""
    found = _only_image(page)
    if found is None:
        return None
    if int(found.Width) * int(found.Height) > MAX_PIXELS:
        raise ValueError("size")
    if _is_plain_jpeg(found):
        data = found.read_raw_bytes()
        return Side(number, _grey(Image.open(io.BytesIO(data), formats=("JPEG",))), data)
    if "/Decode" in found or found.get("/ImageMask") or "/SMask" in found:
        return None  # what shows is not what is stored
    try:
        return Side(number, _grey(pikepdf.PdfImage(found).as_pil_image()))
    except (*_BROKEN, NotImplementedError):
        return None  # an encoding of PDF only, such as JBIG2, or one cut short: drawn


def _is_plain_jpeg(found: Any) -> bool:
    space = found.get("/ColorSpace")
    plain = (
        isinstance(space, pikepdf.Array)
        and str(space[0]) == "/ICCBased"
        and int(space[1].get("/N", 0)) in (1, 3)
    )
    is_jpeg = str(found.get("/Filter")) == "/DCTDecode" and "/Decode" not in found and "/SMask" not in found
    return is_jpeg and (plain or str(space) in _JPEG_SPACES)


def _only_image(page: pikepdf.Page) -> Any:
    """The one picture that the page shows upright or turned, and that covers it; None where there is more to it."""
    objects: Any = page.resources.get("/XObject", {})
    if len(objects) != 1 or next(iter(objects.values())).get("/Subtype") != "/Image" or "/Annots" in page:
        return None
    matrix, drawn = pikepdf.Matrix(), None
    stack: list[pikepdf.Matrix] = []
    hidden = False
    for one in pikepdf.parse_content_stream(page):
        operands, name = one.operands, str(one.operator)
        hidden = int(operands[0]) == 3 if name == "Tr" else hidden
        if name not in _SHOWN and not (name in _TEXT and (hidden or name not in ("Tj", "TJ", "'", '"'))):
            return None
        if name == "q":
            stack.append(matrix)
        elif name == "Q" and stack:
            matrix = stack.pop()
        elif name == "cm":
            matrix = pikepdf.Matrix(*(float(value) for value in operands)) @ matrix
        elif name == "Do":
            if drawn is not None:
                return None
            drawn = matrix
    return next(iter(objects.values())) if drawn is not None and _covers(page, drawn) else None


def _covers(page: pikepdf.Page, matrix: pikepdf.Matrix) -> bool:
    left, bottom, right, top = (float(value) for value in page.mediabox)
    turned = matrix.a * matrix.d - matrix.b * matrix.c  # below zero: mirrored
    return turned > COVERS * (right - left) * (top - bottom)
