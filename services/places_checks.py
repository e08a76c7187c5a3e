"""Cross-checks by the network: an address that shares no street with the rest of its transformer area or meter book."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Contact, Customer
from models.contacts import GOOD
from quality.neighbours import FEWEST, stand_apart
from services.judging import contexts

CHUNK = 2000  # customers looked at together
AREAS = ("transformer_area", "meter_book")  # the smaller first


@dataclass(frozen=True)
class Outlier:
    """A supply address that lies elsewhere than its neighbours: `area` says by what (transformer_area or meter_book),
    `code` which one, `place` the road, village or estate that most of them share, `neighbours` how many there are."""

    customer_id: int
    contact_id: int
    area: str
    code: str
    place: str
    neighbours: int


def outliers(session: Session, unit_id: int) -> Iterator[list[Outlier]]:
    """The customers of one unit whose supply address stands apart, chunk by chunk of whole areas; the caller may
    commit between chunks. A soft sign: the address, or the area that the customer is recorded in, may be wrong."""
    region = contexts(session)[unit_id].region
    told: set[int] = set()
    for area in AREAS:
        for codes in _codes(session, unit_id, area):
            found = [
                one for one in _apart(session, unit_id, area, codes, region) if one.customer_id not in told
            ]
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


def _apart(session: Session, unit_id: int, area: str, codes: Sequence[str], region: str) -> Iterator[Outlier]:
    column: Any = getattr(Customer, area)
    query = (
        select(Contact.id, Contact.customer_id, Contact.value, column.label("code"))
        .join(Customer, Customer.id == Contact.customer_id)
        .where(Customer.unit_id == unit_id, column.in_(codes), Contact.kind == "supply_address")
        .where(Contact.state == "current", Contact.verdict.in_(GOOD))
    )
    rows: dict[str, dict[int, Any]] = defaultdict(dict)
    for row in session.execute(query.order_by(Contact.id)):
        rows[row.code][row.id] = row
    for code, group in rows.items():
        apart = stand_apart({key: row.value for key, row in group.items()}, region)
        for key, place in apart.items():
            yield Outlier(group[key].customer_id, key, area, code, place, len(group))
