"""The members files of an assessment: everything that was counted, compact, named by sha256.

The file of the measures has a line a required item with one bit field; that of the rules a line a record with three.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Protocol, TypeVar

from quality.measures import Member
from quality.rules import RuleMember

COLUMNS = ("customer", "kind", "unit", "person", "cohort", "class", "bits")
RULE_COLUMNS = (*COLUMNS[:-1], "contact", "counted", "failed", "exempt")

Entry = TypeVar("Entry")


class Lines(Protocol):
    """What members are written to: a csv writer."""

    def writerow(self, row: Iterable[Any], /) -> Any: ...


@contextmanager
def packed(path: Path, columns: Sequence[str]) -> Iterator[Lines]:
    """A gzip'd CSV file without a time stamp, so that equal members give equal bytes."""
    with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as file:
        with TextIOWrapper(file, encoding="ascii", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            yield writer


def read_members(path: Path) -> Iterator[Member]:
    """The members of a run, in their order."""
    return map(_member, _lines(path))


def read_rule_members(path: Path) -> Iterator[RuleMember]:
    """The records that the rules of a run looked at, in their order."""
    return map(_rule_member, _lines(path))


def pick(
    members: Iterable[Entry], fits: Callable[[Entry], bool], *, skip: int = 0, limit: int = 50
) -> tuple[list[Entry], bool]:
    """One page of the members that fit, and whether more follow."""
    found: list[Entry] = []
    for member in members:
        if not fits(member):
            continue
        if skip:
            skip -= 1
        elif len(found) == limit:
            return found, True
        else:
            found.append(member)
    return found, False


def member_line(m: Member) -> tuple[object, ...]:
    """A member as a line of its file."""
    return (m.customer_id, m.kind, m.unit_id, m.staff_id or "", m.cohort, m.customer_class, m.bits)


def rule_line(m: RuleMember) -> tuple[object, ...]:
    """A record as a line of the rules' file."""
    whose = (m.customer_id, m.kind, m.unit_id, m.staff_id or "", m.cohort, m.customer_class)
    return (*whose, m.contact_id or "", m.counted, m.failed, m.exempt)


def _lines(path: Path) -> Iterator[list[str]]:
    with gzip.open(path, "rt", encoding="ascii", newline="") as text:
        rows = csv.reader(text)
        next(rows)
        yield from rows


def _member(row: list[str]) -> Member:
    customer, kind, unit, person, cohort, customer_class, bits = row
    return Member(
        int(customer), kind, int(unit), int(person) if person else None, cohort, customer_class, int(bits)
    )


def _rule_member(row: list[str]) -> RuleMember:
    customer, kind, unit, person, cohort, customer_class, contact, counted, failed, exempt = row
    return RuleMember(
        int(customer),
        kind,
        int(unit),
        int(person) if person else None,
        cohort,
        customer_class,
        int(contact) if contact else None,
        int(counted),
        int(failed),
        int(exempt),
    )
