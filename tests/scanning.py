"""Scans for tests: a form drawn from its map, filled in, damaged, and written as files."""

from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from PIL import Image

from seed.scanner import Damage, Filled, fill_in, plain_form, scan, write_batch

TOKEN = "0123456789"
CORNERS = [
    {"x": x, "y": y, "size": 12.0, "place": place}
    for place, x, y in (("1", 10, 10), ("2", 188, 10), ("3", 10, 275), ("4", 188, 275))
]


def tick(name, x, y):
    return {"id": name, "kind": "tick", "x": float(x), "y": float(y), "w": 4.0, "h": 4.0}


FORM = {
    "number": 2,
    "codes": CORNERS,
    "boxes": [
        tick("all.same", 15, 40),
        tick("person.same", 78, 55),
        {"id": "person", "kind": "line", "x": 100.0, "y": 53.0, "w": 60.0, "h": 8.0},
        tick("mobile.same", 78, 67),
        {"id": "mobile.1", "kind": "comb", "x": 100.0, "y": 65.0, "w": 18.0, "h": 8.0},
        {"id": "mobile.2", "kind": "comb", "x": 120.0, "y": 65.0, "w": 24.0, "h": 8.0},
        {"id": "mobile.3", "kind": "comb", "x": 146.0, "y": 65.0, "w": 24.0, "h": 8.0},
        tick("outage.same", 78, 91),
        tick("outage.sms", 41, 168),
        tick("outage.call", 99, 168),
        tick("relation.self", 51, 190),
        tick("relation.tenant", 99, 190),
        tick("other.not_theirs", 134, 201),
        tick("consent", 15, 215),
        {"id": "signature", "kind": "line", "x": 33.0, "y": 228.0, "w": 60.0, "h": 8.0},
        {"id": "signed_on", "kind": "line", "x": 138.0, "y": 228.0, "w": 58.0, "h": 8.0},
    ],
}
FRONT = {"number": 1, "codes": [{"x": 89.0, "y": 46.0, "size": 12.0, "place": "W"}], "boxes": []}
MAP = {"pages": [FRONT, FORM]}


@dataclass(frozen=True)
class Sheet:
    """One side to be scanned: whose it is, what was filled in, what happened to it."""

    token: str = TOKEN
    page: int = 2
    filled: Filled = field(default_factory=lambda: Filled({"all.same": "tick"}))
    damage: Damage = field(default_factory=Damage)
    seed: int = 1


def scanned(sheet: Sheet) -> Image.Image:
    """The picture that the scanner makes of a sheet."""
    dice, page = Random(sheet.seed), MAP["pages"][sheet.page - 1]
    return scan(fill_in(plain_form(page, sheet.token), page["boxes"], sheet.filled, dice), sheet.damage, dice)


def batch(path: Path, *sheets: Sheet | Image.Image) -> Path:
    """Sheets (or pictures) as one file."""
    pictures = [one if isinstance(one, Image.Image) else scanned(one) for one in sheets]
    return write_batch(path, pictures)
