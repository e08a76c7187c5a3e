"""How customers are found and listed: the search, the filters by unit, verdict and reach, the columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Contact, Customer, Staff, Unit
from models.contacts import GOOD
from models.words import CHANNELS, CUSTOMER_CLASSES, SENSITIVITIES, VERDICTS
from screens import looks, masking
from screens.filters import Filter
from screens.forms import choices
from screens.listings import Asked, Slice
from screens.pickers import manager_choices, unit_steps
from services import Refused, customer_pages, reach
from services.customer_pages import ENTRY, Wanted
from services.search_texts import CLASS_BITS, CLOSED, NONE, REACH_BITS, VERDICT_BITS, words_of

SHOWN_KINDS = ("mobile", "landline", "supply_address")
NEWEST_FIRST = ("opened_on", "changed_at")
CLOSED_ONLY = "1"
CUSTOMERS, UNITS, PEOPLE, CONTACTS = Customer.__table__, Unit.__table__, Staff.__table__, Contact.__table__
FACTS = (
    "id",
    "account_no",
    "name",
    "customer_class",
    "opened_on",
    "closed_on",
    "changed_at",
    "reach",
    "merged_into_id",
)
VALUES = ("customer_id", "kind", "raw", "value", "verdict")
SHORTEST = 2


def typed(wanted: Wanted, text: str) -> Wanted:
    """The search: any fragment, among closed accounts too."""
    return replace(wanted, text=text).closed_too()


def is_too_short(text: str) -> bool:
    """Whether a word is one sign only: it would stand nearly everywhere."""
    words = words_of(text)
    return not words or any(len(word) < SHORTEST for word in words)


def pages(session: Session, wanted: Wanted, asked: Asked) -> Slice:
    """The customers of one page, in the asking person's scope."""
    place: dict[str, Any] = {"sort": asked.sort, "descending": asked.sort in NEWEST_FIRST}
    place |= {"after": asked.after, "before": asked.before, "size": asked.size}
    page = customer_pages.page(session, replace(wanted, **place))
    found = _rows(session, page.ids)
    rows = [found[key] for key in page.ids if key in found]
    is_back = page.has_place and asked.before is not None
    broad = _("符合的客户很多，按建档先后列出。再多输入几个字，或加上单位等条件，就能排序。")
    return Slice(
        rows,
        has_before=page.more if is_back else page.has_place,
        has_after=True if is_back else page.more,
        number=page.number if page.is_exact or page.sort != ENTRY else None,
        is_exact=page.is_exact,
        note=broad if page.sort == ENTRY else "",
    )


def _rows(session: Session, ids: Sequence[int]) -> dict[int, Any]:
    """What the columns say of customers that were found in one's scope: asked for again, planners walk whole units."""
    facts = [CUSTOMERS.c[name] for name in FACTS]
    query = select(*facts, UNITS.c.name.label("unit"), UNITS.c.region, PEOPLE.c.name.label("manager"))
    query = query.join(UNITS, UNITS.c.id == CUSTOMERS.c.unit_id)
    query = query.outerjoin(PEOPLE, PEOPLE.c.id == CUSTOMERS.c.manager_id).where(CUSTOMERS.c.id.in_(ids))
    return {row.id: row for row in session.connection().execute(query)}


def facet(key: str, label: Any, offered: Sequence[tuple[str, Any]], bits: Mapping[str, int]) -> Filter:
    """A filter over one group of facets."""
    return Filter(key, label, offered, lambda wanted, value: wanted.having(bits[value]))


def reached(wanted: Wanted, channel: str) -> Wanted:
    """Customers whom a channel reaches, any of them, or none."""
    return wanted.without(REACH_BITS[NONE]) if channel == reach.ANY else wanted.having(REACH_BITS[channel])


def verdict_filter(key: str, label: Any, kind: str) -> Filter:
    """Customers whose current value of a kind has a verdict, or who have none."""
    bits = {verdict: bit for (judged, verdict), bit in VERDICT_BITS.items() if judged == kind}
    return facet(key, label, [*choices(VERDICTS), (NONE, _l("未录入"))], bits)


