"""What a sheet has to key: its handwritten fields, doubtful ticks and contradictions, and where they stand on it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import Sheet
from services.return_rows import ROWS
from services.returns import KINDS

FORM = "form"  # the sheet as a whole, where its parts cannot be decided one by one
SIGNED = "signature"
ABOUT_TICKS = ("uncertain_tick", "contradiction")  # reasons of a review that its ticks answer
PART = re.compile(r"\.\d+$")
ROOM = (3.0, 3.0)  # mm around a field, across and down
LABELS = (13.0, 2.0, 184.0, 4.0)  # a row from its printed words on: left, room above, right end, room below
SHEET = (0.0, 0.0, 210.0, 297.0)
Box = Mapping[str, Any]
Area = tuple[float, float, float, float]


@dataclass(frozen=True)
class Field:
    """One thing that is written by hand, in one or more boxes; `kind` is the contact kind it is judged as."""

    name: str
    boxes: tuple[Box, ...]

    @property
    def kind(self) -> str:
        return KINDS.get(self.name, self.name)


def fields_of(sheet: Sheet) -> list[Field]:
    """The fields of a sheet's side in the order of the paper; signature and date are seen, not keyed."""
    found: dict[str, list[Box]] = {}
    for box in boxes_of(sheet):
        name = PART.sub("", box["id"])
        if box["kind"] in ("line", "comb") and name in KINDS:
            found.setdefault(name, []).append(box)
    return [Field(name, tuple(boxes)) for name, boxes in found.items()]


def written_fields(sheet: Sheet) -> list[Field]:
    """The fields in which there is ink, or may be."""
    return [field for field in fields_of(sheet) if any(_has_ink(sheet, box["id"]) for box in field.boxes)]


def boxes_of(sheet: Sheet) -> Sequence[Box]:
    """The boxes of the form's side that this sheet shows."""
    pages = sheet.form_version.boxes.get("pages", []) if sheet.form_version else []
    return [box for page in pages if page["number"] == sheet.page for box in page["boxes"]]


def ticks_of(sheet: Sheet) -> list[str]:
    """The ids of its tick boxes."""
    return [box["id"] for box in boxes_of(sheet) if box["kind"] == "tick"]


def marked(sheet: Sheet) -> set[str]:
    """The ids of ticked boxes, and of lines and combs with ink."""
    return {name for name, mark in sheet.marks.items() if mark.get("value")}


def questions(sheet: Sheet) -> list[str]:
    """What a person has to look at: doubtful tick boxes, and those that contradict others.

    Where the doubt is about more (a poor registration, a letter that was late), the sheet as a whole comes first.
    """
    if not sheet.marks:
        return [FORM]
    ticks = ticks_of(sheet)
    asked = {name for name in ticks if _is_doubtful(sheet, name)} | contradicting(sheet)
    whole = [FORM] if not asked or sheet.reason not in ("", *ABOUT_TICKS) else []
    return whole + [name for name in ticks if name in asked]


def contradicting(sheet: Sheet) -> set[str]:
    """The ticks that contradict what is written in their row, or each other."""
    on = marked(sheet)
    texts = {field.name for field in written_fields(sheet)}
    found = {f"{row}.same" for row, places in ROWS.items() if texts & set(places)}
    relations = {name for name in on if name.startswith("relation.")}
    return on & (found | ({"all.same"} if texts else set()) | (relations if len(relations) > 1 else set()))


def _has_ink(sheet: Sheet, name: str) -> bool:
    mark = sheet.marks.get(name)
    return mark is None or bool(mark.get("value")) or not mark.get("sure", True)


def _is_doubtful(sheet: Sheet, name: str) -> bool:
    mark = sheet.marks.get(name)
    return mark is None or not mark.get("sure", True)


def area_of(sheet: Sheet, name: str) -> Area:
    """Where on the side a field or tick stands, in mm, with room around it: x, y, width, height.

    A tick is shown with its whole row, so that its words and what is written beside it are seen.
    """
    boxes = [box for box in boxes_of(sheet) if name in (box["id"], PART.sub("", box["id"]))]
    if not boxes:
        return SHEET
    if any(box["kind"] == "tick" for box in boxes):
        left, above, width, below = LABELS
        return (left, boxes[0]["y"] - above - 2, width, boxes[0]["h"] + above + below)
    return _around(list(_corners(boxes)))


def frame_of(sheet: Sheet, name: str) -> Area | None:
    """What to frame in the picture: a tick among the others of its row."""
    for box in boxes_of(sheet):
        if box["id"] == name and box["kind"] == "tick":
            return (box["x"] - 1.2, box["y"] - 1.2, box["w"] + 2.4, box["h"] + 2.4)
    return None


def _corners(boxes: Sequence[Box]) -> Iterator[tuple[float, float]]:
    for box in boxes:
        yield box["x"], box["y"]
        yield box["x"] + box["w"], box["y"] + box["h"]


def _around(points: Sequence[tuple[float, float]]) -> Area:
    left, top = min(x for x, _y in points), min(y for _x, y in points)
    right, bottom = max(x for x, _y in points), max(y for _x, y in points)
    across, down = ROOM
    return (left - across, top - down, right - left + 2 * across, bottom - top + 2 * down)
