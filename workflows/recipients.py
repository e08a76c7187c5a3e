"""Steps on a list that is not frozen yet: leave customers out for a reason, or draw some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, Literal

from sqlalchemy.orm import Session

from models.words import CHANNELS, N_
from services import campaigns, recipients
from services.recipients import Rules, Share
from workflows.forecasts import Ahead, Forecast, Would
from workflows.messages import campaign_of
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

Reason = Literal["recent", "opted_out", "sensitive", "unreachable", "closed", "legal_hold"]
Channel = Literal["letter", "sms", "email"]

REASONS = {
    "recent": N_("近期已联系"),
    "opted_out": N_("已退订"),
    "sensitive": N_("高敏客户"),
    "unreachable": N_("没有可达渠道"),
    "closed": N_("已销户"),
    "legal_hold": N_("司法或投诉处理中"),
}
BY = {"percent": N_("按百分比"), "number": N_("按户数")}
DROPPED = "dropped"  # in the facts of a trial: whom a node before the freezing has left out


class Exclude(Options):
    """Whom the list leaves out, and by which reasons."""

    reasons: tuple[Reason, ...] = asked(
        N_("剔除哪些客户"), ("recent", "opted_out"), labels=REASONS, min_length=1
    )
    recent_days: int = asked(
        N_("多少天内联系过的算近期"), 90, ge=1, le=3660, help=N_("函件、短信、邮件和走访都算。")
    )
    channel: Channel = asked(
        N_("看哪个渠道的退订"), "letter", labels={name: CHANNELS[name] for name in ("letter", "sms", "email")}
    )


class Sample(Options):
    """How many of the list stay: drawn so that nobody can choose whom it hits."""

    by: Literal["percent", "number"] = asked(N_("抽多少"), "percent", labels=BY)
    percent: float = asked(N_("百分之几"), 10, gt=0, le=100, shown_if={"by": "percent"})
    number: int = asked(N_("多少户"), 100, ge=1, le=1_000_000, shown_if={"by": "number"})
    each_unit: bool = asked(N_("每个供电单位各抽这么多"), False)


def plan_exclude(session: Session, options: Exclude, facts: Facts) -> Planned:
    """Whom the rules leave out of the run's list."""
    campaign_id = campaign_of(session, facts).id
    return Planned(
        _with_rows(
            session, campaign_id, _excluded(session, options, recipients.on_list(session, campaign_id))
        )
    )


def exclude(options: Exclude, facts: Facts, items: Sequence[Item]) -> Effects:
    """Leave them out."""
    return _left_out(facts, items)


def plan_sample(session: Session, options: Sample, facts: Facts) -> Planned:
    """Whom the draw leaves out; the run's number is its seed, so that it comes out the same each time."""
    campaign_id = campaign_of(session, facts).id
    accounts = _accounts(session, recipients.on_list(session, campaign_id))
    seed = f"sample-{facts['run']['id']}"
    return Planned(_with_rows(session, campaign_id, _undrawn(accounts, seed, options)))


def sample(options: Sample, facts: Facts, items: Sequence[Item]) -> Effects:
    """Leave out whom it did not hit."""
    return _left_out(facts, items)


def forecast_exclude(session: Session, options: Exclude, facts: Facts, ahead: Ahead) -> Forecast:
    """Whom the rules would leave out of the list that nodes before would have made."""
    dropped = set(facts["run"].get(DROPPED, ()))
    return _forecast(_excluded(session, options, _listed(ahead, dropped)), dropped)


def forecast_sample(session: Session, options: Sample, facts: Facts, ahead: Ahead) -> Forecast:
    """How many a draw would leave out; the real draw hits others."""
    dropped = set(facts["run"].get(DROPPED, ()))
    return _forecast(_undrawn(_accounts(session, _listed(ahead, dropped)), "trial", options), dropped)


def leave_out(
    session: Session, campaign_id: int, recipient_ids: Sequence[int], reason: str
) -> dict[str, int]:
    """One chunk of a reason."""
    return {"excluded": campaigns.exclude(session, campaign_id, recipient_ids, reason=reason)}


def _excluded(session: Session, options: Exclude, chunks: Iterator[list[int]]) -> Iterator[Item]:
    rules = Rules(options.reasons, options.recent_days, options.channel)
    for ids in chunks:
        for row in recipients.left_out(session, ids, rules):
            yield {"customer_id": row.id, "unit_id": row.unit_id, "exclusion": row.reason}


def _undrawn(accounts: Iterator[tuple[int, int, str]], seed: str, options: Sample) -> Iterator[Item]:
    share = Share(options.number if options.by == "number" else 0, options.percent, options.each_unit)
    for customer_id, unit_id in recipients.not_drawn(accounts, seed, share):
        yield {"customer_id": customer_id, "unit_id": unit_id, "exclusion": "not_drawn"}


def _accounts(session: Session, chunks: Iterator[list[int]]) -> Iterator[tuple[int, int, str]]:
    return chain.from_iterable(recipients.accounts_of(session, ids) for ids in chunks)


def _with_rows(session: Session, campaign_id: int, items: Iterator[Item]) -> Iterator[Item]:
    """Items with the row of the list that they speak of."""
    while chunk := [item for _at, item in zip(range(recipients.CHUNK), items, strict=False)]:
        rows = recipients.recipient_ids(session, campaign_id, [item["customer_id"] for item in chunk])
        yield from ({**item, "recipient_id": rows[item["customer_id"]]} for item in chunk)


def _left_out(facts: Facts, items: Sequence[Item]) -> Effects:
    found: dict[str, list[int]] = {}
    for item in items:
        found.setdefault(item["exclusion"], []).append(item["recipient_id"])
    shared = {"campaign_id": facts["run"]["campaign_id"]}
    chunks = ({**shared, "recipient_ids": ids, "reason": name} for name, ids in found.items())
    return Effects(calls=[Call(leave_out, kwargs) for kwargs in chunks])


def _listed(ahead: Ahead, dropped: set[int]) -> Iterator[list[int]]:
    ids = (row.customer_id for row in ahead.rows("customers") if row.customer_id is not None)
    kept = (key for key in ids if key not in dropped)
    while chunk := [key for _at, key in zip(range(recipients.CHUNK), kept, strict=False)]:
        yield chunk


def _forecast(items: Iterator[Item], dropped: set[int]) -> Forecast:
    counted: dict[str, Any] = {"excluded": 0}

    def rows() -> Iterator[Would]:
        for item in items:
            dropped.add(item["customer_id"])
            counted["excluded"] += 1
            yield Would("customers", item["customer_id"], item["unit_id"], item["exclusion"])

    return Forecast(rows(), results=lambda: dict(counted), sets={DROPPED: dropped})
