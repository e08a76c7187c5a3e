"""The would-be rows of a trial: spooled node by node, counted by unit and class, a part of them kept for the lists."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer
from workflows.forecasts import Would

LISTED = 2000  # rows of one kind and reason of one node that its list can show; counts hold all
CHUNK = 1000

Group = tuple[str, str, int, str]


@dataclass
class Tally:
    """How many rows of a node by what they are, reason, unit and class; likely ones count by their likelihood."""

    groups: Counter[Group] = field(default_factory=Counter)

    def made(self) -> dict[str, float]:
        """How many of each kind it would make."""
        return self._summed(0, lambda reason: not reason)

    def excluded(self) -> dict[str, float]:
        """How many it would leave out, by reason."""
        return self._summed(1, bool)

    def plain(self) -> list[list[Any]]:
        """The groups as JSON, largest first."""
        return [[*group, number(count)] for group, count in self.groups.most_common()]

    def _summed(self, at: int, takes: Any) -> dict[str, float]:
        found: Counter[str] = Counter()
        for group, count in self.groups.items():
            if takes(group[1]):
                found[str(group[at])] += count
        return {name: number(count) for name, count in found.items()}


def spool(session: Session, rows: Iterable[Would], path: Path) -> Tally:
    """Write a node's rows down as they come, and count them; the class of a customer is looked up by the chunk."""
    tally, stream = Tally(), iter(rows)
    with path.open("w", encoding="utf-8") as file:
        while chunk := list(islice(stream, CHUNK)):
            classes = _classes(session, {row.customer_id for row in chunk if row.customer_id is not None})
            for row in chunk:
                group = (row.what, row.exclusion, row.unit_id or 0, classes.get(row.customer_id or 0, ""))
                tally.groups[group] += row.share  # type: ignore[assignment]
                file.write(json.dumps(_plain(row), ensure_ascii=False) + "\n")
    return tally


def read(path: Path, what: str = "") -> Iterator[Would]:
    """The rows of one spool in their order, of one kind or all."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if not what or row[0] == what:
                yield Would(*row)


def keep_some(spools: Mapping[str, Path], target: Path) -> None:
    """Write the first rows of every node, kind and reason into one packed file: what the lists of the trial show."""
    with gzip.GzipFile(target, "wb", mtime=0) as file:
        for node, path in spools.items():
            seen: Counter[tuple[str, str]] = Counter()
            for row in read(path):
                key = (row.what, row.exclusion)
                if (row.customer_id or row.unit_id) and seen[key] < LISTED:
                    seen[key] += 1
                    file.write(json.dumps([node, *_plain(row)], ensure_ascii=False).encode() + b"\n")


def kept(path: Path, node: str, what: str, exclusion: str) -> list[Would]:
    """The rows behind one number of a kept trial, at most LISTED."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = (json.loads(line) for line in file)
        return [Would(*row[1:]) for row in rows if (row[0], row[1], row[4]) == (node, what, exclusion)]


def _plain(row: Would) -> list[Any]:
    return [row.what, row.customer_id, row.unit_id, row.exclusion, dict(row.values), row.share]


def _classes(session: Session, ids: set[int]) -> dict[int, str]:
    query = select(Customer.id, Customer.customer_class).where(Customer.id.in_(ids))
    return dict(session.execute(query).tuples().all()) if ids else {}


def number(count: float) -> float:
    """Whole numbers as such: what is sure is counted, only what is likely or weighed has decimals, two at most."""
    rounded = round(count, 2)
    return int(rounded) if rounded == int(rounded) else rounded
