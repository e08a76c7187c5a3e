"""One scanned side read: what codes it shows, which way up it stands, where its boxes lie and what is in them."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paper.marks import Mark, measure
from paper.outlines import refined
from paper.registration import AFFINE_CODES, fit, place, turned
from paper.scan_codes import Found, find_anything, find_codes
from paper.scans import Side

QUALITY = 70
JPEG, PNG = "image/jpeg", "image/png"
CELL_MM, EDGE = 5.0, 0.08
INKED_CELL, INKED_CELLS = 0.03, 8
_TURNS = {1: Image.Transpose.ROTATE_90, 2: Image.Transpose.ROTATE_180, 3: Image.Transpose.ROTATE_270}


@dataclass(frozen=True)
class Seen:
    """A side looked at: its grey values, its codes, the digest of its picture, whether there is anything on it."""

    number: int
    jpeg: bytes | None
    is_mono: bool
    grey: NDArray[np.uint8]
    digest: str
    found: tuple[Found, ...]
    is_blank: bool

    @property
    def ours(self) -> set[tuple[str, str, int]]:
        """The sheets whose codes it shows: kind, token, page. More than one: two sheets lay on the glass."""
        codes = [one.code for one in self.found if one.code]
        return {(code.kind or "", code.token, code.page or 0) for code in codes}


@dataclass(frozen=True)
class Reading:
    """A side read: its marks where it is a form, and its upright picture with the map from millimetres to pixels."""

    placed: tuple[float, ...] = ()
    codes: int = 0
    residual: float | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    picture: bytes = b""
    media: str = ""


def look_at(side: Side) -> Seen | None:
    """Find the codes of a side; None where its picture cannot be read."""
    if side.picture is None:
        return None
    is_mono = side.picture.mode == "1"
    picture = side.picture.convert("L") if is_mono else side.picture
    grey = np.asarray(picture)
    digest = hashlib.sha256(b"%d %d " % picture.size)
    digest.update(grey.data)
    found = find_codes(grey)
    is_blank = not found and is_empty(grey)
    if not is_blank and not any(one.code for one in found):
        found = found or find_anything(grey)
    return Seen(side.number, side.jpeg, is_mono, grey, digest.hexdigest(), found, is_blank)


def read(seen: Seen, page: Mapping[str, Any] | None) -> Reading:
    """Register and measure a side of a form, and turn its picture upright; without a form it is only turned."""
    placed = place(seen.found, page) if page else None
    if page is None or placed is None:
        return _kept(seen, _turned_by(seen.found), Reading())
    if placed.codes < AFFINE_CODES and page["boxes"]:
        placed = refined(seen.grey, seen.found, placed, page)
    marks = measure(seen.grey, placed, page)
    turns = placed.quarter_turns
    matrix = turned(placed.matrix, turns, (seen.grey.shape[1], seen.grey.shape[0]))
    rounded = tuple(round(value, 6) for value in matrix)
    return _kept(seen, turns, Reading(rounded, placed.codes, round(placed.residual, 3), marks))


def is_empty(grey: NDArray[np.uint8]) -> bool:
    """Whether nothing is printed or written on a side: specks, punched holes and shadows at its edges are nothing."""
    height, width = grey.shape
    inner = grey[int(height * EDGE) : int(height * (1 - EDGE)), int(width * EDGE) : int(width * (1 - EDGE))]
    cell = max(8, round(min(width, height) / 210 * CELL_MM / 2))
    half = inner[::2, ::2]
    rows, columns = half.shape[0] // cell, half.shape[1] // cell
    dark = half[: rows * cell, : columns * cell] < float(np.median(half)) - 50
    shares = dark.reshape(rows, cell, columns, cell).mean(axis=(1, 3))
    return int((shares > INKED_CELL).sum()) < INKED_CELLS


def _turned_by(found: tuple[Found, ...]) -> int:
    """Quarter turns that bring the first code upright, and the side with it."""
    if not found:
        return 0
    square = np.array([(0, 0), (1, 0), (1, 1), (0, 1)], dtype=np.float64)
    best = next((one for one in found if one.code), found[0])
    return fit(square, np.array(best.corners), codes=1).quarter_turns


def _kept(seen: Seen, turns: int, reading: Reading) -> Reading:
    if not turns and seen.jpeg:
        return replace(reading, picture=seen.jpeg, media=JPEG)
    picture = Image.fromarray(seen.grey)
    picture = picture.transpose(_TURNS[turns]) if turns else picture
    out = io.BytesIO()
    if seen.is_mono:
        picture.convert("1", dither=Image.Dither.NONE).save(out, "PNG")
    else:
        picture.save(out, "JPEG", quality=QUALITY)
    return replace(reading, picture=out.getvalue(), media=PNG if seen.is_mono else JPEG)
