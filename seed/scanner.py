"""A simulated scanner: printed sheets filled in by hand, then turned, torn, stained and scanned; with the truth."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pypdfium2
from PIL import Image, ImageDraw, ImageFilter

from paper.codes import code_rows, code_text
from seed.handwriting import BASE, BASE_DPI, Box, Pen

A4 = (210.0, 297.0)
HOWS = ("tick", "tick", "tick", "cross", "fill", "dash", "scribble")


@dataclass(frozen=True)
class Filled:
    """What a customer does to a form: ticks by how they are made, texts by box (empty: strokes only), the signature."""

    ticks: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    signed: bool = True


@dataclass(frozen=True)
class Damage:
    """What the post, the drawer and the scanner do to a sheet. Angles in degrees, lengths in millimetres.

    `lean`: by what share of its size a photographed sheet shrinks towards its right and lower edge; `shade`: by what
    share of the light one side lies darker.
    """

    dpi: int = 200
    angle: float = 0.0
    turns: int = 0
    scale: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    blur: float = 0.0
    noise: float = 3.0
    paper: int = 244
    specks: int = 0
    torn: tuple[int, ...] = ()
    torn_size: float = 34.0
    stains: int = 0
    holes: bool = False
    strokes: int = 0
    backdrop: int = 255
    lean: tuple[float, float] = (0.0, 0.0)
    shade: float = 0.0
    mono: bool = False
    colour: bool = False
    jpeg: int | None = 75


def printed(pdf: bytes | Path, pages: Iterable[int] | None = None) -> Iterator[Image.Image]:
    """Printed pages, counted from 0, as pictures of `BASE_DPI`, one at a time: each is 9 MB."""
    with pypdfium2.PdfDocument(pdf) as document:
        for at in range(len(document)) if pages is None else pages:
            yield document[at].render(scale=BASE_DPI / 72, grayscale=True).to_pil().convert("L")


def plain_form(page: Mapping[str, Any], token: str, *, kind: str = "L") -> Image.Image:
    """A side with nothing but its codes and boxes, drawn from its map: enough for what reads it, and at once."""
    sheet = Image.new("L", (round(A4[0] * BASE), round(A4[1] * BASE)), 255)
    draw = ImageDraw.Draw(sheet)
    for code in page["codes"]:
        rows = code_rows(code_text(kind, token, page=page["number"], place=code["place"]))
        small = Image.fromarray(255 - np.array([list(row) for row in rows], dtype=np.uint8) * 255)
        side = round(code["size"] * BASE)
        sheet.paste(
            small.resize((side, side), Image.Resampling.NEAREST),
            (round(code["x"] * BASE), round(code["y"] * BASE)),
        )
    for box in page["boxes"]:
        left, top = box["x"] * BASE, box["y"] * BASE
        right, bottom = left + box["w"] * BASE, top + box["h"] * BASE
        if box["kind"] == "line":
            draw.line([left, bottom, right, bottom], fill=70, width=2)
        else:
            draw.rectangle([left, top, right, bottom], outline=0 if box["kind"] == "tick" else 120, width=3)
    return sheet


def random_damage(dice: Random, *, dpi: int = 200) -> Damage:
    """A sheet as it comes out of a bag of returned letters: most are fine, some are not."""
    return Damage(
        dpi=dpi,
        angle=dice.gauss(0, 1.2) if dice.random() < 0.8 else dice.uniform(-4, 4),
        turns=2 if dice.random() < 0.3 else 0,
        scale=dice.uniform(0.985, 1.015),
        shift=(dice.uniform(-2, 2), dice.uniform(-2, 2)),
        blur=dice.choice((0.0, 0.0, 0.3, 0.6, 0.9)),
        noise=dice.choice((1.0, 3.0, 6.0, 10.0)),
        paper=dice.randint(222, 252),
        specks=dice.choice((0, 0, 0, 20, 80, 200)),
        torn=(dice.randint(0, 3),) if dice.random() < 0.1 else (),
        torn_size=dice.uniform(15, 48),
        stains=dice.choice((0, 0, 0, 0, 1, 2)),
        holes=dice.random() < 0.1,
        strokes=1 if dice.random() < 0.02 else 0,
        backdrop=dice.choice((255, 255, 235, 20)),
        jpeg=dice.choice((60, 75, 85)),
    )


def random_filling(dice: Random, boxes: Sequence[Box]) -> Filled:
    """Ticks and texts without regard to what they mean: for measuring the reading."""
    ticks = {box["id"]: dice.choice(HOWS) for box in boxes if box["kind"] == "tick" and dice.random() < 0.25}
    lines = [
        box["id"] for box in boxes if box["kind"] != "tick" and box["id"] not in ("signature", "signed_on")
    ]
    texts = {name: "" for name in lines if dice.random() < 0.15}
    return Filled(ticks, texts, signed=dice.random() < 0.95)


def fill_in(page: Image.Image, boxes: Sequence[Box], filled: Filled, dice: Random) -> Image.Image:
    """Write on a copy of a printed page, with one pen."""
    sheet = page.copy()
    pen = Pen(ImageDraw.Draw(sheet), dice, ink=dice.randint(20, 120), width=dice.uniform(0.3, 0.65))
    for box in boxes:
        name = box["id"]
        if name in filled.ticks:
            pen.mark(box, filled.ticks[name])
        elif name in filled.texts:
            pen.write(box, filled.texts[name])
        elif name in ("signature", "signed_on") and filled.signed:
            pen.scrawl(box, letters=3 if name == "signature" else 6)
    return sheet


def scan(page: Image.Image, damage: Damage, dice: Random) -> Image.Image:
    """The sheet as the scanner saw it: grey, colour or black and white, of the damage's dpi."""
    worn = _worn(page, damage, dice)
    seen = _through_the_feeder(worn, damage)
    if any(damage.lean):
        seen = _leaning(seen, damage)
    if damage.blur:
        seen = seen.filter(ImageFilter.BoxBlur(1.2 * damage.blur * damage.dpi / 200))
    values = np.asarray(seen, dtype=np.float32) * (damage.paper / 255)
    if damage.shade:
        values *= np.linspace(1.0, 1.0 - damage.shade, values.shape[1], dtype=np.float32)
    if damage.noise:
        source = np.random.default_rng(dice.getrandbits(32))
        values += source.standard_normal(values.shape, dtype=np.float32) * np.float32(damage.noise)
    grey = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if damage.mono:
        return grey.point(lambda value: 255 if value > 160 else 0).convert("1", dither=Image.Dither.NONE)
    if damage.colour:
        return Image.merge("RGB", (grey, grey, grey.point(lambda value: round(value * 0.96))))
    return grey


