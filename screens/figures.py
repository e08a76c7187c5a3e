"""Figures as small bars drawn in the page: no script, printable, with the numbers beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from models import Contact, ContactCount
from models.contacts import GOOD
from models.counts import current_set
from models.scope import current_scope
from models.words import VERDICTS
from screens.pickers import kind_choices

TONE = {"valid": "good", "repairable": "fair", "suspect": "warn", "invalid": "bad", "missing": "mute"}


@dataclass(frozen=True)
class Part:
    """One piece of a bar in per cent of its width, the number it stands for, and the rows behind it."""

    code: str
    tone: str
    number: int
    start: float
    width: float
    link: str


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its parts, the whole, and the share that is good."""

    label: Any
    parts: Sequence[Part]
    total: int
    share: float | None


def contact_bars(session: Session) -> list[Bar]:
    """How the current contacts in the session's scope are judged, by kind; each part opens its rows.

    Units read the kept counts; whoever sees own customers only has few enough to be counted now.
    """
    found: dict[str, dict[str, int]] = {}
    for row in session.execute(_counted_now() if is_own(session) else _kept_counts(session)):
        found.setdefault(row.kind, {})[row.verdict] = int(row.number)
    return [
        _bar(code, label, found[code]) for code, label in kind_choices() if any(found.get(code, {}).values())
    ]


def is_own(session: Session) -> bool:
    """Whether the asking person sees own customers only."""
    scope = current_scope(session)
    return scope is not None and scope.own


def _kept_counts(session: Session) -> Select[Any]:
    query = select(ContactCount.kind, ContactCount.verdict, func.sum(ContactCount.number).label("number"))
    query = query.where(ContactCount.set_id == current_set(session))
    return query.group_by(ContactCount.kind, ContactCount.verdict)


def _counted_now() -> Select[Any]:
    query = select(Contact.kind, Contact.verdict, func.count().label("number")).where(
        Contact.state == "current"
    )
    return query.group_by(Contact.kind, Contact.verdict)


def _bar(kind: str, label: str, numbers: Mapping[str, int]) -> Bar:
    total = sum(numbers.values())
    parts, start = [], 0.0
    for verdict in VERDICTS:
        number = numbers.get(verdict, 0)
        width = 100 * number / total
        link = url_for("contacts.index", kind=kind, verdict=verdict)
        parts.append(Part(verdict, TONE[verdict], number, start, width, link))
        start += width
    return Bar(label, parts, total, sum(numbers.get(verdict, 0) for verdict in GOOD) / total)
