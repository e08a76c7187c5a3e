"""The rows behind a figure of a batch: which customer, what became of it, what could not be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import Text, cast, func, select
from sqlalchemy.orm import Session, joinedload

from models import BatchRow, Contact, ImportBatch
from models.words import IMPORT_OUTCOMES, IMPORT_REASONS, UNDO_OUTCOMES, UNDO_REASONS
from screens import looks, masking
from services.headings import FIELDS

SIZE = 50
FACTS = {
    "name": _l("户名"),
    "usage_class": _l("用电类别"),
    "customer_class": _l("客户类别"),
    "sensitivity": _l("敏感客户"),
    "manager_id": _l("客户经理"),
    "transformer_area": _l("台区"),
    "meter_book": _l("抄表册"),
    "meter_no": _l("电能表号"),
    "opened_on": _l("立户日期"),
    "unit_id": _l("供电单位"),
    "id_hash": _l("证件号码"),
    "uscc": _l("统一社会信用代码"),
}
UNREAD = "unread"
CODED = {"usage_class": "USAGE_CLASSES", "customer_class": "CUSTOMER_CLASSES", "sensitivity": "SENSITIVITIES"}


@dataclass(frozen=True)
class Line:
    """One row as the page shows it."""

    number: int
    customer: Any
    outcome: str
    reason: str
    changes: Sequence[Any]
    unread: Sequence[str]


@dataclass(frozen=True)
class Lines:
    """One page of rows, and where the next one begins."""

    lines: Sequence[Line]
    after: int | None


def chosen(args: Mapping[str, str]) -> dict[str, str]:
    """Which figure was opened: an outcome, an outcome of the undo, or the rows with something unread."""
    known = {"outcome": IMPORT_OUTCOMES, "undone": UNDO_OUTCOMES, "notes": {UNREAD: ""}}
    return {name: args[name] for name, codes in known.items() if args.get(name) in codes}


def page(session: Session, batch: ImportBatch, figure: Mapping[str, str], *, after: int) -> Lines:
    """A page of the rows behind a figure, by row number."""
    query = select(BatchRow).where(BatchRow.batch_id == batch.id, BatchRow.row > after)
    if "outcome" in figure:
        query = query.where(BatchRow.outcome == figure["outcome"])
    if "undone" in figure:
        query = query.where(BatchRow.undone == figure["undone"])
    if "notes" in figure:
        query = query.where(_has_unread())
    query = query.options(joinedload(BatchRow.customer)).order_by(BatchRow.row).limit(SIZE + 1)
    rows = session.scalars(query).all()
    versions = _versions(session, batch.id, rows[:SIZE])
    lines = [_line(row, versions.get(row.row, [])) for row in rows[:SIZE]]
    return Lines(lines, rows[SIZE - 1].row if len(rows) > SIZE else None)


def _has_unread() -> Any:
    """An empty JSON object has two signs in both databases."""
    return func.length(cast(BatchRow.unread, Text)) > 2


def _versions(session: Session, batch_id: int, rows: Sequence[BatchRow]) -> dict[int, list[Contact]]:
    """The versions that these rows brought."""
    query = select(Contact).where(Contact.batch_id == batch_id, Contact.source == "import")
    query = query.where(Contact.batch_row.in_([row.row for row in rows])).order_by(Contact.id)
    customers = [row.customer_id for row in rows if row.customer_id]
    found: dict[int, list[Contact]] = {}
    for contact in session.scalars(query.where(Contact.customer_id.in_(customers))):
        found.setdefault(contact.batch_row or 0, []).append(contact)
    return found


def _line(row: BatchRow, versions: Sequence[Contact]) -> Line:
    reason = IMPORT_REASONS.get(row.reason, row.reason) or UNDO_REASONS.get(row.undo_reason, row.undo_reason)
    return Line(
        row.row,
        row.customer,
        row.undone or row.outcome,
        _(reason) if reason else "",
        [*_facts(row), *(_value(contact) for contact in versions)],
        [_("%(column)s：%(text)s", column=FIELDS[name].heading, text=text) for name, text in row.unread.items()],
    )


def _facts(row: BatchRow) -> list[Any]:
    """Facts that the row changed; names are covered, ids and hashes only named."""
    return [_fact(name, *pair) for name, pair in row.before.items() if name in FACTS]


def _fact(name: str, old: Any, new: Any) -> Any:
    if name in CODED:
        old, new = looks.word(old, CODED[name]), looks.word(new, CODED[name])
    elif name == "name":
        old, new = masking.name_text(old), masking.name_text(new)
    elif name not in ("opened_on", "meter_book", "transformer_area"):
        return FACTS[name]
    return Markup("{} <del>{}</del> → <ins>{}</ins>").format(FACTS[name], old or "", new or "")


def _value(contact: Contact) -> Any:
    """One value with its verdict and what it is now."""
    return Markup("{} {} {}").format(
        looks.kinds_word(contact.kind),
        masking.contact_text(contact),
        looks.joined(looks.badge(contact.verdict, "VERDICTS"), looks.badge(contact.state, "CONTACT_STATES")),
    )
