"""Words that are rows: labels of contact kinds and of reasons, read once a request."""

from __future__ import annotations

from typing import Any

from flask import g
from flask_babel import gettext as _
from sqlalchemy import select

from models import ContactKind, Reason, db
from models.quality_words import JUDGED_WITH_CUSTOMER


def kinds_word(code: str) -> str:
    """The label of a kind of contact."""
    if "kind_words" not in g:
        g.kind_words = {
            row.code: _(row.label) for row in db.session.execute(select(ContactKind.code, ContactKind.label))
        }
    return str(g.kind_words.get(code, code))


def record_word(kind: str) -> str:
    """The word of a kind of record: of a contact, or of what is judged with the customer."""
    judged = JUDGED_WITH_CUSTOMER.get(kind)
    return _(judged) if judged else kinds_word(kind)


def broken_word(rule: Any) -> str:
    """What a record that fails a rule is told: a rule that counts the bad ones is named after them already."""
    label = _(rule.label)
    return _("不符合“%(rule)s”", rule=label) if rule.direction == "larger" else label


def reason_word(name: str, code: str) -> str:
    """The label of a reason of a list."""
    if "reason_words" not in g:
        rows = db.session.execute(select(Reason.list, Reason.code, Reason.label))
        g.reason_words = {(row.list, row.code): _(row.label) for row in rows}
    return str(g.reason_words.get((name, code), code))
