"""Cross-checks by the network: who shares no street, or no post office, with their transformer area or meter book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Contact, Customer
from models.contacts import GOOD
from quality.neighbours import FEWEST, posted_apart, stand_apart

CHUNK = 2000  # customers looked at together
AREAS = ("transformer_area", "meter_book")  # the smaller first
Finder = Callable[[Mapping[int, str]], dict[int, str]]


@dataclass(frozen=True)
class Outlier:
    """A supply address (or postcode) that lies elsewhere than its neighbours: `area` says by what (transformer_area or
    meter_book), `code` which one, `place` the road, village or estate (the first digits) that most of them share,
    `neighbours` how many there are."""

    customer_id: int
    contact_id: int
    area: str
    code: str
    place: str
    neighbours: int


def outliers(session: Session, unit_id: int) -> Iterator[list[Outlier]]:
    """The customers of one unit whose supply address stands apart, chunk by chunk of whole areas; the caller may
    commit between chunks. A soft sign: the address, or the area that the customer is recorded in, may be wrong."""
    return _found(session, unit_id, "supply_address", stand_apart)


def postcode_outliers(session: Session, unit_id: int) -> Iterator[list[Outlier]]:
    """The customers of one unit whose postcode is of another post office than their neighbours', in the same way."""
    return _found(session, unit_id, "postcode", posted_apart)


def _found(session: Session, unit_id: int, kind: str, who: Finder) -> Iterator[list[Outlier]]:
    told: set[int] = set()
    for area in AREAS:
        for codes in _codes(session, unit_id, area):
            groups = _groups(session, unit_id, area, codes, kind=kind)
            apart = [one for code, rows in groups.items() for one in _apart(area, code, rows, who)]
            found = [one for one in apart if one.customer_id not in told]
            told.update(one.customer_id for one in found)
            if found:
                yield found


def _codes(session: Session, unit_id: int, area: str) -> Iterator[list[str]]:
    """The areas of a unit with enough customers, in lists of about one chunk."""
    column = getattr(Customer, area)
    query = select(column, func.count()).where(Customer.unit_id == unit_id, column != "").group_by(column)
    codes: list[str] = []
    total = 0
    for code, number in session.execute(query.having(func.count() >= FEWEST).order_by(column)).all():
        if codes and total + number > CHUNK:
            yield codes
            codes, total = [], 0
        codes.append(code)
        total += number
    if codes:
        yield codes


def _groups(
    session: Session, unit_id: int, area: str, codes: Sequence[str], *, kind: str
) -> dict[str, dict[int, Any]]:
    """The current values of a kind by area and contact."""
    column: Any = getattr(Customer, area)
    query = (
        select(Contact.id, Contact.customer_id, Contact.value, column.label("code"))
        .join(Customer, Customer.id == Contact.customer_id)
        .where(Customer.unit_id == unit_id, column.in_(codes), Contact.kind == kind)
        .where(Contact.state == "current", Contact.verdict.in_(GOOD))
    )
    groups: dict[str, dict[int, Any]] = defaultdict(dict)
    for row in session.execute(query.order_by(Contact.id)):
        groups[row.code][row.id] = row
    return groups


def _apart(area: str, code: str, rows: Mapping[int, Any], who: Finder) -> Iterator[Outlier]:
    for key, place in who({key: row.value for key, row in rows.items()}).items():
        yield Outlier(rows[key].customer_id, key, area, code, place, len(rows))
