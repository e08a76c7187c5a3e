"""The ticks of a returned form: preferences by channel, consent, and what only the counter can do becomes a task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models import Consent, Customer, Letter, Preference
from models.clock import now
from models.words import N_, RELATIONS, Said
from services import Refused, reach, tasks

SOURCE = "returned_form"
CHANNELS = {
    "outage": ("sms", "wechat", "call", "letter"),
    "billing": ("sms", "wechat", "email", "paper_bill"),
}
OTHER = {"transferred": N_("房屋已转让"), "rented": N_("已出租"), "not_theirs": N_("非本户")}
WISHES = {"name": N_("户名变更"), "supply_address": N_("用电地址变更")}


@dataclass(frozen=True)
class Ticks:
    """`channels`: (purpose, channel) pairs; `other` and `wishes` are for the counter."""

    channels: tuple[tuple[str, str], ...] = ()
    wechat_bind: bool = False
    consent: bool = False
    other: tuple[str, ...] = ()
    wishes: tuple[str, ...] = ()


def check_ticks(ticks: Ticks, relation: str) -> None:
    """Refuse ticks that the form does not have."""
    unknown = [pair for pair in ticks.channels if pair[1] not in CHANNELS.get(pair[0], ())]
    if unknown or set(ticks.other) - set(OTHER) or set(ticks.wishes) - set(WISHES):
        raise Refused("勾选的内容不在表上。请刷新页面后重新录入。")
    if relation and relation not in RELATIONS:
        raise Refused("“填表人与户主关系”不在选项里。请刷新页面后重新录入。")


def apply_ticks(
    session: Session, customer: Customer, ticks: Ticks, *, letter: Letter, note: str = ""
) -> dict[str, Any]:
    """Write what the ticks say; returns what the undo needs: preferences as they were, new consents, the task."""
    before = _prefer(session, customer, ticks.channels)
    consents = _consent(session, customer, ticks)
    return {
        "preferences_before": before,
        "consents": consents,
        "task_id": _ask_counter(session, customer, ticks, letter=letter, note=note),
    }


def restore_preferences(session: Session, customer: Customer, before: dict[str, Sequence[str]]) -> None:
    """Put the channels of each purpose back as they were before a form that was taken back."""
    for purpose, channels in before.items():
        _replace(session, customer, purpose, channels)


def _prefer(session: Session, customer: Customer, pairs: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Ticks for a purpose take the place of what was wished before; no tick leaves it as it is."""
    before: dict[str, list[str]] = {}
    for purpose in dict.fromkeys(pair[0] for pair in pairs):
        query = select(Preference.channel).where(
            Preference.customer_id == customer.id, Preference.purpose == purpose
        )
        before[purpose] = list(session.scalars(query.order_by(Preference.id)))
        _replace(session, customer, purpose, [channel for one, channel in pairs if one == purpose])
    return before


def _replace(session: Session, customer: Customer, purpose: str, channels: Sequence[str]) -> None:
    session.execute(
        delete(Preference).where(Preference.customer_id == customer.id, Preference.purpose == purpose)
    )
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id, "source": SOURCE, "since": now(session)}
    session.add_all(
        Preference(purpose=purpose, channel=channel, **facts) for channel in dict.fromkeys(channels)
    )
    session.flush()


def _consent(session: Session, customer: Customer, ticks: Ticks) -> list[int]:
    """Consent covers the channels that were ticked with it; the WeChat tick is one of its own."""
    pairs = list(ticks.channels) if ticks.consent else []
    pairs += [("business", "wechat")] if ticks.wechat_bind else []
    facts = {"customer_id": customer.id, "unit_id": customer.unit_id, "source": SOURCE, "since": now(session)}
    rows = [Consent(purpose=purpose, channel=channel, granted=True, **facts) for purpose, channel in pairs]
    session.add_all(rows)
    session.flush()
    reach.keep(session, [customer.id] if rows else [])
    return [row.id for row in rows]


def _ask_counter(
    session: Session, customer: Customer, ticks: Ticks, *, letter: Letter, note: str
) -> int | None:
    words = [OTHER[code] for code in ticks.other] + [WISHES[code] for code in ticks.wishes]
    if not words:
        return None
    wanted = "、".join(words)
    message = Said(
        "函件 %(serial)s 的回函：%(wanted)s。%(note)s",
        serial=letter.facts["letter"]["serial"],
        wanted=wanted,
        note=note.strip()[:500],
    )
    details = {"letter": letter.id, "other": list(ticks.other), "wishes": list(ticks.wishes), "message": message}
    task = tasks.open_task(
        session,
        "counter_request",
        Said("回函待柜台办理：%(wanted)s", wanted=wanted),
        unit_id=customer.unit_id,
        customer_id=customer.id,
        details=details,
        permission="returns.key",
        link=f"/admin/customers/{customer.id}",
    )
    return task.id
