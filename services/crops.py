"""Pictures of parts of a sheet, cut out of the scan whenever they are looked at and turned to lie straight."""

from __future__ import annotations

import io
import re

from PIL import Image, ImageDraw

from models import Sheet
from services import Refused, files
from services.key_fields import SHEET, Area

EVIDENCE = re.compile(r"sheet:(?P<sheet>\d{1,18})/(?P<field>[a-z_.0-9]+)")  # in the evidence of a version
DPI = 150
PAPER, FRAME = 255, (214, 120, 0)


def crop(sheet: Sheet, area: Area = SHEET, *, frame: Area | None = None, dpi: int = DPI) -> bytes:
    """An area of the form's side (x, y, width, height in mm) as it was scanned, as a PNG of `dpi`.

    `frame` is an area that is framed in the picture. Where the sheet was not registered, its whole picture is shown,
    whatever was asked for.
    """
    path = files.location(sheet.image_sha256)
    if not sheet.image_sha256 or not path.exists():
        raise Refused("这一面的扫描图像已不在系统里，请查原件。")
    with Image.open(path) as picture:
        found = (
            _straight(picture.convert("L"), sheet.placed, area, dpi) if sheet.placed else picture.convert("L")
        )
    if frame is not None and sheet.placed:
        found = _framed(found, area, frame, dpi)
    kept = io.BytesIO()
    found.save(kept, "PNG")
    return kept.getvalue()


def evidence_of(sheet: Sheet, field: str) -> str:
    """How a version names the picture that it was keyed from."""
    return f"sheet:{sheet.id}/{field}"


def _straight(picture: Image.Image, placed: list[float], area: Area, dpi: int) -> Image.Image:
    """Every pixel of the part is looked up where the registration says that it lies on the scan."""
    x, y, width, height = area
    step = 25.4 / dpi  # mm of one pixel
    a, b, c, d, e, f = placed
    back = (a * step, b * step, a * x + b * y + c, d * step, e * step, d * x + e * y + f)
    size = (max(1, round(width / step)), max(1, round(height / step)))
    return picture.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=PAPER)


def _framed(picture: Image.Image, area: Area, frame: Area, dpi: int) -> Image.Image:
    left, top = (frame[0] - area[0]) * dpi / 25.4, (frame[1] - area[1]) * dpi / 25.4
    width, height = frame[2] * dpi / 25.4, frame[3] * dpi / 25.4
    shown = picture.convert("RGB")
    ImageDraw.Draw(shown).rectangle((left, top, left + width, top + height), outline=FRAME, width=2)
    return shown
