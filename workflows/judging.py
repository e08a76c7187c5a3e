"""Steps that judge again and count again: each item is one span of customers, so that nothing is lost or done twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import CountSet
from models.words import N_
from services import count_checks, count_sets, rejudging
from services.rejudging import Span
from workflows.sessions import reading
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class OfSet(Options):
    """Which set of counts; `name` is what the run is called after."""

    set: int = asked(N_("统计编号"), ge=1)
    name: str = asked(N_("说明"), "", max_length=200)


def plan_preview_judging(session: Session, options: OfSet, facts: Facts) -> Planned:
    """The spans of customers that are looked at."""
    spans = count_sets.spans(session)
    return Planned(
        [*({"part": "look", "first": first, "last": last} for first, last in spans), {"part": "looked"}]
    )


def preview_judging(options: OfSet, facts: Facts, items: Sequence[Item]) -> Effects:
    """Judge one span without writing any verdict: what would change is counted."""
    (item,) = items
    if item["part"] == "looked":
        return Effects(calls=[Call(end_preview, {"set_id": options.set})])
    found = _judged(options.set, item)
    return Effects(calls=[Call(keep_preview, {"set_id": options.set, "found": found})])


def plan_judge_again(session: Session, options: OfSet, facts: Facts) -> Planned:
    """The spans of customers that are judged again; a beginning and an end of their own."""
    spans = [{"part": "judge", "first": first, "last": last} for first, last in count_sets.spans(session)]
    return Planned([{"part": "begin"}, *spans, {"part": "swap"}])


def judge_again(options: OfSet, facts: Facts, items: Sequence[Item]) -> Effects:
    """Judge one span outside the transaction, then write it and count it in the new set."""
    (item,) = items
    if item["part"] != "judge":
        return Effects(calls=[_frame(options.set, item)])
    found = _judged(options.set, item)
    return Effects(calls=[Call(write_span, {"set_id": options.set, "last": item["last"], "found": found})])


def plan_count_again(session: Session, options: OfSet, facts: Facts) -> Planned:
    """The spans of customers that are counted again."""
    spans = [{"part": "count", "last": last} for _first, last in count_sets.spans(session)]
    return Planned([{"part": "begin"}, *spans, {"part": "swap"}])


def count_again(options: OfSet, facts: Facts, items: Sequence[Item]) -> Effects:
    """Count one span into the new set."""
    (item,) = items
    if item["part"] != "count":
        return Effects(calls=[_frame(options.set, item)])
    return Effects(calls=[Call(count_span, {"set_id": options.set, "last": item["last"]})])


def plan_check_counts(session: Session, options: Options, facts: Facts) -> Planned:
    """Count everybody in one snapshot; nothing while a set is being built."""
    found = count_checks.check(session)
    return Planned([found.as_json()] if found else [], {"number": found.number} if found else {})


def check_counts(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what was found."""
    return Effects(calls=[Call(keep_check, {"found": dict(item)}) for item in items])


def keep_check(session: Session, found: dict[str, Any]) -> None:
    """Keep what a check found."""
    count_checks.keep_result(session, found)


def keep_preview(session: Session, set_id: int, found: Span) -> dict[str, int]:
    """Add what would change in one span."""
    count_sets.add_figures(session, set_id, "preview", found.figures)
    count_sets.add_figures(session, set_id, "preview_changes", found.changed)
    return found.figures


def end_preview(session: Session, set_id: int) -> None:
    """Say that everybody was looked at."""
    count_sets.add_figures(session, set_id, "preview", {"looked": 1})


def begin_counting(session: Session, set_id: int) -> None:
    """Begin the new set."""
    count_sets.begin(session, set_id)


def write_span(session: Session, set_id: int, last: int, found: Span) -> dict[str, int]:
    """Write one span's verdicts, unless it was written before."""
    done = rejudging.apply_span(session, set_id, last, found.judged)
    if done["counted"]:
        count_sets.add_figures(session, set_id, "done", {**found.figures, "proposed": done["proposed"]})
        count_sets.add_figures(session, set_id, "changes", found.changed)
    return {"changed": done["applied"], "proposed": done["proposed"]}


def count_span(session: Session, set_id: int, last: int) -> None:
    """Count one span."""
    count_sets.hold(session, set_id)
    count_sets.take(session, set_id, last)


def swap_counts(session: Session, set_id: int) -> None:
    """Put the new set in the place of the old one."""
    count_sets.swap(session, set_id)


def _frame(set_id: int, item: Item) -> Call:
    return Call(begin_counting if item["part"] == "begin" else swap_counts, {"set_id": set_id})


def _judged(set_id: int, item: Item) -> Span:
    with reading() as session:
        row = session.get_one(CountSet, set_id)
        selection = rejudging.selection_of(row)
        return rejudging.judge_span(session, selection, item["first"], item["last"])
