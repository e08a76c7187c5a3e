"""What the nodes that are not steps may be set to: one model a kind, from which forms, checks and help come.

A step's settings are its options in STEPS. `COMMON` are the keys that stand beside the kind on every node.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, field_validator, model_validator
from pydantic_core import PydanticCustomError

from models.options import Options, asked
from models.words import N_
from workflows import STEPS
from workflows.walk import Node, kind_of

MOST_DAYS = 3660
OWN_ADDRESS = re.compile(r"(/[^/\\].*)?")


class Branch(Options):
    """Goes down `yes` or `no`; inside an each every item goes its own way."""

    condition: Any = asked(N_("条件"), form="condition")


class Wait(Options):
    """Waits for a time, for a condition, or for whichever comes first."""

    days: int | None = asked(N_("最多等待天数"), None, ge=0, le=MOST_DAYS)
    until: str | None = asked(N_("等到哪一天（前面的结果）"), None)
    when: Any = asked(N_("等到条件满足"), None, form="condition")
    asked: bool = asked(N_("发起时询问天数"), False)

    @model_validator(mode="after")
    def _has_an_end(self) -> Wait:
        given = [self.days is not None, self.until is not None, self.when is not None]
        if not any(given) or (given[0] and given[1]):
            raise PydanticCustomError(
                "no_end", N_("等待要有 days、until、when 中的一个，days 和 until 不能同时有")
            )
        return self


class Choice(Options):
    """One of the answers a person may give."""

    code: str = asked(N_("代码"), min_length=1)
    label: str = asked(N_("文字"), min_length=1)


class Person(Options):
    """Opens a task and goes on with what was decided."""

    title: str = asked(N_("待办标题"), min_length=1, max_length=200)
    permission: str = asked(N_("办理权限"), "")
    role: str = asked(N_("办理角色"), "")
    unit: str = asked(N_("办理单位"), "run")
    choices: tuple[Choice, ...] = asked(N_("办理意见"))
    not_by: tuple[str, ...] = asked(N_("不能由谁办理"), ())
    due_days: int | None = asked(N_("办理期限（工作日）"), None, ge=0, le=MOST_DAYS)
    on_timeout: str | None = asked(N_("逾期按哪项意见处理"), None)
    link: str = asked(N_("办理页面"), "")

    @field_validator("choices", mode="before")
    @classmethod
    def _are_choices(cls, given: Any) -> Any:
        rows = given if isinstance(given, list | tuple) else ()
        if not rows or not all(
            isinstance(row, Mapping) and row.get("code") and row.get("label") for row in rows
        ):
            raise PydanticCustomError("choices", N_("至少要有一项，每项有 code 和 label"))
        return given

    @field_validator("link")
    @classmethod
    def _is_own_address(cls, given: str) -> str:
        if not OWN_ADDRESS.fullmatch(given):
            raise PydanticCustomError("link", N_("要写成本系统里的地址，以一条 / 开头"))
        return given

    @model_validator(mode="after")
    def _can_be_done(self) -> Person:
        if not (self.permission or self.role):
            raise PydanticCustomError("nobody", N_("人工处理要有 title，以及 permission 或 role"))
        codes = [choice.code for choice in self.choices]
        if self.on_timeout is not None and (self.on_timeout not in codes or self.due_days is None):
            raise PydanticCustomError("on_timeout", N_("on_timeout 要是 choices 中的一项，并且要有 due_days"))
        return self


class Each(Options):
    """Works through a list in chunks: `do` is done for every item of it."""

    list: str = asked(N_("名单"))
    of: str | None = asked(N_("名单所在的结果（仅用于“前面节点的结果”）"), None)
    size: int = asked(N_("每批几项"), 1000, ge=1, le=1000)
    at_once: int = asked(N_("同时处理几批"), 2, ge=1, le=16)


class Parallel(Options):
    """Goes down all lanes at once, and on when the last of them has ended."""


class Common(Options):
    """What every node may say besides its kind; the limit and the version are for steps only."""

    title: str = asked(N_("名称"), "", max_length=120)
    on_failure: Literal["stop", "go_on", "branch"] = asked(
        N_("失败时"),
        "stop",
        labels={"stop": N_("停下来等人处理"), "go_on": N_("继续下一步"), "branch": N_("走失败支路")},
    )
    time_limit: int | None = asked(N_("时限（分钟）"), None, ge=1, le=1440)
    options_version: int = asked(N_("选项版本"), 1, ge=1)


NODE_KINDS: dict[str, type[Options]] = {
    "branch": Branch,
    "wait": Wait,
    "person": Person,
    "each": Each,
    "parallel": Parallel,
}


def model_of(node: Node) -> type[BaseModel] | None:
    """The model of what a node is set to; None for a step that this version of the program does not have."""
    kind = kind_of(node)
    if kind != "step":
        return NODE_KINDS[kind]
    known = STEPS.get(str(node["step"]))
    return known.options if known is not None else None


def settings_of(node: Node) -> Mapping[str, Any]:
    """What a node is set to, in the names of its model."""
    kind = kind_of(node)
    if kind == "branch":
        return {"condition": node["branch"]}
    settings: Mapping[str, Any] = node.get("options", {}) if kind == "step" else node[kind]
    return settings


def common_names(kind: str) -> tuple[str, ...]:
    """The common keys that a kind of node may have besides its id."""
    if kind == "step":
        return tuple(Common.model_fields)
    return ("title",) if kind == "parallel" else ("title", "on_failure")
