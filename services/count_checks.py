"""The proof of the kept counts: everybody counted anew from the records in one snapshot, compared key by key."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Table, delete, select
from sqlalchemy.orm import Session

from models import ContactCount, CountSet, QualityCount, Setting
from models.clock import now, today, utcnow
from models.counts import current_set
from services import counts, traces
from services.counts import Tally

KEY = "counts_checked"
STARTED = "counts_check_started"
SHOWN = 50
PAGE = 1000
NIGHT = range(1, 6)  # hours of business time in which the check may start


@dataclass(frozen=True)
class Difference:
    """One count that is not what the records say."""

    table: str
    key: tuple[Any, ...]
    kept: tuple[int, ...]
    counted: tuple[int, ...]


@dataclass(frozen=True)
class Checked:
    """What a check found; `differences` are the first, `number` is how many there are."""

    customers: int
    counts: int
    number: int
    differences: tuple[Difference, ...]
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """As it is kept and shown."""
        shown = [[one.table, list(one.key), list(one.kept), list(one.counted)] for one in self.differences]
        named = {"customers": self.customers, "counts": self.counts, "number": self.number}
        return {**named, "differences": shown, "seconds": round(self.seconds, 1)}


def check(session: Session) -> Checked | None:
    """Compare every kept count with the records; reads only, all of it in the session's one snapshot. None while a
    set is being built: verdicts run ahead of the counts that are read then."""
    if session.scalar(select(CountSet.id).where(CountSet.state == "building").limit(1)) is not None:
        return None
    began, required = time.monotonic(), counts.required_kinds(session)
    whole, customers = Tally(), 0
    for ids in counts.pages(session, size=PAGE):
        whole.add(counts.tally(session, ids, required))
        customers += len(ids)
    counted: dict[str, dict[Any, tuple[int, ...]]] = {
        ContactCount.__tablename__: {key: (number,) for key, number in whole.values.items()},
        QualityCount.__tablename__: {
            key: tuple(sums) for key, sums in counts.quality_sums(whole.items).items()
        },
    }
    kept = {table.name: _kept(session, table) for table in (ContactCount.__table__, QualityCount.__table__)}
    found = [one for name in kept for one in _compare(name, kept[name], counted[name])]
    number_kept = sum(map(len, kept.values()))
    return Checked(customers, number_kept, len(found), tuple(found[:SHOWN]), time.monotonic() - began)


def keep_result(session: Session, found: dict[str, Any]) -> None:
    """Keep what a check found, for the health page and the stewards; what differs leaves a trace."""
    row = session.merge(Setting(key=KEY, value={**found, "at": utcnow().isoformat()}))
    session.flush()
    if found["number"]:
        traces.record(session, "counts.differ", row, details={"number": found["number"]})


def last_result(session: Session) -> dict[str, Any]:
    """What the latest check found; empty before the first."""
    value = session.scalar(select(Setting.value).where(Setting.key == KEY))
    return value if isinstance(value, dict) else {}


def forget(session: Session) -> None:
    """Forget what was found of counts that are read no longer."""
    session.execute(delete(Setting).where(Setting.key == KEY))


def is_due(session: Session) -> bool:
    """Whether it is night and tonight's check has still to be started."""
    moment = now(session)
    started = session.scalar(select(Setting.value).where(Setting.key == STARTED))
    return moment.hour in NIGHT and started != moment.date().isoformat()


def mark_started(session: Session) -> None:
    """Remember that tonight's check was started."""
    session.merge(Setting(key=STARTED, value=today(session).isoformat()))


def _kept(session: Session, table: Table) -> dict[Any, tuple[int, ...]]:
    keys = [column.name for column in table.primary_key if column.name != "set_id"]
    sums = [column.name for column in table.c if not column.primary_key]
    query = select(*(table.c[name] for name in (*keys, *sums))).where(table.c.set_id == current_set(session))
    rows = session.execute(query)
    return {tuple(row[: len(keys)]): tuple(row[len(keys) :]) for row in rows}


def _compare(
    name: str, kept: dict[Any, tuple[int, ...]], counted: dict[Any, tuple[int, ...]]
) -> list[Difference]:
    width = len(next(iter(kept.values()), next(iter(counted.values()), ())))
    nothing = (0,) * width
    keys = sorted(kept.keys() | counted.keys())
    pairs = ((key, kept.get(key, nothing), counted.get(key, nothing)) for key in keys)
    return [Difference(name, key, one, other) for key, one, other in pairs if one != other]
