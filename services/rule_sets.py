"""Functions of rules that need the whole set: which values stand on many customers, as at the cut-off."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from models import Contact, NumberAllowance
from models.clock import ZONE
from models.options import Options, asked
from models.words import N_
from quality.rules import Function, Record
from services.assessed import SETTLED, Item

Finder = Callable[[Item], bool]


@dataclass(frozen=True)
class Asked:
    """As at which moment a set is looked at, and for whose records (None: all) something is to be found."""

    cutoff: datetime
    customers: Collection[int] | None = None


class Unshared(Options):
    """On how many customers one value may stand."""

    most: int = asked(N_("一个号码最多允许登记在几户"), 3, ge=1, le=1000)


def is_unshared(session: Session, asked: Asked, parameters: Unshared) -> Finder:
    """What finds values that stood on more customers than allowed, wherever these are; allow-listed ones are not."""
    query = _standing(select(Contact.value), asked.cutoff).where(Contact.value.not_in(_allowed(asked.cutoff)))
    if asked.customers is not None:
        theirs = select(Contact.value).where(Contact.customer_id.in_(asked.customers), Contact.value != "")
        query = query.where(Contact.value.in_(theirs))
    many = func.count(Contact.customer_id.distinct()) > parameters.most
    found = frozenset(session.scalars(query.group_by(Contact.value).having(many)))
    return lambda item: item.value in found


def _standing(query: Select[tuple[str]], cutoff: datetime) -> Select[tuple[str]]:
    return (
        query.where(
            Contact.kind.in_(SETS["is_unshared"].kinds), Contact.state.in_(SETTLED), Contact.value != ""
        )
        .where(or_(Contact.recorded_at.is_(None), Contact.recorded_at <= cutoff))
        .where(or_(Contact.current_until.is_(None), Contact.current_until > cutoff))
    )


def _allowed(cutoff: datetime) -> Select[tuple[str]]:
    """Numbers that landlords, property managers and the like may have on many customers."""
    allowance, day = NumberAllowance, cutoff.astimezone(ZONE).date()
    running = or_(allowance.until.is_(None), allowance.until >= day)
    not_ended = or_(allowance.ended_at.is_(None), allowance.ended_at > cutoff)
    return select(allowance.value).where(running, not_ended)


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

FINDERS: dict[str, Callable[[Session, Asked, Any], Finder]] = {"is_unshared": is_unshared}
