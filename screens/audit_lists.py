"""Which items of an audit a page shows: its filters in the address, its pages, how far the whole is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_security import current_user
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from models import AuditItem, BatchAudit, Sample, SampledCustomer, db
from models.quality_words import AUDIT_VERDICTS
from screens import looks
from screens.pickers import below

PAGE = 50
STATES = {
    "open": (AuditItem.verdict == "",),
    "unchecked": (AuditItem.verdict != "", AuditItem.checked_by_id.is_(None)),
    "all": (),
    "judged": (AuditItem.verdict.in_(("right", "wrong")),),
    **{code: (AuditItem.verdict == code,) for code in AUDIT_VERDICTS},
}
KEPT = ("state", "mine", "stratum", "unit", "cohort", "after")


def progress(session: Session, query: Select[Any]) -> Counter[str]:
    """How many items there are, are open, are nobody's yet, wait for the second person, and are checked."""
    states = AuditItem.verdict == "", AuditItem.checked_by_id.is_(None), AuditItem.auditor_id.is_(None)
    grouped = query.with_only_columns(*states, func.count()).group_by(*states)
    found: Counter[str] = Counter()
    for open_, unchecked, unassigned, number in session.execute(grouped):
        found["items"] += number
        found["unassigned"] += number if open_ and unassigned else 0
        found["open" if open_ else "unchecked" if unchecked else "checked"] += number
    return found


def items_of(subject: Sample | BatchAudit) -> Select[Any]:
    return of_sample(subject.id) if isinstance(subject, Sample) else of_batch(subject.id)


def of_sample(key: int) -> Select[Any]:
    return select(AuditItem).join(AuditItem.sampled).where(SampledCustomer.sample_id == key)


def of_batch(key: int) -> Select[Any]:
    return select(AuditItem).where(AuditItem.batch_audit_id == key)


def page_of(subject: Sample | BatchAudit) -> tuple[Sequence[AuditItem], int | None]:
    """One page of items as the address filters them, and where the next begins."""
    query = items_of(subject).options(*loaded())
    query = query.where(*STATES[state()])
    if request.values.get("mine"):
        query = query.where(AuditItem.auditor_id == current_user.id)
    if isinstance(subject, Sample):
        query = _within(query)
    after = request.args.get("after", type=int)
    if after is not None:
        query = query.where(AuditItem.id > max(0, min(after, 2**62)))
    rows = db.session.scalars(query.order_by(AuditItem.id).limit(PAGE + 1)).all()
    return rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None


def _within(query: Select[Any]) -> Select[Any]:
    """Only a stratum, a unit with all below it, or a cohort of a sample, where the address names one."""
    args = request.args
    if args.get("stratum"):
        query = query.where(SampledCustomer.stratum == args["stratum"])
    if args.get("cohort") in ("new", "existing"):
        query = query.where(SampledCustomer.cohort == args["cohort"])
    unit = args.get("unit", type=int)
    return below(SampledCustomer.unit_id)(query, str(unit)) if unit is not None and unit < 2**62 else query


def loaded() -> tuple[Any, ...]:
    people = (
        AuditItem.auditor,
        AuditItem.audited_by,
        AuditItem.checked_by,
        AuditItem.customer,
        AuditItem.batch_audit,
    )
    sampled = joinedload(AuditItem.sampled).joinedload(SampledCustomer.sample)
    return (sampled, *(joinedload(one) for one in people), selectinload(AuditItem.entries))


def kept() -> dict[str, str]:
    """What the address says of which items are shown."""
    return {name: value for name, value in request.args.items() if name in KEPT}


def states() -> dict[str, str]:
    words = {"open": _("待核查"), "unchecked": _("待复核"), "all": _("全部"), "judged": _("准确和不准确")}
    return words | {code: looks.word(code, "AUDIT_VERDICTS") for code in AUDIT_VERDICTS}


def state() -> str:
    found = request.values.get("state", "")
    return found if found in STATES else "open"
