"""Functions of rules that need the whole set: which values stand on many customers, as at the cut-off."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from models import Contact
from models.options import Options, asked
from models.words import N_
from quality.rules import Function, Record
from services.assessed import SETTLED, Item

Finder = Callable[[Item], bool]


class Unshared(Options):
    """On how many customers one value may stand."""

    most: int = asked(N_("一个号码最多允许登记在几户"), 3, ge=1, le=1000)


def is_unshared(session: Session, cutoff: datetime, parameters: Unshared) -> Finder:
    """What finds values that stood on more customers than allowed, wherever these are."""
    query = (
        select(Contact.value)
        .where(Contact.kind.in_(SETS["is_unshared"].kinds), Contact.state.in_(SETTLED), Contact.value != "")
        .where(or_(Contact.recorded_at.is_(None), Contact.recorded_at <= cutoff))
        .where(or_(Contact.current_until.is_(None), Contact.current_until > cutoff))
        .group_by(Contact.value)
        .having(func.count(Contact.customer_id.distinct()) > parameters.most)
    )
    found = frozenset(session.scalars(query))
    return lambda item: item.value in found


def _separate(_record: Record) -> str:
    return "separate"


SETS: dict[str, Function] = {
    "is_unshared": Function(
        N_("一号一户"),
        N_("同一号码没有登记在许多户名下。"),
        "0304",
        None,
        _separate,
        Unshared,
        ("mobile", "landline"),
    ),
}

FINDERS: dict[str, Callable[[Session, datetime, Any], Finder]] = {"is_unshared": is_unshared}
