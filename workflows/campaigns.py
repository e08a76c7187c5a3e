"""Steps about campaigns: customers selected, the list frozen, silence recorded, the campaign closed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any, Literal

from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Letter
from models.words import CUSTOMER_CLASSES, N_
from services import Refused, balances, campaigns, letterheads, segments
from services.campaigns import Beginning
from services.reply_checks import CHECKS
from services.segments import CONDITIONS, RECENT_DAYS, Segment, Target
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

Condition = Literal["missing", "invalid", "suspect", "refuted"]
Check = Literal["phone", "identity", "meter"]
CustomerClass = Literal["high_voltage", "low_voltage_business", "low_voltage_residential"]


class SelectCustomers(Options):
    """Whom the campaign writes to, and by when they may answer."""

    name: str = asked(N_("活动名称"), "", max_length=120, help=N_("不填就用流程的名称和日期。"))
    segment: str = asked(
        N_("客户群"), "", choices="segments", help=N_("只从这个客户群里选；不选为全部客户。在“客户群”页面可以新建。")
    )
    unit: str = asked(N_("单位"), "", choices="units", help=N_("不选为管辖范围内全部。"))
    kinds: tuple[str, ...] = asked(N_("核对哪些信息"), (), choices="kinds", help=N_("不选为应录项。"))
    conditions: tuple[Condition, ...] = asked(
        N_("哪些情况"),
        tuple(CONDITIONS),
        labels=CONDITIONS,
        help=N_("选中有这些情况的客户；选了客户群时可以一项也不选，群里的客户全部选中。"),
    )
    classes: tuple[CustomerClass, ...] = asked(
        N_("客户类别"), (), labels=CUSTOMER_CLASSES, help=N_("不选为全部。")
    )
    recent_days: int = asked(N_("多少天内联系过的不再发"), RECENT_DAYS, ge=0, le=3660)
    same_address: bool = asked(N_("同户名同地址的合并为一封"), False)
    by_hand: tuple[str, ...] = asked(N_("人工剔除的户号"), (), help=N_("几个户号用逗号隔开。"))
    limit: int = asked(N_("最多选多少户"), 0, ge=0, help=N_("0 为不限。"))
    reply_days: int = asked(N_("请客户在多少天内回复"), campaigns.REPLY_DAYS, ge=1, le=365)
    online_check: Check = asked(
        N_("网上回复先核对什么"),
        "phone",
        labels=CHECKS,
        help=N_("函件上没有的一项，用来确认是客户本人；客户没有登记这一项时依次改用别的。"),
    )

    @model_validator(mode="after")
    def _selects_somebody(self) -> SelectCustomers:
        if not (self.conditions or self.segment):
            raise PydanticCustomError("nobody", N_("请选择客户群，或至少一种要核对的情况"))
        return self


class MarkSilent(Options):
    """No options."""


def segment_of(options: SelectCustomers) -> Segment:
    """The segment that the options describe."""
    return segments.segment_from(options.model_dump())


def plan_select_customers(session: Session, options: SelectCustomers, facts: Facts) -> Planned:
    """Everybody whom the segment hits, with the reason of each exclusion; the first item begins the campaign."""
    segment = segment_of(options)
    segments.check_segment(session, segment)
    return Planned(_selected(session, segment), {})


def select_customers(options: SelectCustomers, facts: Facts, items: Sequence[Item]) -> Effects:
    """Begin the campaign and put the chunk on its list."""
    run = facts["run"]
    beginning = {
        "name": options.name,
        "unit_id": run["unit_id"],
        "owner_id": run["started_by"],
        "run_id": run["id"],
    }
    rows = [item for item in items if "customer_id" in item]
    kwargs = {"beginning": beginning, "options": options.model_dump(), "rows": rows}
    return Effects(calls=[Call(take_targets, kwargs)])


def plan_freeze_recipients(session: Session, options: Options, facts: Facts) -> Planned:
    """Who cannot stay on the whole list; the last item freezes it."""
    return Planned(_late(session, _campaign(session, facts)))


def freeze_recipients(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Leave out, then freeze."""
    campaign_id = facts["run"]["campaign_id"]
    found: dict[str, list[int]] = {}
    for item in items:
        if "reason" in item:
            found.setdefault(item["reason"], []).append(item["recipient_id"])
    calls = [
        Call(campaigns.exclude, {"campaign_id": campaign_id, "recipient_ids": ids, "reason": reason})
        for reason, ids in found.items()
    ]
    last = (
        [Call(freeze_list, {"campaign_id": campaign_id})] if any("freeze" in item for item in items) else []
    )
    return Effects(calls=[*calls, *last])


