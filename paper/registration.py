"""Where a form lies on its scan: millimetres of the form to pixels, by least squares over the corners of its codes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paper.scan_codes import Found

DROPPED_ABOVE = 0.35  # mm: a corner that lies further off is left out
MOST_DROPPED = 0.2  # of the corners: never all four of one code, for three others always fit
AFFINE_CODES = 3  # fewer give a similarity only: anything freer runs away beyond them

Points = NDArray[np.float64]
Matrix = tuple[float, float, float, float, float, float]


@dataclass(frozen=True)
class Placed:
    """`matrix`: x = a·mx + b·my + c, y = d·mx + e·my + f. `residual`: the worst corner that counts, in mm."""

    matrix: Matrix
    residual: float
    codes: int

    def pixels(self, points: Points) -> Points:
        """Points in millimetres, one a row, as pixels."""
        a, b, c, d, e, f = self.matrix
        pixels: Points = points @ np.array([[a, d], [b, e]]) + np.array([c, f])
        return pixels

    @property
    def scale(self) -> float:
        """Pixels a millimetre."""
        a, b, _c, d, e, _f = self.matrix
        return math.sqrt(abs(a * e - b * d))

    @property
    def quarter_turns(self) -> int:
        """By how many quarter turns, counter-clockwise, the scan has to be turned to stand upright."""
        return round(math.degrees(math.atan2(self.matrix[3], self.matrix[0])) / 90) % 4


def place(found: Sequence[Found], page: Mapping[str, Any]) -> Placed | None:
    """Register a side on its codes, each at the place its text says; None where the form has none of these."""
    paper, scan = corner_points(found, page)
    return fit(paper, scan, codes=len(paper) // 4) if len(paper) else None


def corner_points(found: Sequence[Found], page: Mapping[str, Any]) -> tuple[Points, Points]:
    """The corners of the codes that were found, in millimetres of the form and in pixels of the scan."""
    known = {code["place"]: code for code in page["codes"]}
    seen = [(known[one.code.place], one.corners) for one in found if one.code and one.code.place in known]
    if not seen:
        return np.zeros((0, 2)), np.zeros((0, 2))
    scan = np.array([corner for _code, corners in seen for corner in corners], dtype=np.float64)
    return np.vstack([_corners(code) for code, _corners_seen in seen]), scan


def fit(paper: Points, scan: Points, *, codes: int) -> Placed:
    """The best affine map (with fewer than three codes: turn, scale and shift); corners far off are left out."""
    solve = _affine if codes >= AFFINE_CODES else _similarity
    keep = np.ones(len(paper), dtype=bool)
    while True:
        placed = Placed(solve(paper[keep], scan[keep]), 0.0, codes)
        off = np.hypot(*(placed.pixels(paper) - scan).T) / placed.scale
        worst = int(np.argmax(np.where(keep, off, -1)))
        if off[worst] <= DROPPED_ABOVE or (~keep).sum() >= int(MOST_DROPPED * len(paper)):
            return Placed(placed.matrix, float(off[keep].max()), codes)
        keep[worst] = False


def turned(matrix: Matrix, turns: int, size: tuple[int, int]) -> Matrix:
    """The same map after the picture of this width and height was turned counter-clockwise by quarter turns."""
    width, height = size
    a, b, c, d, e, f = matrix
    if turns == 1:
        return d, e, f, -a, -b, width - 1 - c
    if turns == 2:
        return -a, -b, width - 1 - c, -d, -e, height - 1 - f
    if turns == 3:
        return -d, -e, height - 1 - f, a, b, c
    return matrix


def _corners(code: Mapping[str, Any]) -> Points:
    left, top, size = code["x"], code["y"], code["size"]
    right, bottom = left + size, top + size
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], dtype=np.float64)


def _affine(paper: Points, scan: Points) -> Matrix:
    known = np.column_stack([paper, np.ones(len(paper))])
    (a, d), (b, e), (c, f) = np.linalg.lstsq(known, scan, rcond=None)[0]
    return float(a), float(b), float(c), float(d), float(e), float(f)


def _similarity(paper: Points, scan: Points) -> Matrix:
    x, y = paper[:, 0], paper[:, 1]
    one, none = np.ones(len(paper)), np.zeros(len(paper))
    rows = np.vstack([np.column_stack([x, -y, one, none]), np.column_stack([y, x, none, one])])
    a, d, c, f = np.linalg.lstsq(rows, np.concatenate([scan[:, 0], scan[:, 1]]), rcond=None)[0]
    return float(a), float(-d), float(c), float(d), float(a), float(f)