def _worn(page: Image.Image, damage: Damage, dice: Random) -> Image.Image:
    sheet = page.copy()
    draw = ImageDraw.Draw(sheet)
    for _stroke in range(damage.strokes):
        _stroke_across(draw, dice)
    for _speck in range(damage.specks):
        x, y, r = dice.random() * A4[0], dice.random() * A4[1], dice.uniform(0.06, 0.3)
        draw.ellipse(
            [(x - r) * BASE, (y - r) * BASE, (x + r) * BASE, (y + r) * BASE], fill=dice.randint(0, 120)
        )
    if damage.stains:
        sheet = _stained(sheet, damage.stains, dice)
        draw = ImageDraw.Draw(sheet)
    if damage.holes:
        for y in (108.5, 188.5):
            draw.ellipse([9 * BASE, (y - 3) * BASE, 15 * BASE, (y + 3) * BASE], fill=damage.backdrop)
    for corner in damage.torn:
        _tear(draw, corner, damage, dice)
    return sheet


def _stroke_across(draw: ImageDraw.ImageDraw, dice: Random) -> None:
    x, y, angle = dice.uniform(20, 190), dice.uniform(30, 260), dice.uniform(0, math.tau)
    length = dice.uniform(40, 120)
    end = (x + length * math.cos(angle), y + length * math.sin(angle))
    draw.line(
        [x * BASE, y * BASE, end[0] * BASE, end[1] * BASE],
        fill=dice.randint(20, 120),
        width=round(dice.uniform(3, 7)),
    )


