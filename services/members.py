"""The members file of an assessment: every required item that was counted, compact, named by its sha256."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator
from io import TextIOWrapper
from pathlib import Path

from quality.measures import Member

COLUMNS = ("customer", "kind", "unit", "person", "cohort", "class", "bits")


def write_members(path: Path, members: Iterable[Member]) -> Iterator[Member]:
    """Write members as they pass by: gzip'd CSV without a time stamp, so that equal members give equal bytes."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        with TextIOWrapper(packed, encoding="ascii", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(COLUMNS)
            for member in members:
                writer.writerow(_row(member))
                yield member


def read_members(path: Path) -> Iterator[Member]:
    """The members of a run, in their order."""
    with gzip.open(path, "rt", encoding="ascii", newline="") as text:
        rows = csv.reader(text)
        next(rows)
        for row in rows:
            yield _member(row)


def pick(
    path: Path, fits: Callable[[Member], bool], *, skip: int = 0, limit: int = 50
) -> tuple[list[Member], bool]:
    """One page of the members that fit, and whether more follow."""
    found: list[Member] = []
    for member in read_members(path):
        if not fits(member):
            continue
        if skip:
            skip -= 1
        elif len(found) == limit:
            return found, True
        else:
            found.append(member)
    return found, False


def _row(m: Member) -> tuple[object, ...]:
    return (m.customer_id, m.kind, m.unit_id, m.staff_id or "", m.cohort, m.customer_class, m.bits)


def _member(row: list[str]) -> Member:
    customer, kind, unit, person, cohort, customer_class, bits = row
    return Member(
        int(customer), kind, int(unit), int(person) if person else None, cohort, customer_class, int(bits)
    )