def plan_mark_silent(session: Session, options: MarkSilent, facts: Facts) -> Planned:
    """The letters that are still open when the time is over."""
    query = select(Letter.id).where(
        Letter.campaign_id == facts["run"]["campaign_id"], *campaigns.still_open()
    )
    return Planned({"letter_id": key} for key in session.scalars(query.order_by(Letter.id)))


def mark_silent(options: MarkSilent, facts: Facts, items: Sequence[Item]) -> Effects:
    """Record the silence."""
    kwargs = {"campaign_id": facts["run"]["campaign_id"], "letter_ids": [item["letter_id"] for item in items]}
    return Effects(calls=[Call(keep_silent, kwargs)])


def plan_close_campaign(session: Session, options: Options, facts: Facts) -> Planned:
    """What is still open or never went out, in chunks, and the closing itself."""
    campaign_id = facts["run"]["campaign_id"]
    return Planned(_unfinished(session, campaign_id))


def close_campaign(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Silence and withdrawal for what is left, then the end: everybody has one outcome."""
    campaign_id = facts["run"]["campaign_id"]
    calls = []
    for service, name in ((keep_silent, "silent"), (keep_withdrawn, "withdraw")):
        ids = [item[name] for item in items if name in item]
        calls += [Call(service, {"campaign_id": campaign_id, "letter_ids": ids})] if ids else []
    last = [Call(campaigns.close_campaign, {"campaign_id": campaign_id})] if {"close": True} in items else []
    return Effects(calls=[*calls, *last])


def letters_open(session: Session, facts: Facts) -> int:
    """How many of the run's posted letters may still be answered."""
    return balances.letters_open(session, facts["run"]["campaign_id"])


def take_targets(
    session: Session, beginning: dict[str, Any], options: dict[str, Any], rows: Sequence[Item]
) -> dict[str, Any]:
    """Begin the run's campaign if it is not begun, and put one chunk of targets on its list."""
    segment = segments.segment_from(options)
    asked_for = {name: options[name] for name in ("reply_days", "online_check")}
    start = Beginning(**beginning, segment=segment, **asked_for)
    campaign = campaigns.begin_campaign(session, start)
    added = campaigns.add_recipients(
        session, campaign.id, [Target(**row, address="", addressee="") for row in rows]
    )
    return {
        "campaign_id": campaign.id,
        "campaign": campaign.code,
        "reply_by": campaign.reply_by.isoformat() if campaign.reply_by else None,
        "targeted": added,
    }


def freeze_list(session: Session, campaign_id: int) -> dict[str, Any]:
    """Freeze the list, and hand the letterhead on by value."""
    return {
        **campaigns.freeze(session, campaign_id),
        "letterhead": asdict(letterheads.current(session)),
    }


def keep_silent(session: Session, campaign_id: int, letter_ids: Sequence[int]) -> dict[str, int]:
    """One chunk of silent letters."""
    return {"silent": campaigns.mark_silent(session, campaign_id, letter_ids)}


def keep_withdrawn(session: Session, campaign_id: int, letter_ids: Sequence[int]) -> dict[str, int]:
    """One chunk of letters that were never posted."""
    return {"withdrawn": campaigns.withdraw(session, campaign_id, letter_ids)}


def last_day(campaign: Campaign, grace_days: int) -> str:
    """Until when returns are waited for: the day on the letter, and some more for the post."""
    if campaign.reply_by is None:
        raise Refused("核对活动 %(code)s 没有回复期限。请在活动中补上期限后重试。", code=campaign.code)
    return (campaign.reply_by + timedelta(days=grace_days)).isoformat()


def _campaign(session: Session, facts: Facts) -> Campaign:
    return session.get_one(Campaign, facts["run"]["campaign_id"])


def _selected(session: Session, segment: Segment) -> Iterator[dict[str, Any]]:
    yield {"begin": True}
    for chunk in segments.targets(session, segment):
        for target in chunk:
            row = asdict(target)
            yield {name: row[name] for name in row if name not in ("address", "addressee")}


def _late(session: Session, campaign: Campaign) -> Iterator[dict[str, Any]]:
    for chunk in campaigns.late_exclusions(session, campaign):
        yield from chunk
    yield {"freeze": True}


def _unfinished(session: Session, campaign_id: int) -> Iterator[dict[str, Any]]:
    for name, conditions in (("silent", campaigns.still_open()), ("withdraw", campaigns.not_posted())):
        query = select(Letter.id).where(Letter.campaign_id == campaign_id, *conditions)
        for key in session.scalars(query.order_by(Letter.id)):
            yield {name: key}
    yield {"close": True}
