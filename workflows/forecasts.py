"""What a trial run asks a step: what it would make, of what nodes before it would have made. Only the planning half.

A step says it in one of two ways. `makes="messages"` on its StepKind: each item that its `plan` half returns is one
of these; an item's `customer_id`, `unit_id` and `exclusion` are taken over. Or `forecast=…`: a function that yields
rows and figures itself, for steps whose `plan` looks up what only a real run has made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy.orm import Session

from models.words import N_

# What a node can make; what is counted by rows stands first, what is only a number after.
FIGURES: dict[str, str] = {
    "customers": N_("剔除后客户"),
    "recipients": N_("发送对象"),
    "letters": N_("函件"),
    "answered": N_("预计回函"),
    "undelivered": N_("预计退信"),
    "silent": N_("预计未回复"),
    "reminders": N_("第二封函"),
    "messages": N_("短信"),
    "emails": N_("电子邮件"),
    "visits": N_("走访任务"),
    "walk_lists": N_("走访清单"),
    "tasks": N_("待办"),
    "documents": N_("文稿"),
    "proposals": N_("变更申请"),
    "issues": N_("问题清单条目"),
    "calls": N_("外部接口调用"),
    "files": N_("文件"),
    "runs": N_("发起的流程"),
    "items": N_("处理的项"),
    "pages": N_("页数"),
    "grams": N_("重量（克）"),
    "postage": N_("邮资（元）"),
    "visitor_days": N_("走访人天"),
}
NEVER_MADE = "items"  # what a step makes that says nothing else: counted, listed nowhere


class NotYet(LookupError):
    """A step asked for something that only a real run makes; its trial tells that it cannot look so far ahead."""


@dataclass(frozen=True)
class Would:
    """One thing that a node would make, or leave out: then with a reason of the list `exclusion`.

    `values` holds what later nodes and the lists need, small and plain. `share`: how likely it is, 1.0 for sure.
    """

    what: str
    customer_id: int | None = None
    unit_id: int | None = None
    exclusion: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    share: float = 1.0


@dataclass(frozen=True)
class Forecast:
    """What a node would come to.

    `rows` is counted by what they are, and read once: a generator is fine. `figures`: numbers beside the rows, by key
    of FIGURES. `results`: what its result would be, for conditions and later nodes. Both may be a function without
    arguments, which is asked after the rows have been read. `notes`: sentences about how it was reckoned. `sets`: what
    is put into `facts["run"]` for later forecasts, beside the results that the step declares in `sets`.
    """

    rows: Iterable[Would] = ()
    figures: Mapping[str, float] | Callable[[], Mapping[str, float]] = field(default_factory=dict)
    results: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sets: Mapping[str, Any] = field(default_factory=dict)


class Ahead(Protocol):
    """What a forecast may ask its trial for."""

    def rows(self, what: str) -> Iterator[Would]:
        """What nodes before would have made of one kind, in their order; what was left out is not among them."""

    def assumed(self, name: str) -> float:
        """The value of an assumption of `workflows.assumptions.ASSUMPTIONS`; from then on it stands on the sheet."""


Forecaster = Callable[[Session, Any, Mapping[str, Mapping[str, Any]], Ahead], Forecast]


def dealt(rows: Iterable[Would], shares: Mapping[str, float]) -> Iterator[tuple[Would, str]]:
    """Deal rows out to outcomes by their shares, evenly along the rows; what no share claims gets an empty outcome.

    The same rows and shares give the same outcomes, so nodes agree; each outcome's number is right to within one.
    """
    wanted = {**shares, "": max(1.0 - sum(shares.values()), 0.0)}
    owed = dict.fromkeys(wanted, 0.0)
    for row in rows:
        for name, share in wanted.items():
            owed[name] += share
        outcome = max(owed, key=lambda name: owed[name])
        owed[outcome] -= 1.0
        yield row, outcome


def nothing_ahead(
    session: Session, options: Any, facts: Mapping[str, Mapping[str, Any]], ahead: Ahead
) -> Forecast:
    """For steps whose work cannot be looked at before it is done."""
    raise NotYet
