"""Two customers side by side: what agrees and differs in words, and the lines of the form that merges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from sqlalchemy.orm import Session

from models import Contact, Customer
from screens import looks, masking
from screens.row_words import kinds_word
from services import merges

PARTS = {
    "account": {"same": _l("户号只差前面的零或符号")},
    "identity": {"same": _l("证件相同"), "differs": _l("证件不同")},
    "name": {
        "same": _l("户名相同"),
        "sounds": _l("户名同音"),
        "close": _l("户名只差一字"),
        "differs": _l("户名不同"),
    },
    "address": {"same": _l("同一门户"), "near": _l("同一门牌或小区"), "differs": _l("地址不同")},
    "phone": {"same": _l("电话相同"), "differs": _l("电话不同")},
}
TONES = {"same": "good", "sounds": "fair", "close": "fair", "near": "fair", "differs": "bad"}
LABELS = {
    "account_no": _l("户号"),
    "name": _l("户名"),
    "usage_class": _l("用电类别"),
    "customer_class": _l("客户类别"),
    "sensitivity": _l("敏感级别"),
    "manager_id": _l("客户经理"),
    "transformer_area": _l("台区"),
    "meter_book": _l("抄表册"),
    "meter_no": _l("电能表号"),
    "opened_on": _l("立户日期"),
    "identity": _l("证件"),
    "uscc": _l("信用代码"),
}
WORDS = {"usage_class": "USAGE_CLASSES", "customer_class": "CUSTOMER_CLASSES", "sensitivity": "SENSITIVITIES"}


@dataclass(frozen=True)
class Line:
    """One line: its key, its label, what either side says, what may be chosen, and what is chosen first.

    `differs` goes by the plain values: masked, two numbers may look alike.
    """

    key: str
    label: str
    kept: str
    merged: str
    choices: Sequence[str]
    usual: str = ""
    differs: bool = False

    @property
    def is_hidden(self) -> bool:
        """Whether the difference lies under the mask."""
        return self.differs and self.kept == self.merged


def parts(found: Mapping[str, str]) -> Markup:
    """What agrees and differs, as badges in words; what nothing is known of is left out."""
    said = [(TONES[how], PARTS[part][how]) for part, how in found.items() if how in PARTS.get(part, {})]
    badges = looks.joined(*(looks.badge_text(tone, str(text)) for tone, text in said))
    return Markup('<span class="badges">{}</span>').format(badges)


def lines(session: Session, kept: Customer, merged: Customer) -> list[Line]:
    """Facts, then the values by kind, of two customers."""
    values = merges.current_values(session, [kept.id, merged.id])
    kinds = list(dict.fromkeys(row.kind for row in values))
    usual = merges.usual_choices(kept, merged, kinds)
    facts = [_fact_line(name, kept, merged, usual[name]) for name in merges.FACTS]
    return facts + [_value_line(kind, values, (kept.id, merged.id), usual[kind]) for kind in kinds]


def _fact_line(name: str, kept: Customer, merged: Customer, usual: str) -> Line:
    differs = any(getattr(kept, one) != getattr(merged, one) for one in merges.FACTS[name])
    sides = (_fact(kept, name), _fact(merged, name))
    return Line(name, str(LABELS[name]), *sides, ("kept", "merged"), usual, differs)


def _value_line(kind: str, rows: Sequence[Contact], ids: tuple[int, int], usual: str) -> Line:
    sides = [[row for row in rows if row.kind == kind and row.customer_id == key] for key in ids]
    plain = [{(row.value or row.raw, row.extension) for row in side} for side in sides]
    texts = [_("、").join(masking.contact_text(row) for row in side) for side in sides]
    return Line(kind, kinds_word(kind), *texts, ("both", "kept", "merged"), usual, plain[0] != plain[1])


def title(customer: Customer) -> str:
    """A customer by account number and masked name."""
    return f"{customer.account_no} {masking.name_text(customer.name)}"


def _fact(customer: Customer, name: str) -> str:
    if name == "name":
        return masking.name_text(customer.name)
    if name == "manager_id":
        return customer.manager.name if customer.manager else ""
    if name == "opened_on":
        return looks.day(customer.opened_on)
    if name == "identity":
        return _("尾号 %(digits)s", digits=customer.id_last4) if customer.id_last4 else ""
    value = str(getattr(customer, name) or "")
    if name == "uscc" and value:
        return f"{value[:4]}****{value[-4:]}"
    return looks.word(value, WORDS[name]) if name in WORDS else value

