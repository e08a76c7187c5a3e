"""What the page of one customer shows: contacts by kind with their history, proposals, who may see what plainly."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import Confirmation, Consent, Contact, ContactKind, Customer, Issue, Preference, Sheet
from models.contacts import latest_confirmations
from quality.address_codes import explain
from quality.verdicts import REASONS
from screens.masking import OPEN_KINDS, contact_text
from screens.messages import said
from services import Refused, crops, duplicates, merges
from services.judging import ADDRESSES, judge_in
from services.key_fields import area_of

FIXED = ("supply_address",)
PAST = ("superseded", "refused", "withdrawn", "stopped")


class Why(NamedTuple):
    """A reason of a verdict, by code and in a sentence; each has a page."""

    code: str
    sentence: str


@dataclass(frozen=True)
class Line:
    """One version on the page: what may be shown of it, and what was found about its value."""

    row: Contact
    text: str
    plain: bool
    reasons: Sequence[Why]
    finding: Confirmation | None
    replaced: str = ""
    understood: Sequence[str] = ()
    picture: str = ""

    @property
    def is_covered(self) -> bool:
        """Whether there is more to see than what is shown."""
        return not self.plain and self.row.kind not in OPEN_KINDS and bool(self.text)


@dataclass(frozen=True)
class Group:
    """All versions of one kind: those in use, those that wait, those that were."""

    code: str
    label: str
    current: Sequence[Line]
    waiting: Sequence[Line]
    past: Sequence[Line]


def groups(session: Session, customer: Customer, revealed: frozenset[int]) -> list[Group]:
    """The customer's contacts by kind, in the order of kinds; kinds without any version at the end are left out."""
    query = select(Contact).where(Contact.customer_id == customer.id)
    query = query.options(joinedload(Contact.recorder), joinedload(Contact.decided_by))
    rows = session.scalars(query.order_by(Contact.preferred.desc(), Contact.id.desc())).all()
    found = latest_confirmations(session, [customer.id])
    texts = {row.id: contact_text(row, plain=row.id in revealed) for row in rows}
    lines = [_line(row, texts, found, revealed) for row in rows]
    lines = [replace(line, understood=_understood(session, line.row)) for line in lines]
    lines = [replace(line, picture=_picture(session, line.row)) if line.plain else line for line in lines]
    kinds = session.scalars(select(ContactKind).order_by(ContactKind.position)).all()
    return [_group(kind, [line for line in lines if line.row.kind == kind.code]) for kind in kinds]


def kinds(session: Session) -> list[tuple[str, str]]:
    """The kinds that are recorded at a desk: name and supply address change only by a transfer."""
    rows = session.execute(select(ContactKind.code, ContactKind.label).order_by(ContactKind.position))
    return [(row.code, _(row.label)) for row in rows if row.code not in FIXED]


def preferences(session: Session, customer: Customer) -> dict[str, list[str]]:
    """By purpose, the channels the customer wants."""
    rows = session.scalars(
        select(Preference).where(Preference.customer_id == customer.id).order_by(Preference.id)
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.purpose, []).append(row.channel)
    return found


def consents(session: Session, customer: Customer) -> list[Consent]:
    """The latest word on each purpose and channel."""
    rows = session.scalars(select(Consent).where(Consent.customer_id == customer.id).order_by(Consent.id))
    return list({(row.purpose, row.channel): row for row in rows}.values())


def sentences(reasons: str) -> list[str]:
    """Reason codes joined by semicolons, as sentences."""
    return [why.sentence for why in whys(reasons)]


def whys(reasons: str) -> list[Why]:
    """The same, each with its code."""
    return [Why(code, _(REASONS[code])) for code in reasons.split(";") if code in REASONS]


def _line(
    row: Contact, texts: Mapping[int, str], found: Mapping[Any, Confirmation], revealed: frozenset[int]
) -> Line:
    finding = found.get((row.customer_id, row.kind, row.value or row.raw[:400]))
    return Line(
        row=row,
        text=texts[row.id],
        plain=row.id in revealed,
        reasons=whys(row.reasons),
        finding=finding if finding is not None and finding.result != "withdrawn" else None,
        replaced=texts.get(row.replaces_id or 0, ""),
    )


def _understood(session: Session, row: Contact) -> list[str]:
    """How an address in use is understood today, in sentences."""
    if row.kind not in ADDRESSES or row.state != "current":
        return []
    return [said(one) for one in explain(judge_in(session, row.unit_id, row.kind, row.raw).code)]


def _picture(session: Session, row: Contact) -> str:
    """What was written on the form, as it was scanned, for the page alone: it stands in no address."""
    found = crops.EVIDENCE.search(row.evidence)
    sheet = session.scalar(select(Sheet).where(Sheet.id == int(found["sheet"]))) if found else None
    if found is None or sheet is None:
        return ""
    try:
        png = crops.crop(sheet, area_of(sheet, found["field"]))
    except Refused:
        return ""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def _group(kind: ContactKind, lines: Sequence[Line]) -> Group:
    return Group(
        code=kind.code,
        label=_(kind.label),
        current=[line for line in lines if line.row.state == "current"],
        waiting=[line for line in lines if line.row.state == "proposed"],
        past=[line for line in lines if line.row.state in PAST],
    )


def issues_of(session: Session, customer_id: int) -> list[Issue]:
    """What rules found wrong with a customer's records and nobody has cleared yet, the most urgent first."""
    query = select(Issue).where(Issue.customer_id == customer_id, Issue.state != "cleared")
    shown = query.options(joinedload(Issue.rule), joinedload(Issue.owner))
    return list(session.scalars(shown.order_by(Issue.due_on, Issue.id)))


def family(session: Session, customer: Customer) -> dict[str, Any]:
    """The account that this one was merged into, those merged into it, and those said to be of the same people."""
    into = session.scalar(select(Customer.account_no).where(Customer.id == customer.merged_into_id))
    absorbed = session.scalars(select(Customer).where(Customer.id.in_(merges.absorbed(session, customer.id))))
    known = duplicates.related(session, customer.id)
    found = session.scalars(select(Customer).where(Customer.id.in_(known)).order_by(Customer.account_no))
    related = [(row, known[row.id]) for row in found if row.merged_into_id is None]
    return {"into": into, "absorbed": absorbed.all(), "related": related}
