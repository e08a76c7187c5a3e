"""The records behind a figure of an assessment: which figure an address asks for, and its records in words."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from models import ContactKind, db
from quality.measures import Bit
from screens import looks
from screens.row_words import record_word
from services.drill_downs import Asked, Group, Record, RuleAsked

COLUMNS = (_l("户号"), _l("联系信息"), _l("新装或存量"), _l("当时的情况"))
RULE_COLUMNS = (_l("户号"), _l("种类"), _l("新装或存量"))


def page() -> int:
    """Which page of the records is asked for, from 0."""
    return max(0, min(request.args.get("page", 0, type=int), 10_000))


def asked() -> Asked:
    """The figure that an address names."""
    return Asked(
        measure=request.args.get("measure", ""),
        part=request.args.get("part", "rest"),
        unit_id=request.args.get("unit", 0, type=int),
        cohort=request.args.get("cohort", "all"),
        staff_id=request.args.get("person", type=int),
        kind=request.args.get("kind", ""),
        group=_group(),
    )


def rule_asked() -> RuleAsked:
    """The figure of a rule that an address names."""
    return RuleAsked(
        rule_id=request.args.get("rule", 0, type=int),
        part=request.args.get("part", "failed"),
        unit_id=request.args.get("unit", 0, type=int),
        cohort=request.args.get("cohort", "all"),
        staff_id=request.args.get("person", type=int),
    )


def _group() -> Group | None:
    """The meter book, transformer area or manager whose records are asked for."""
    by = request.args.get("by", "")
    if not by:
        return None
    return Group(by, request.args.get("group_unit", 0, type=int), request.args.get("group", "")[:60])


def shown(record: Record) -> dict[str, Any]:
    """A record in words: what it was when it was counted."""
    bits, kind = record.member.bits, db.session.get(ContactKind, record.member.kind)
    verdict = "valid" if bits & Bit.VALID else "repairable" if bits & Bit.GOOD else "invalid"
    in_time = _("按时录入") if bits & Bit.IN_TIME else _("未按时录入") if bits & Bit.DUE else ""
    return {
        "customer": record.customer,
        "kind": _(kind.label) if kind else record.member.kind,
        "cohort": record.member.cohort,
        "verdict": verdict if bits & Bit.RECORDED else "missing",
        "in_time": in_time,
    }


def record_cells(record: Record) -> list[Any]:
    """One row of the page of records."""
    told = shown(record)
    state = looks.joined(looks.badge(told["verdict"], "VERDICTS"), told["in_time"])
    return [_account(record), told["kind"], looks.word(told["cohort"], "COHORTS"), state]


def rule_record_cells(record: Record) -> list[Any]:
    """One row of the page of a rule's records."""
    return [_account(record), record_word(record.member.kind), looks.word(record.member.cohort, "COHORTS")]


def _account(record: Record) -> str:
    return record.customer.account_no if record.customer else _("不在您的范围内")
