"""What the values of one row become beside those that stand already: nothing, an addition, or a replacement. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from services.import_rows import Cell, ReadRow, Value


class Standing(NamedTuple):
    """A version that is current or waits; `usable` is good and not found wrong."""

    id: int
    kind: str
    raw: str
    value: str
    extension: str
    state: str
    preferred: bool
    usable: bool
    own: bool


class Step(NamedTuple):
    """One value to be recorded. Without `replaces_id` it is added."""

    cell: Cell
    value: Value
    replaces_id: int | None = None
    preferred: bool = False


class Known:
    """The values that a customer has or that wait for it: an equal one makes nothing new."""

    def __init__(self, rows: Iterable[Standing]) -> None:
        self.extensions: dict[tuple[str, str], set[str]] = {}
        for row in rows:
            self.add(row.kind, row.value or row.raw.strip(), row.extension)

    def add(self, kind: str, text: str, extension: str) -> None:
        self.extensions.setdefault((kind, text), {""}).add(extension)

    def has(self, kind: str, text: str, extension: str) -> bool:
        """Whether it is there; a number without its extension is, with a new extension it is not."""
        return extension in self.extensions.get((kind, text), ())


def steps_of(row: ReadRow, standing: Sequence[Standing], mode: str) -> list[Step]:
    """The values of a row that are to be recorded, in the order of its cells.

    A value that stands or waits makes nothing new. A cell that says there is none (无) counts as blank where something
    stands. `fill` takes what nothing usable stands for. Of a customer's first row in a file, the first new value of a
    kind replaces the preferred one unless the row names that one too; all others are added.
    """
    current = [one for one in standing if one.state == "current"]
    known = Known(standing) if standing else None
    steps: list[Step] = []
    seen: set[tuple[str, str, str]] = set()
    kinds: set[str] = set()
    for cell, value in _asked(row, current, mode):
        kind, text, extension = value.kind, value.value or cell.raw.strip(), value.extension
        if (kind, text, extension) in seen or (known is not None and known.has(kind, text, extension)):
            continue
        seen.update(((kind, text, extension), (kind, text, "")))
        target = _target(row, current, kind) if current and row.is_first and kind not in kinds else None
        kinds.add(kind)
        preferred = target is not None and not any(one.preferred for one in current if one.kind == kind)
        steps.append(Step(cell, value, target, preferred))
    return _with_preferred(steps, {one.kind for one in current})


def _asked(row: ReadRow, current: Sequence[Standing], mode: str) -> Iterable[tuple[Cell, Value]]:
    has = {one.kind for one in current}
    filled = {one.kind for one in current if one.usable and not one.own} if mode == "fill" else set()
    for cell in row.cells:
        for value in cell.values:
            is_none = cell.verdict == "missing" and value.kind in has
            if value.kind not in filled and not is_none:
                yield cell, value


def _target(row: ReadRow, current: Sequence[Standing], kind: str) -> int | None:
    """The standing value that a new one of this kind replaces; none when the row names the preferred one itself."""
    of_kind = [one for one in current if one.kind == kind]
    preferred = [one for one in of_kind if one.preferred] or of_kind
    named = {(value.kind, value.value or cell.raw.strip()) for cell in row.cells for value in cell.values}
    free = [one for one in preferred if (one.kind, one.value or one.raw.strip()) not in named and not one.own]
    return free[0].id if free else None


def _with_preferred(steps: list[Step], standing: set[str]) -> list[Step]:
    """Where a kind had nothing, its first usable value (else its first) is the one that is tried first."""
    first: dict[str, int] = {}
    for place, step in enumerate(steps):
        kind = step.value.kind
        if kind in standing:
            continue
        held = first.setdefault(kind, place)
        if held != place and step.cell.is_usable and not steps[held].cell.is_usable:
            first[kind] = place
    for place in first.values():
        cell, value, replaces_id, _preferred = steps[place]
        steps[place] = Step(cell, value, replaces_id, True)
    return steps
