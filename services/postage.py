"""What a letter weighs and what the post takes for it: data of the bureau, with where the prices come from."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting
from services import Refused, traces

KEY = "postage"
LIGHT, STEP, HEAVY_STEP = 100.0, 20.0, 100.0  # g: up to 100 g every 20 g are paid, beyond it every 100 g
MOST = 1000.0


@dataclass(frozen=True)
class Postage:
    """Weights in grams, prices in yuan per begun 20 g up to 100 g, per begun 100 g beyond; `source` says whose.

    A sheet of A4 at 70 g/m2 weighs 4.4 g; envelopes as ZL and DL at 80 g/m2.
    """

    sheet_grams: float = 4.4
    envelope_grams: float = 5.0
    return_grams: float = 4.5
    local: float = 0.8
    distant: float = 1.2
    local_heavy: float = 1.2
    distant_heavy: float = 2.0
    source: str = "国内平常信函资费（2006年11月15日起执行）。有协议资费的请改正。"

    def letter_grams(self, sheets: int = 1) -> float:
        """What one letter weighs with its envelope and the return envelope inside."""
        return round(self.envelope_grams + self.return_grams + sheets * self.sheet_grams, 2)

    def price(self, grams: float, *, local: bool) -> float:
        """What one letter of this weight costs, in yuan."""
        light = math.ceil(min(grams, LIGHT) / STEP) * (self.local if local else self.distant)
        steps = math.ceil(max(grams - LIGHT, 0.0) / HEAVY_STEP)
        return round(light + steps * (self.local_heavy if local else self.distant_heavy), 2)


def current(session: Session) -> Postage:
    """The bureau's weights and prices; what it never set is as the post publishes it."""
    kept = session.scalar(select(Setting.value).where(Setting.key == KEY)) or {}
    known = {one.name for one in fields(Postage)}
    return replace(Postage(), **{name: value for name, value in kept.items() if name in known})


def change(session: Session, values: Mapping[str, Any]) -> Postage:
    """Set weights and prices from what a form brought in; nothing is kept when one of them cannot be."""
    found = {one.name: values[one.name] for one in fields(Postage) if one.name in values}
    numbers = {name: _number(value) for name, value in found.items() if name != "source"}
    postage = replace(current(session), **{**found, **numbers})
    if not re.search(r"[^\W\d_]{2}", postage.source):
        raise Refused("请写明资费的出处，例如当地邮政局的协议编号。")
    row = session.merge(Setting(key=KEY, value=asdict(postage)))
    traces.record(session, "setting.changed", row, details={"postage": asdict(postage)})
    return postage


def _number(text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        value = -1.0
    if not 0 <= value <= MOST:
        raise Refused(
            "重量和资费要填 0 到 %(most)s 的数字，现在填的是「%(text)s」。", most=int(MOST), text=text
        )
    return round(value, 2)