FILTERS = (
    Filter("unit", _l("单位"), unit_steps, lambda wanted, value: replace(wanted, unit_id=int(value))),
    Filter(
        "manager",
        _l("客户经理"),
        manager_choices,
        lambda wanted, value: replace(wanted, manager_id=int(value)),
    ),
    facet("class", _l("客户类别"), choices(CUSTOMER_CLASSES), CLASS_BITS),
    verdict_filter("mobile", _l("手机"), "mobile"),
    verdict_filter("landline", _l("固定电话"), "landline"),
    verdict_filter("address", _l("用电地址"), "supply_address"),
    Filter(
        "reach",
        _l("可达渠道"),
        [
            *((code, _l(CHANNELS[code])) for code in reach.CHANNELS),
            (reach.ANY, _l("任一渠道")),
            (NONE, _l("没有任何渠道")),
        ],
        reached,
    ),
    facet("closed", _l("销户"), [(CLOSED_ONLY, _l("已销户"))], {CLOSED_ONLY: CLOSED}),
)


def load(session: Session, rows: Sequence[Any]) -> Mapping[int, dict[str, Any]]:
    """The first current value of the shown kinds, and the channels that work, of the customers on one page."""
    query = select(*(CONTACTS.c[name] for name in VALUES))
    query = query.where(CONTACTS.c.customer_id.in_([row.id for row in rows]), CONTACTS.c.state == "current")
    query = query.where(CONTACTS.c.kind.in_(SHOWN_KINDS)).order_by(CONTACTS.c.preferred, CONTACTS.c.id.desc())
    found: dict[int, dict[str, Any]] = {row.id: {"reach": reach.channels_in(row.reach)} for row in rows}
    for contact in session.connection().execute(query):
        found[contact.customer_id][contact.kind] = contact
    return found


def name_column(row: Any, _extra: dict[str, Any]) -> Any:
    """The masked name; a closed account says so, a merged one leads to the account that stands for it."""
    name = masking.name_text(row.name)
    if row.merged_into_id is not None:
        link = Markup('<a class="state bad" href="{}">{}</a>')
        return looks.joined(name, link.format(looks.customer_url(row.merged_into_id), _("已并入")))
    return looks.joined(name, looks.badge_text("bad", _("已销户"))) if row.closed_on else name


def phone_column(_row: Any, extra: dict[str, Any]) -> Any:
    """The mobile with its verdict where that is not good; where there is none that works, the landline."""
    found = [extra[kind] for kind in ("mobile", "landline") if kind in extra]
    shown = next((contact for contact in found if contact.verdict in GOOD), found[0] if found else None)
    return judged(shown, masking.contact_text(shown) if shown else "")


def address_column(row: Any, extra: dict[str, Any]) -> Any:
    """The supply address without what the unit's region says already."""
    contact = extra.get("supply_address")
    return judged(contact, masking.contact_text(contact).removeprefix(row.region) if contact else "")


def judged(contact: Any, text: str) -> Any:
    """A masked value with its verdict where that is not good."""
    if contact is None:
        return looks.badge("missing", "VERDICTS")
    return (
        text if contact.verdict == "valid" else looks.joined(text, looks.badge(contact.verdict, "VERDICTS"))
    )


def channels_column(_row: Any, extra: dict[str, Any]) -> Any:
    """The channels that work for a customer."""
    words = " ".join(looks.word(channel, "CHANNELS") for channel in extra["reach"])
    return words or looks.badge_text("bad", _("不可达"))


def typed_facts(form: Mapping[str, str], managers: Collection[int]) -> dict[str, Any]:
    """What was typed about a customer; a manager outside one's reach, or a word that is none, is refused."""
    manager = form.get("manager_id", "")
    if manager and not (manager.isdecimal() and int(manager) in managers):
        raise Refused(_("所选客户经理不在您的单位范围内，请重新选择。"))
    if form.get("sensitivity") not in SENSITIVITIES:
        raise Refused(_("请选择敏感级别。"))
    texts = {name: form.get(name, "").strip()[:60] for name in ("meter_book", "transformer_area")}
    return {"manager_id": int(manager) if manager else None, "sensitivity": form["sensitivity"], **texts}
