"""What a bureau knows of its own places beside the reference data: divisions, dated renames, changed door plates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from quality.counties import Index, index
from quality.divisions import Place
from quality.renames import Renames, by_start


@dataclass(frozen=True)
class Division:
    """A county (no town) or a town, by its full names."""

    place: Place
    town: str = ""


@dataclass(frozen=True)
class TownRename:
    """A town of a county that has another name since a year."""

    place: Place
    old: str
    new: str
    since: int


@dataclass(frozen=True)
class PlateChange:
    """A door plate, what hangs in its place, and since when: `road` with `number` (汾江南路, 18号)."""

    old: tuple[str, str]
    new: tuple[str, str]
    changed_on: date


@dataclass(frozen=True)
class Places:
    """A bureau's own places, ready for judging; equal where the digest of their contents is."""

    digest: str = ""
    counties: Index = field(default_factory=dict, compare=False)
    towns: Index = field(default_factory=dict, compare=False)
    renames: Renames = field(default_factory=dict, compare=False)
    town_renames: Mapping[str, tuple[TownRename, ...]] = field(default_factory=dict, compare=False)
    plates: Mapping[str, PlateChange] = field(default_factory=dict, compare=False)


NO_PLACES = Places()


def gather(
    divisions: Iterable[Division] = (),
    renames: Iterable[tuple[Place, str, int]] = (),
    town_renames: Iterable[TownRename] = (),
    plates: Iterable[PlateChange] = (),
) -> Places:
    """Put a bureau's own places together; a rename is the county of today, its old name and the year."""
    given = (tuple(divisions), tuple(renames), tuple(town_renames), tuple(plates))
    if not any(given):
        return NO_PLACES
    known, olds, towns, changes = given
    by_town: dict[str, list[TownRename]] = {}
    for town in towns:
        by_town.setdefault(town.old[:2], []).append(town)
    return Places(
        digest=hashlib.sha256(repr(given).encode()).hexdigest(),
        counties=index((one.place.county, one.place) for one in known if not one.town),
        towns=index((one.town, one.place) for one in known if one.town),
        renames=by_start(olds),
        town_renames={start: tuple(ones) for start, ones in by_town.items()},
        plates=_certain(changes),
    )


def _certain(changes: tuple[PlateChange, ...]) -> dict[str, PlateChange]:
    """Old plates with what hangs there today. A plate that one door lost and another got on the same day or later
    (a street numbered anew) says no more which door is meant, and is left out; so is one with two successors."""
    given: dict[str, date] = {}
    for change in changes:
        new = "".join(change.new)
        given[new] = max(change.changed_on, given.get(new, change.changed_on))
    found: dict[str, PlateChange] = {}
    doubtful: set[str] = set()
    for change in sorted(changes, key=lambda change: change.changed_on):
        old = "".join(change.old)
        is_second = old in found and found[old].new != change.new
        if is_second or old == "".join(change.new) or (old in given and given[old] >= change.changed_on):
            doubtful.add(old)
        found[old] = change
    certain = {old: change for old, change in found.items() if old not in doubtful}
    return {old: _latest(change, certain) for old, change in certain.items()}


def _latest(change: PlateChange, certain: Mapping[str, PlateChange]) -> PlateChange:
    """What hangs there today, where a plate was changed more than once; days only go forward."""
    while (later := certain.get("".join(change.new))) and later.changed_on > change.changed_on:
        change = PlateChange(change.old, later.new, later.changed_on)
    return change
