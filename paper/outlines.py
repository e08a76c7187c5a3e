"""Sides that show too few codes to lie sure: registered anew on the printed outlines of their boxes too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from paper.marks import PITCH, Grey, black_level, patches_of, sample, snapped, threshold
from paper.registration import DROPPED_ABOVE, MOST_DROPPED, Matrix, Placed, Points, corner_points
from paper.scan_codes import Found

REACH = 2.6  # mm each way in which an outline is looked for
PIECE = 12.0  # mm of a rule at each of its ends
RULE_SEEN = 0.7  # of a piece has to be there
FEWEST = 4  # outlines: fewer say nothing about the rest of the side
LOST = 9.0  # mm: the residual of a side whose outlines were not found
EVEN = 20.0  # mm: how much a sheet is held to keep its shape; a feeder stretches it by half a percent
RIGHT, DOWN = np.array([1.0, 0.0]), np.array([0.0, 1.0])


class Seen(NamedTuple):
    """Where something printed at `paper` was seen, by one measure: `along` is the direction in which it counts."""

    paper: Points
    along: Points
    at: float


def refined(grey: Grey, found: Sequence[Found], placed: Placed, page: Mapping[str, Any]) -> Placed:
    """The placing, mended by what was seen of the tick boxes, and of the rules below lines and combs."""
    black = black_level(grey, placed, page)
    ticks = [box for box in page["boxes"] if box["kind"] == "tick"]
    rules = [box for box in page["boxes"] if box["kind"] != "tick"]
    outlines = [*_ticks(grey, placed, ticks, black=black), *_rules(grey, placed, rules, black=black)]
    possible = len(ticks) + sum(len(_pieces(box)) for box in rules)
    number = sum(1 for one in outlines if one.along is DOWN)
    if number < max(FEWEST, possible // 2):
        return replace(placed, residual=max(placed.residual, LOST)) if possible >= FEWEST else placed
    matrix, residual = _mended([*_corners(found, placed, page), *outlines])
    return Placed(_after(matrix, placed.matrix), residual, placed.codes)


def _ticks(grey: Grey, placed: Placed, ticks: Sequence[Mapping[str, Any]], *, black: float) -> list[Seen]:
    patches = patches_of(grey, placed, ticks, black=black, margin=REACH + 0.4)
    offsets, seen = snapped(patches, ticks, searched=REACH)
    middles = [np.array([box["x"] + box["w"] / 2, box["y"] + box["h"] / 2]) for box in ticks]
    return [
        one
        for middle, offset, is_seen in zip(middles, offsets * PITCH, seen, strict=True)
        if is_seen
        for one in (
            Seen(middle, RIGHT, middle[0] + offset[0]),
            Seen(middle, DOWN, middle[1] + offset[1]),
        )
    ]


def _rules(grey: Grey, placed: Placed, boxes: Sequence[Mapping[str, Any]], *, black: float) -> list[Seen]:
    """How far down the rule at the foot of each box was seen, at either end; what is written on it hides no rule."""
    found = []
    for box in boxes:
        foot = box["y"] + box["h"] - 0.1
        for left in _pieces(box):
            shown = sample(grey, placed, (left, foot - REACH, PIECE, 2 * REACH), pitch=PITCH)
            dark = shown < threshold(np.percentile(shown, 75), black)
            shares = np.convolve(dark.mean(axis=1), np.ones(2), "same")
            row = int(shares.argmax())
            if shares[row] > RULE_SEEN:
                down = foot - REACH + row * PITCH
                found.append(Seen(np.array([left + PIECE / 2, foot]), DOWN, down))
    return found


def _pieces(box: Mapping[str, Any]) -> tuple[float, ...]:
    """Where the pieces of its rule begin that are looked at."""
    return (box["x"] + 1.0, box["x"] + box["w"] - PIECE - 1.0) if box["w"] > 2 * PIECE + 4.0 else ()


def _corners(found: Sequence[Found], placed: Placed, page: Mapping[str, Any]) -> list[Seen]:
    paper, scan = corner_points(found, page)
    a, b, c, d, e, f = placed.matrix
    seen = (scan - np.array([c, f])) @ np.linalg.inv(np.array([[a, d], [b, e]]))
    return [
        Seen(point, along, float(at @ along))
        for point, at in zip(paper, seen, strict=True)
        for along in (RIGHT, DOWN)
    ]


def _mended(seen: Sequence[Seen]) -> tuple[Matrix, float]:
    """The map from where things are printed to where they were seen, in mm; what lies far off is left out."""
    rows = np.array([(*(one.along[0] * _row(one)), *(one.along[1] * _row(one))) for one in seen])
    wanted = np.array([one.at for one in seen])
    even = EVEN * np.array([(1.0, 0, 0, 0, -1.0, 0), (0, 1.0, 0, 1.0, 0, 0)])
    keep = np.ones(len(seen), dtype=bool)
    while True:
        system, values = np.vstack([rows[keep], even]), np.concatenate([wanted[keep], [0.0, 0.0]])
        answer = np.linalg.lstsq(system, values, rcond=None)[0]
        off = np.abs(rows @ answer - wanted)
        worst = int(np.argmax(np.where(keep, off, -1)))
        if off[worst] <= DROPPED_ABOVE or (~keep).sum() >= int(MOST_DROPPED * len(seen)):
            a, b, c, d, e, f = (float(value) for value in answer)
            return (a, b, c, d, e, f), float(off[keep].max())
        keep[worst] = False


def _row(one: Seen) -> NDArray[np.float64]:
    return np.array([one.paper[0], one.paper[1], 1.0])


def _after(first: Matrix, then: Matrix) -> Matrix:
    """One map after another as one."""
    whole = _square(then) @ _square(first)
    a, b, c, d, e, f = (float(value) for value in whole[:2].ravel())
    return a, b, c, d, e, f


def _square(matrix: Matrix) -> NDArray[np.float64]:
    return np.array([matrix[:3], matrix[3:], (0.0, 0.0, 1.0)])
