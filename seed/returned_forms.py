"""Returned forms of the demo on paper: what a customer answers becomes ticks and handwriting, and a scanned picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from PIL import Image

from seed.handwriting import Box
from seed.scanner import A4, BASE, Filled, fill_in, printed, random_damage, scan, write_batch
from services.key_fields import PART
from services.return_rows import ROWS
from services.returns import Form

HOWS = ("tick", "tick", "tick", "cross", "fill")
CELL = 6.0  # mm
LINE = 20  # characters of an address on one line
ROW_OF = {place: row for row, places in ROWS.items() for place in places}


@dataclass(frozen=True)
class Side:
    """One side that goes through the scanner: a page of the letters' file (None: an empty one), filled in."""

    page: int | None
    filled: Filled = Filled(signed=False)


@dataclass(frozen=True)
class Feed:
    """What is scanned into one file; the same feed gives the same file."""

    letters: Path
    boxes: Sequence[Box]
    sides: Sequence[Side]
    seed: str
    target: Path


def filled_in(form: Form, boxes: Sequence[Box], dice: Random, *, printed_places: Mapping[str, Any]) -> Filled:
    """How somebody fills the form in to say this; 暂无 is only ticked where nothing was printed."""
    same = {
        ROW_OF[line.place]
        for line in form.lines
        if line.reply == "same" or (line.reply == "none" and line.place not in printed_places)
    }
    ticks = [f"{row}.same" for row in same] + [
        f"{purpose}.{channel}" for purpose, channel in form.ticks.channels
    ]
    ticks += [f"other.{code}" for code in form.ticks.other] + (
        [f"relation.{form.relation}"] if form.relation else []
    )
    ticks += [name for name, on in (("all.same", form.all_same), ("consent", form.ticks.consent)) if on]
    texts = {line.place: line.text for line in form.lines if line.reply == "new" and line.text}
    written = {name: part for place, text in texts.items() for name, part in _parts(place, text, boxes)}
    return Filled({name: dice.choice(HOWS) for name in ticks}, written, form.signed)


def scan_in(feed: Feed) -> Path:
    """Print, fill in and scan every side of a feed; runs in a process of its own."""
    return write_batch(feed.target, _scanned(feed, Random(feed.seed)))


def _scanned(feed: Feed, dice: Random) -> Iterator[Image.Image]:
    empty = Image.new("L", (round(A4[0] * BASE), round(A4[1] * BASE)), 255)
    pages = printed(feed.letters, [side.page for side in feed.sides if side.page is not None])
    for side in feed.sides:
        page = empty if side.page is None else next(pages)
        yield scan(fill_in(page, feed.boxes, side.filled, dice), random_damage(dice), dice)


def _parts(place: str, text: str, boxes: Sequence[Box]) -> Iterator[tuple[str, str]]:
    """A text shared out over the boxes of its field, as far as it goes."""
    found = [box for box in boxes if PART.sub("", box["id"]) == place]
    left = "".join(re.findall(r"\d", text)) if found and found[0]["kind"] == "comb" else text
    for box in found:
        room = round(box["w"] / CELL) if box["kind"] == "comb" else LINE
        room = room if box is not found[-1] else len(left)
        if left[:room]:
            yield box["id"], left[:room]
        left = left[room:]
