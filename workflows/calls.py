"""The step that calls a web address of the administrator's list, with results of the run."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex

from sqlalchemy.orm import Session

from models.words import N_
from services import Refused
from workflows.channel_settings import channel_settings
from workflows.deliveries import DeliveryFailed
from workflows.fact_texts import filled
from workflows.steps import Effects, Facts, Item, Options, Planned, Send, asked
from workflows.web_calls import checked, token_for


class CallWebAddress(Options):
    """Which address gets what."""

    url: str = asked(
        N_("网址"), min_length=8, max_length=300, help=N_("只能调用系统管理员列入清单的网址；不跟随跳转。")
    )
    values: tuple[str, ...] = asked(
        N_("带上哪些内容"),
        (),
        help=N_("每项写成 名称=值，几项用逗号隔开；值里可以写前面节点的结果，例如 {freeze.recipients}。"),
    )


def plan_call_web_address(session: Session, options: CallWebAddress, facts: Facts) -> Planned:
    """The call with its values, by a key of its own; refused at once where the address is not allowed."""
    try:
        checked(options.url, channel_settings())
        token_for(options.url, channel_settings())
    except DeliveryFailed as failure:
        raise Refused("%(why)s", why=str(failure)) from failure
    pairs = (text.partition("=") for text in options.values)
    body = {name.strip(): filled(value.strip(), facts) for name, _equals, value in pairs if name.strip()}
    run = {"run": facts["run"]["id"], "workflow": facts["run"]["key"]}
    return Planned([{"key": f"call-{token_hex(12)}", "url": options.url, "body": {**body, **run}}])


def call_web_address(options: CallWebAddress, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make the call, at most once."""
    (item,) = items
    return Effects(sends=[Send("web", item["key"], dict(item))], summary={"called": 1})
