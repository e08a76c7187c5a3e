"""The square codes on a scanned side: looked for where they are printed first, everywhere and harder only then."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import zxingcpp
from numpy.typing import NDArray

from paper.codes import Code, parse_code

Grey = NDArray[np.uint8]
Points = NDArray[np.float64]

SHORT_EDGE = 210.0  # mm: a side is A4 until its codes say otherwise
CORNER, WIDE_CORNER = 38.0, 64.0  # mm from the corners of the picture
WINDOW = (70.0, 27.0, 120.0, 77.0)  # mm: where the window's code may lie, turned as it may be
ENOUGH = 3
_QR = zxingcpp.barcode_formats_from_str("QRCode")
_BINARIZERS = (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram)


@dataclass(frozen=True)
class Found:
    """One code: its text, what it says where it is ours, and its corners in pixels, clockwise from its top left."""

    text: str
    code: Code | None
    corners: tuple[tuple[float, float], ...]


def find_codes(grey: Grey) -> tuple[Found, ...]:
    """All codes of a side, each text once. The four corners first; then the window; then the whole picture."""
    found = _unique(_in_zones(grey, _corners(grey, CORNER)))
    if any(one.code for one in found):
        return found if len(found) >= ENOUGH else _harder(grey, found)
    found = _unique([*found, *_in_zones(grey, _windows(grey))])
    return found if any(one.code for one in found) else _unique([*found, *_read(grey)])


def find_anything(grey: Grey) -> tuple[Found, ...]:
    """A last try on a side that shows no code: with other thresholds, at half scale, and lifted out of the grey."""
    for picture in (grey, _stretched(grey), _halved(grey)):
        scale = grey.shape[0] / picture.shape[0]
        for binarizer in _BINARIZERS:
            found = _unique(_read(picture, scale=scale, binarizer=binarizer, hard=True))
            if any(one.code for one in found):
                return found
    return found


def _harder(grey: Grey, found: Sequence[Found]) -> tuple[Found, ...]:
    """Corners that gave nothing are looked at once more: wider, and with another threshold."""
    more = list(found)
    for left, top, right, bottom in _corners(grey, WIDE_CORNER):
        if any(left <= one.corners[0][0] < right and top <= one.corners[0][1] < bottom for one in found):
            continue
        zone = np.ascontiguousarray(grey[top:bottom, left:right])
        for binarizer in _BINARIZERS:
            seen = _read(zone, left, top, binarizer=binarizer, hard=True)
            more += seen
            if seen:
                break
    return _unique(more)


def _in_zones(grey: Grey, zones: Sequence[tuple[int, int, int, int]]) -> Iterator[Found]:
    for left, top, right, bottom in zones:
        yield from _read(np.ascontiguousarray(grey[top:bottom, left:right]), left, top)


def _read(
    grey: Grey,
    left: int = 0,
    top: int = 0,
    *,
    scale: float = 1.0,
    binarizer: zxingcpp.Binarizer = _BINARIZERS[0],
    hard: bool = False,
) -> list[Found]:
    seen = zxingcpp.read_barcodes(
        grey, formats=_QR, binarizer=binarizer, try_rotate=hard, try_downscale=hard, try_invert=False
    )
    return [_found(one, left, top, scale) for one in seen]


def _found(seen: zxingcpp.Barcode, left: int, top: int, scale: float) -> Found:
    where = seen.position
    points = (where.top_left, where.top_right, where.bottom_right, where.bottom_left)
    corners = tuple(((point.x + left) * scale, (point.y + top) * scale) for point in points)
    code = parse_code(seen.text)
    return Found(seen.text, code if code is not None and code.kind is not None else None, corners)


def _unique(found: Sequence[Found] | Iterator[Found]) -> tuple[Found, ...]:
    return tuple({one.text: one for one in found}.values())


def _corners(grey: Grey, size_mm: float) -> list[tuple[int, int, int, int]]:
    height, width = grey.shape
    size = round(min(width, height) / SHORT_EDGE * size_mm)
    lefts, tops = (0, width - size), (0, height - size)
    return [(left, top, left + size, top + size) for top in tops for left in lefts]


def _windows(grey: Grey) -> list[tuple[int, int, int, int]]:
    """Where the window's code lies, for each of the four ways in which the sheet may have gone through."""
    height, width = grey.shape
    one = min(width, height) / SHORT_EDGE
    left, top, right, bottom = (round(value * one) for value in WINDOW)
    if width <= height:
        return [(left, top, right, bottom), (width - right, height - bottom, width - left, height - top)]
    return [(width - bottom, left, width - top, right), (top, height - right, bottom, height - left)]


def _stretched(grey: Grey) -> Grey:
    low, high = np.percentile(grey[::8, ::8], (1, 90))
    spread = (grey.astype(np.float32) - low) * (255 / max(high - low, 20))
    stretched: Grey = np.clip(spread, 0, 255).astype(np.uint8)
    return stretched


def _halved(grey: Grey) -> Grey:
    height, width = (size // 2 * 2 for size in grey.shape)
    blocks = grey[:height, :width].reshape(height // 2, 2, width // 2, 2)
    halved: Grey = blocks.mean(axis=(1, 3)).astype(np.uint8)
    return halved
