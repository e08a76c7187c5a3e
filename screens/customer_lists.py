"""How customers are found and listed: the search, the filters by verdict and reach, the columns."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_security import current_user
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from models import Contact, Customer, db
from models.contacts import GOOD
from models.words import SENSITIVITIES, VERDICTS
from quality import judge
from quality.verdicts import Context
from screens import looks, masking
from screens.filters import Filter
from screens.forms import choices
from services import Refused, reach

SHOWN_KINDS = ("mobile", "landline", "supply_address")
NONE_AT_ALL = "none"


def find(query: Select[Any], text: str) -> Select[Any]:
    """Customers by account number or phone exactly, else by the beginning of the name."""
    plain = unicodedata.normalize("NFKC", text).strip()
    context = Context(area_code=current_user.unit.area_code)
    numbers = judge("phone", plain, context).values if any(sign.isdigit() for sign in plain) else ()
    if not numbers and not plain.isdigit():
        return query.where(begins_with(Customer.name, plain))
    bearers = select(Contact.customer_id).where(Contact.value.in_(numbers), Contact.state == "current")
    return query.where(or_(Customer.account_no == plain, Customer.id.in_(bearers)))


def begins_with(column: Any, text: str) -> Any:
    """A prefix condition that SQLite answers from its index, and PostgreSQL answers rightly in any collation."""
    same_start = column.startswith(text, autoescape=True)
    if db.session.get_bind().dialect.name != "sqlite":
        return same_start
    return (column >= text) & (column < f"{text}\U0010ffff") & same_start


def verdict_filter(key: str, label: Any, kind: str) -> Filter:
    """Customers whose current value of a kind has a verdict, or who have none."""

    def apply(query: Any, value: str) -> Any:
        current = select(Contact.customer_id).where(Contact.kind == kind, Contact.state == "current")
        if value == NONE_AT_ALL:
            return query.where(Customer.id.not_in(current))
        return query.where(Customer.id.in_(current.where(Contact.verdict == value)))

    return Filter(key, label, [*choices(VERDICTS), (NONE_AT_ALL, _l("未录入"))], apply)


def reached(query: Any, value: str) -> Any:
    """Customers that a channel works for, or none."""
    return query.where(reach.unreachable() if value == NONE_AT_ALL else reach.reached_by(value))


def load(session: Session, rows: Sequence[Customer]) -> Mapping[int, dict[str, Any]]:
    """The first current value of the shown kinds, and the channels that work, of the customers on one page."""
    ids = [row.id for row in rows]
    query = select(Contact).where(Contact.customer_id.in_(ids), Contact.state == "current")
    query = query.where(Contact.kind.in_(SHOWN_KINDS)).order_by(Contact.preferred, Contact.id.desc())
    found: dict[int, dict[str, Any]] = {key: {"reach": ()} for key in ids}
    for contact in session.scalars(query):
        found[contact.customer_id][contact.kind] = contact
    for key, channels in reach.channels_of(session, ids).items():
        found[key]["reach"] = channels
    return found


def phone_column(_row: Customer, extra: dict[str, Any]) -> Any:
    """The mobile with its verdict where that is not good; where there is none that works, the landline."""
    found = [extra[kind] for kind in ("mobile", "landline") if kind in extra]
    shown = next((contact for contact in found if contact.verdict in GOOD), found[0] if found else None)
    return judged(shown, masking.contact_text(shown) if shown else "")


def address_column(row: Customer, extra: dict[str, Any]) -> Any:
    """The supply address without what the unit's region says already."""
    contact = extra.get("supply_address")
    return judged(contact, masking.contact_text(contact).removeprefix(row.unit.region) if contact else "")


def judged(contact: Contact | None, text: str) -> Any:
    """A masked value with its verdict where that is not good."""
    if contact is None:
        return looks.badge("missing", "VERDICTS")
    return (
        text if contact.verdict == "valid" else looks.joined(text, looks.badge(contact.verdict, "VERDICTS"))
    )


def channels_column(_row: Customer, extra: dict[str, Any]) -> Any:
    """The channels that work for a customer."""
    words = " ".join(looks.word(channel, "CHANNELS") for channel in extra["reach"])
    return words or looks.badge_text("bad", _("不可达"))


def typed_facts(form: Mapping[str, str], managers: Collection[int]) -> dict[str, Any]:
    """What was typed about a customer; a manager outside one's reach, or a word that is none, is refused."""
    manager = form.get("manager_id", "")
    if manager and not (manager.isdigit() and int(manager) in managers):
        raise Refused(_("所选客户经理不在您的单位范围内，请重新选择。"))
    if form.get("sensitivity") not in SENSITIVITIES:
        raise Refused(_("请选择敏感级别。"))
    texts = {name: form.get(name, "").strip()[:60] for name in ("meter_book", "transformer_area")}
    return {"manager_id": int(manager) if manager else None, "sensitivity": form["sensitivity"], **texts}
