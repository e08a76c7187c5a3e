"""The nightly look at what is kept of customers: numbers on many of them, verdicts that follow, and reach."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from models.clock import utcnow
from services import reach, shared_numbers, shared_verdicts
from services.rejudging import Judged
from services.shared_numbers import Counted
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned


def plan_count_shared(session: Session, options: Options, facts: Facts) -> Planned:
    """One piece of work: what is counted is one snapshot."""
    return Planned([{"moment": utcnow().isoformat()}])


def count_shared(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Count outside the transaction, so that writing takes as short as it can."""
    with reading() as session:
        rows = shared_numbers.counted(session)
    return Effects(calls=[Call(keep_shared, {"rows": rows, "moment": items[0]["moment"]})])


def plan_restate_shared(session: Session, options: Options, facts: Facts) -> Planned:
    """The values whose verdict does not fit what is shared now, in chunks."""
    return Planned({"ids": ids} for ids in shared_verdicts.spans(session))


def restate_shared(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Judge one chunk of values again."""
    with reading() as session:
        found = shared_verdicts.judged(session, items[0]["ids"])
    return Effects(calls=[Call(write_verdicts, {"found": found})])


def plan_recount_reach(session: Session, options: Options, facts: Facts) -> Planned:
    """Spans of customers."""
    return Planned({"first": first, "last": last} for first, last in reach.spans(session))


def recount_reach(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Count the reach of one span of customers anew; looked at outside the transaction, which is rarely needed."""
    (item,) = items
    with reading() as session:
        wrong = reach.wrong(session, item["first"], item["last"])
    return Effects(calls=[Call(mend_reach, {"ids": wrong})])


def keep_shared(session: Session, rows: Sequence[Counted], moment: str) -> dict[str, int]:
    """Keep what was counted."""
    return {"numbers": shared_numbers.keep(session, rows, datetime.fromisoformat(moment))}


def write_verdicts(session: Session, found: Sequence[Judged]) -> dict[str, int]:
    """Write the verdicts of one chunk."""
    return {"changed": shared_verdicts.write(session, found)}


def mend_reach(session: Session, ids: Sequence[int]) -> dict[str, int]:
    """Mend the reach of customers where it was not what it must be."""
    reach.keep(session, ids)
    return {"mended": len(ids)}