def _stained(sheet: Image.Image, many: int, dice: Random) -> Image.Image:
    layer = Image.new("L", (sheet.width // 8, sheet.height // 8), 255)
    draw = ImageDraw.Draw(layer)
    for _stain in range(many):
        x, y, r = dice.random() * layer.width, dice.random() * layer.height, dice.uniform(20, 70)
        level = dice.randint(165, 225)
        draw.ellipse([x - r, y - r * 0.8, x + r, y + r * 0.8], fill=level + 20, outline=level, width=3)
    blurred = layer.filter(ImageFilter.GaussianBlur(1.5)).resize(sheet.size, Image.Resampling.BILINEAR)
    return Image.fromarray((np.asarray(sheet, dtype=np.uint16) * np.asarray(blurred) // 255).astype(np.uint8))


def _tear(draw: ImageDraw.ImageDraw, corner: int, damage: Damage, dice: Random) -> None:
    x, y = (corner % 2) * A4[0], (corner // 2) * A4[1]
    inwards = (1 if x == 0 else -1, 1 if y == 0 else -1)
    size = damage.torn_size
    middle = (x + inwards[0] * size * dice.uniform(0.3, 0.6), y + inwards[1] * size * dice.uniform(0.3, 0.6))
    points = [(x, y), (x + inwards[0] * size, y), middle, (x, y + inwards[1] * size)]
    draw.polygon([(px * BASE, py * BASE) for px, py in points], fill=damage.backdrop)


def _through_the_feeder(sheet: Image.Image, damage: Damage) -> Image.Image:
    """Turned, scaled and shifted in one resampling; `turns` are quarter turns of the sheet in the feeder."""
    upright = damage.turns % 2 == 0
    width, height = (round(side * damage.dpi / 25.4) for side in (A4 if upright else A4[::-1]))
    turn = math.radians(damage.angle + 90 * damage.turns)
    ratio = BASE_DPI / damage.dpi / damage.scale
    cos, sin = math.cos(turn) * ratio, math.sin(turn) * ratio
    middle = (sheet.width / 2 + damage.shift[0] * BASE, sheet.height / 2 + damage.shift[1] * BASE)
    back = (
        cos, sin, middle[0] - cos * width / 2 - sin * height / 2,
        -sin, cos, middle[1] + sin * width / 2 - cos * height / 2,
    )  # fmt: skip
    soft = sheet.filter(ImageFilter.GaussianBlur(0.35 * ratio)) if ratio > 1.7 else sheet
    return soft.transform(
        (width, height), Image.Transform.AFFINE, back, Image.Resampling.BILINEAR, fillcolor=damage.backdrop
    )


def _leaning(sheet: Image.Image, damage: Damage) -> Image.Image:
    """The sheet as a camera sees it that is not held straight above it."""
    right, down = damage.lean
    back = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, -right / sheet.width, -down / sheet.height)
    return sheet.transform(
        sheet.size, Image.Transform.PERSPECTIVE, back, Image.Resampling.BILINEAR, fillcolor=damage.backdrop
    )


def encoded(picture: Image.Image, damage: Damage) -> bytes:
    """One scan as a file: JPEG, or PNG where there is no loss."""
    out = io.BytesIO()
    if picture.mode == "1" or damage.jpeg is None:
        picture.save(out, "PNG", dpi=(damage.dpi, damage.dpi))
    else:
        picture.save(out, "JPEG", quality=damage.jpeg, dpi=(damage.dpi, damage.dpi))
    return out.getvalue()


def write_batch(path: Path, pictures: Iterable[Image.Image], *, dpi: int = 200) -> Path:
    """Many scans as one file, by its ending: PDF (JPEG or fax inside, written one at a time), TIFF, JPEG or PNG."""
    if path.suffix == ".pdf":
        for number, picture in enumerate(pictures):
            loss = {} if picture.mode == "1" else {"quality": 75}
            picture.save(path, "PDF", append=number > 0, resolution=dpi, **loss)
        return path
    first, *rest = [picture.copy() for picture in pictures]
    if path.suffix in (".tif", ".tiff"):
        how = "group4" if first.mode == "1" else "tiff_lzw"
        first.save(path, "TIFF", save_all=True, append_images=rest, compression=how, dpi=(dpi, dpi))
    else:
        first.save(path, dpi=(dpi, dpi), **({"quality": 75} if path.suffix in (".jpg", ".jpeg") else {}))
    return path
