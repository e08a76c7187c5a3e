"""Functions of rules that need the whole set: values on many customers, addresses and postcodes away from their
neighbours'."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from models import Contact, Customer, NumberAllowance
from models.clock import ZONE
from models.options import Options, asked
from models.words import N_
from quality.rules import Function, Record
from services.assessed import SETTLED, Item
from services.places_checks import Outlier, outliers, postcode_outliers

Finder = Callable[[Item], bool]


@dataclass(frozen=True)
class Asked:
    """As at which moment a set is looked at, in which units, and for whose records (None: all of them)."""

    cutoff: datetime
    units: Collection[int]
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


def is_near_neighbours(session: Session, asked: Asked, _parameters: Options) -> Finder:
    """What finds addresses that share no street with their transformer area or meter book, as these stand now."""
    return _apart(session, asked, outliers)


def is_posted_with_neighbours(session: Session, asked: Asked, _parameters: Options) -> Finder:
    """What finds postcodes of another post office than nearly all of the transformer area or meter book have."""
    return _apart(session, asked, postcode_outliers)


def _apart(session: Session, asked: Asked, found_in: Callable[[Session, int], Iterator[list[Outlier]]]) -> Finder:
    found: set[int] = set()
    for unit_id in _units(session, asked):
        for chunk in found_in(session, unit_id):
            found.update(one.contact_id for one in chunk)
    return lambda item: item.record.contact_id in found


def _units(session: Session, asked: Asked) -> list[int]:
    """The units whose addresses are compared: the run's, or those of the asked customers."""
    if asked.customers is None:
        return sorted(asked.units)
    theirs = select(Customer.unit_id).where(Customer.id.in_(asked.customers)).distinct()
    return sorted(session.scalars(theirs))


def _compare(_record: Record) -> str:
    return "compare"


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
    "is_near_neighbours": Function(
        N_("与邻户在一处"),
        N_("地址与同台区、同抄表册的多数客户在同一条路、同一村或同一小区；按现在的台区和抄表册比对。"),
        "0402",
        None,
        _compare,
        kinds=("supply_address",),
    ),
    "is_posted_with_neighbours": Function(
        N_("邮编与邻户一致"),
        N_("邮政编码与同台区、同抄表册的多数客户同属一个投递局（前四位相同）；按现在的台区和抄表册比对，混杂的台区不判。"),
        "0402",
        None,
        _compare,
        kinds=("postcode",),
    ),
}

FINDERS: dict[str, Callable[[Session, Asked, Any], Finder]] = {
    "is_unshared": is_unshared,
    "is_near_neighbours": is_near_neighbours,
    "is_posted_with_neighbours": is_posted_with_neighbours,
}
