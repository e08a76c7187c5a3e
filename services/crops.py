"""Pictures of parts of a sheet, cut out of the scan whenever they are looked at and turned to lie straight."""

from __future__ import annotations

import io

from PIL import Image

from models import Sheet
from services import Refused, files
from services.key_fields import SHEET, Area

DPI = 150
PAPER = 255


def crop(sheet: Sheet, area: Area = SHEET, *, dpi: int = DPI) -> bytes:
    """An area of the form's side (x, y, width, height in mm) as it was scanned, as a grey PNG of `dpi`.

    Where the sheet was not registered, its whole picture is shown, whatever was asked for.
    """
    path = files.location(sheet.image_sha256)
    if not sheet.image_sha256 or not path.exists():
        raise Refused("这一面的扫描图像已不在系统里，请查原件。")
    with Image.open(path) as picture:
        found = (
            _straight(picture.convert("L"), sheet.placed, area, dpi) if sheet.placed else picture.convert("L")
        )
    kept = io.BytesIO()
    found.save(kept, "PNG")
    return kept.getvalue()


def _straight(picture: Image.Image, placed: list[float], area: Area, dpi: int) -> Image.Image:
    """Every pixel of the part is looked up where the registration says that it lies on the scan."""
    x, y, width, height = area
    step = 25.4 / dpi  # mm of one pixel
    a, b, c, d, e, f = placed
    back = (a * step, b * step, a * x + b * y + c, d * step, e * step, d * x + e * y + f)
    size = (max(1, round(width / step)), max(1, round(height / step)))
    return picture.transform(size, Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=PAPER)
