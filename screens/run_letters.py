"""Letters of a run that were not made, came back, lack a sign or the end of a text: whose, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select

from models import Campaign, Customer, Letter, Recipient, Run, db
from screens import masking
from screens.row_words import reason_word
from services.letters import GONE, MENDABLE, number_of

SHOWN = 20
ADVICE = {
    "address_too_long": _l("地址太长，信封窗口里放不下。打开客户，把通讯地址改短（去掉重复的地名、说明）。"),
    "doubtful_address": _l("没有可用的地址。打开客户，核实并补上通讯地址。"),
    "undelivered": _l(
        "信退回来了。打开客户看退信原因和走访任务；有了新地址，在“发送对象”里补打，或等走访结果。"
    ),
    "missing_glyph": _l(
        "信上有字库里没有的字，印成了“〓”。在打印件上手工补写，或在客户资料里改用通行的字后补打。"
    ),
    "cut_short": _l("信上有内容太长，方框里排不下，末尾印成了“…”。在打印件上手工补全，或把资料改短后补打。"),
}
NOW, LATER = _l("改好以后点“补发”。"), _l("活动不在进行中，改好以后下一次活动会选到。")
FLAWS = {"missing_glyph": ("missing", _l("缺字：%(text)s")), "cut_short": ("cut", _l("没有印全：%(text)s"))}
ORDER = ("address_too_long", *FLAWS, "undelivered", "doubtful_address")


@dataclass(frozen=True)
class Trouble:
    """One letter that failed: of which customer, why, what to do; `recipient_id` where it can be made late."""

    kind: str
    customer_id: int
    customer: str
    why: str
    letter: str = ""
    recipient_id: int | None = None

    @property
    def advice(self) -> str:
        """What to do about it; a letter is made late only while its campaign runs."""
        if self.kind not in MENDABLE:
            return str(ADVICE[self.kind])
        return _("%(advice)s%(then)s", advice=ADVICE[self.kind], then=NOW if self.recipient_id else LATER)


@dataclass(frozen=True)
class Troubles:
    """Those of one campaign, some of each sort; `more`: sorts of which there are further ones in the list."""

    campaign_id: int
    rows: Sequence[Trouble]
    more: Sequence[tuple[str, dict[str, str]]]


def troubles_of(run: Run) -> Troubles | None:
    """Letters that failed in the campaign of a run; None for a run without one, or when all is well."""
    campaign = db.session.scalar(select(Campaign).where(Campaign.run_id == run.id))
    if campaign is None:
        return None
    found = {kind: list(rows) for kind, rows in _found(run, campaign)}
    rows = [trouble for kind in ORDER for trouble in found.get(kind, ())[:SHOWN]]
    more = [
        (str(reason_word("exclusion", kind) if kind in MENDABLE else _("退信")), _list_of(kind))
        for kind in ORDER
        if len(found.get(kind, ())) > SHOWN and kind not in FLAWS
    ]
    return Troubles(campaign.id, rows, more) if rows else None


def _list_of(kind: str) -> dict[str, str]:
    return {"exclusion": kind} if kind in MENDABLE else {"bucket": "undelivered"}


def _found(run: Run, campaign: Campaign) -> Iterator[tuple[str, Iterator[Trouble]]]:
    late = campaign.state == "running"
    for kind in MENDABLE:
        query = select(Recipient, Customer).join(Customer, Customer.id == Recipient.customer_id)
        query = query.where(Recipient.campaign_id == campaign.id, Recipient.exclusion == kind)
        rows = db.session.execute(query.order_by(Recipient.id).limit(SHOWN + 1)).all()
        yield kind, (_left_out(recipient, customer, late=late) for recipient, customer in rows)
    back = _letters(campaign).where(Letter.state == "undelivered").order_by(Letter.serial).limit(SHOWN + 1)
    yield "undelivered", (_back(letter, customer) for letter, customer in db.session.execute(back).all())
    for kind, (name, why) in FLAWS.items():
        if flawed := _flawed(run, name):
            yield kind, _flaws(campaign, kind, flawed, why=why)


def _letters(campaign: Campaign) -> Select[Any]:
    query = select(Letter, Customer).join(Customer, Customer.id == Letter.customer_id)
    return query.where(Letter.campaign_id == campaign.id)


def _flawed(run: Run, name: str) -> dict[str, str]:
    """The letters that a run's steps name under a result, by number, with the signs or texts."""
    found: dict[str, list[str]] = {}
    for result in run.facts.values():
        for told in result.get(name) or ():
            number, blank, text = told.partition(" ") if isinstance(told, str) else ("", "", "")
            if blank:
                found.setdefault(number, []).append(text)
    return {number: _("、").join(dict.fromkeys(texts)) for number, texts in found.items()}


def _flaws(campaign: Campaign, kind: str, flawed: dict[str, str], *, why: Any) -> Iterator[Trouble]:
    numbers = [int(serial) for number in flawed if (serial := number.rpartition("-")[2]).isdecimal()]
    query = _letters(campaign).where(Letter.serial.in_(numbers), Letter.state.not_in(GONE))
    for letter, customer in db.session.execute(query.order_by(Letter.serial).limit(SHOWN + 1)).all():
        number = number_of(letter)
        said = why % {"text": flawed.get(number, "")}
        yield Trouble(kind, customer.id, _name(customer), said, number)


def _left_out(recipient: Recipient, customer: Customer, *, late: bool) -> Trouble:
    why = reason_word("exclusion", recipient.exclusion)
    again = recipient.id if late else None
    return Trouble(recipient.exclusion, customer.id, _name(customer), why, recipient_id=again)


def _back(letter: Letter, customer: Customer) -> Trouble:
    why = _("退信：%(reason)s", reason=reason_word("undelivered", letter.undelivered_reason))
    return Trouble("undelivered", customer.id, _name(customer), why, number_of(letter))


def _name(customer: Customer) -> str:
    return f"{customer.account_no} {masking.name_text(customer.name)}"
