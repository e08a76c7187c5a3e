"""The boxes of a registered form measured: ticks by their share of ink, lines and combs by whether any is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paper.registration import Placed

Grey = NDArray[np.uint8]
Dark = NDArray[np.bool_]
Offsets = NDArray[np.float64]
Area = tuple[float, float, float, float]

EMPTY_BELOW, MARKED_ABOVE = 0.03, 0.08  # share of ink inside a tick box; between: a person looks
WRITTEN_ABOVE, SURELY_ABOVE = 0.02, 0.035  # the same for a cell, or for a piece of line as wide as one
DARKER = 0.33  # of the way from the paper to the print's black
PITCH = 0.125  # mm between samples: as fine as a scan of 200 dpi
COARSE = 0.2  # mm between samples of writing
SEARCHED = 1.2  # mm each way for the printed outline
BORDER = 0.3  # mm of outline that is looked for
INNER = 0.6  # mm left out along the outline
OUTLINE_SEEN = 0.45  # of the outline has to be there
AROUND = 2.6  # mm round a box that are looked at for strokes that only pass through
CELL, BESIDE = 6.0, 0.8  # mm: a cell of a comb, and what is left out along its sides
THIN, FILLED = 0.15, 0.5  # share of ink: less than any tick with two strokes; more than any without filling
LEAVING = 2.0  # mm: a tick that was made for this box does not go on so far on two sides


@dataclass(frozen=True)
class Mark:
    """What one box shows: its share of ink, whether that is a mark (or writing), and whether a machine may say so."""

    ink: float
    value: bool
    sure: bool


@dataclass(frozen=True)
class Patch:
    """Samples round boxes of one size, `PITCH` apart: dark or not; `margin` samples stand round each box."""

    dark: Dark
    margin: int


def measure(grey: Grey, placed: Placed, page: Mapping[str, Any]) -> dict[str, Mark]:
    """Every box of a side."""
    ticks = [box for box in page["boxes"] if box["kind"] == "tick"]
    black = black_level(grey, placed, page)
    patches = patches_of(grey, placed, ticks, black=black)
    offsets, seen = snapped(patches, ticks)
    marks = {box["id"]: _tick(patches, at, box, offsets[at], bool(seen[at])) for at, box in enumerate(ticks)}
    middle = np.median(offsets[seen], axis=0) * PITCH if seen.any() else np.zeros(2)
    for box in page["boxes"]:
        if box["kind"] != "tick":
            marks[box["id"]] = _written(
                grey, placed, {**box, "x": box["x"] + middle[0], "y": box["y"] + middle[1]}, black
            )
    return {box["id"]: marks[box["id"]] for box in page["boxes"]}


def black_level(grey: Grey, placed: Placed, page: Mapping[str, Any]) -> float:
    """How dark the print is, from the codes: their dark modules are the blackest there is."""
    levels = []
    for code in page["codes"]:
        area = (code["x"], code["y"], code["size"], code["size"])
        shown = sample(grey, placed, area, pitch=0.4)
        levels.append(float(np.percentile(shown, 15)))
    return float(np.median(levels)) if levels else 0.0


def patches_of(
    grey: Grey, placed: Placed, boxes: Sequence[Mapping[str, Any]], *, black: float, margin: float = AROUND
) -> Patch:
    """The boxes of one size with their surroundings; paper is what most of each patch shows."""
    if not boxes:
        return Patch(np.zeros((0, 1, 1), dtype=bool), 0)
    size = (boxes[0]["w"] + 2 * margin, boxes[0]["h"] + 2 * margin)
    at = np.array([(box["x"] - margin, box["y"] - margin) for box in boxes], dtype=np.float64)
    shown = _samples(grey, placed, at, size, pitch=PITCH)
    white = np.percentile(shown[:, ::3, ::3].reshape(len(boxes), -1), 75, axis=1)
    return Patch(shown < threshold(white, black)[:, None, None], round(margin / PITCH))


def threshold(white: Any, black: float) -> Any:
    """Below which grey a sample is ink, on paper this white with print this black."""
    limit: Any = white - np.maximum((white - black) * DARKER, 24.0)
    return limit


def sample(grey: Grey, placed: Placed, box: Area, *, pitch: float) -> Grey:
    """A piece of the form (x, y, width, height) as rows of samples; beyond the scan its edge goes on."""
    piece: Grey = _samples(grey, placed, np.array([box[:2]]), box[2:], pitch=pitch)[0]
    return piece


def _samples(grey: Grey, placed: Placed, at: Offsets, size: tuple[float, ...], *, pitch: float) -> Grey:
    """Pieces of one size at several places (x, y a row)."""
    a, b, c, d, e, f = placed.matrix
    right = ((np.arange(round(size[0] / pitch)) + 0.5) * pitch).astype(np.float32)
    down = ((np.arange(round(size[1] / pitch)) + 0.5) * pitch).astype(np.float32)[:, None]
    starts = placed.pixels(at).astype(np.float32)[:, :, None, None]
    height, width = grey.shape
    x = (starts[:, 0] + (np.float32(a) * right + np.float32(b) * down)).astype(np.int32)
    y = (starts[:, 1] + (np.float32(d) * right + np.float32(e) * down)).astype(np.int32)
    if x.min() < 0 or y.min() < 0 or x.max() >= width or y.max() >= height:
        x, y = x.clip(0, width - 1), y.clip(0, height - 1)
    shown: Grey = grey.take(y * width + x)
    return shown


def snapped(
    patches: Patch, boxes: Sequence[Mapping[str, Any]], *, searched: float = SEARCHED
) -> tuple[Offsets, NDArray[np.bool_]]:
    """Where the printed outline of each box really is, in samples off its place (x, y); and whether it was seen."""
    if not boxes:
        return np.zeros((0, 2)), np.zeros(0, dtype=bool)
    total = np.zeros((len(boxes), *(length + 1 for length in patches.dark.shape[1:])), dtype=np.int32)
    total[:, 1:, 1:] = patches.dark.cumsum(axis=1, dtype=np.int32).cumsum(axis=2, dtype=np.int32)
    reach, thick = round(searched / PITCH), round(BORDER / PITCH)
    wide, high = round(boxes[0]["w"] / PITCH), round(boxes[0]["h"] / PITCH)
    start = patches.margin - reach
    strips = (
        (0, 0, wide, thick),
        (0, high - thick, wide, thick),
        (0, 0, thick, high),
        (wide - thick, 0, thick, high),
    )
    shares = np.stack([_sums(total, start, reach, strip) / (strip[2] * strip[3]) for strip in strips])
    score = shares.mean(axis=0) + shares.min(axis=0)
    away = np.hypot(*np.mgrid[-reach : reach + 1, -reach : reach + 1]) / reach
    best = (score - 0.05 * away).reshape(len(boxes), -1).argmax(axis=1)
    rows, columns = np.divmod(best, 2 * reach + 1)
    seen = shares.mean(axis=0).reshape(len(boxes), -1)[np.arange(len(boxes)), best] > OUTLINE_SEEN
    offsets = np.column_stack([columns - reach, rows - reach]).astype(np.float64)
    if seen.any():
        offsets[~seen] = np.median(offsets[seen], axis=0)
    return offsets, seen


def _sums(
    total: NDArray[np.int32], start: int, reach: int, strip: tuple[int, int, int, int]
) -> NDArray[np.int32]:
    """The ink in one strip of the outline, for every place the box may have."""
    x, y, wide, high = strip
    many = 2 * reach + 1
    rows, columns = start + y, start + x

    def corner(down: int, right: int) -> NDArray[np.int32]:
        return total[:, rows + down : rows + down + many, columns + right : columns + right + many]

    sums: NDArray[np.int32] = corner(high, wide) - corner(0, wide) - corner(high, 0) + corner(0, 0)
    return sums


def _tick(patches: Patch, at: int, box: Mapping[str, Any], offset: Offsets, seen: bool) -> Mark:
    dark = patches.dark[at]
    left, top = (patches.margin + int(value) for value in offset)
    wide, high, inner = round(box["w"] / PITCH), round(box["h"] / PITCH), round(INNER / PITCH)
    inside = dark[top + inner : top + high - inner, left + inner : left + wide - inner]
    ink = float(inside.mean()) if inside.size else 0.0
    is_sure = seen and not EMPTY_BELOW <= ink <= MARKED_ABOVE
    if is_sure and ink > MARKED_ABOVE:
        is_sure = not _is_crossed(dark, left, top, wide, high, ink)
    return Mark(round(ink, 4), ink > MARKED_ABOVE, is_sure)


def _is_crossed(dark: Dark, left: int, top: int, wide: int, high: int, ink: float) -> bool:
    """Whether the ink may come from elsewhere: a stroke that leaves the box on two sides, or a thin one on one."""
    turned = (dark, dark[::-1], dark.T, dark.T[::-1])
    starts = (
        (top, left, wide),
        (len(dark) - top - high, left, wide),
        (left, top, high),
        (dark.shape[1] - left - wide, top, high),
    )
    leaving = sum(_leaves(one, *start) for one, start in zip(turned, starts, strict=True))
    return leaving >= (1 if ink < THIN else 2 if ink < FILLED else 3)


def _leaves(dark: Dark, edge: int, start: int, long: int) -> bool:
    """Whether ink goes on and on from a box's upper edge, aslant or straight, away from it."""
    steps = [
        bool(dark[edge - out, max(start - out, 0) : start + long + out].any())
        for out in range(2, min(edge, round(LEAVING / PITCH)) + 1)
    ]
    return bool(steps) and sum(steps) >= 0.9 * len(steps)


def _written(grey: Grey, placed: Placed, box: Mapping[str, Any], black: float) -> Mark:
    """Whether anything stands in a line or comb: the most ink in any of its cells, printed lines left out."""
    area = (box["x"], box["y"] + 0.7, box["w"], box["h"] - 1.6)
    shown = sample(grey, placed, area, pitch=COARSE)
    dark = shown < threshold(np.percentile(shown[::2, ::2], 75), black)
    cells = max(1, round(box["w"] / CELL))
    edges = np.linspace(0, dark.shape[1], cells + 1).round().astype(int)
    inner = round(BESIDE / COARSE)
    shares = [dark[:, low + inner : high - inner].mean() for low, high in zip(edges, edges[1:], strict=False)]
    ink = float(max(shares))
    return Mark(round(ink, 4), ink > WRITTEN_ABOVE, not WRITTEN_ABOVE < ink < SURELY_ABOVE)
