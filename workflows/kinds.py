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
PERSON_RESULTS = ("choice", "by", "note", "timed_out", "persons")
OWN_ADDRESS = re.compile(r"(/[^/\\].*)?")


class Branch(Options):
    """Goes down `yes` or `no`; inside an each every item goes its own way."""

    condition: Any = asked(N_("条件"), form="condition")


class Wait(Options):
    """Waits for a time, for a condition, or for whichever comes first."""

    days: int | None = asked(
        N_("最多等待天数"), None, ge=0, le=MOST_DAYS, help=N_("从走到这里的那天算起，到期当天结束时往下走。")
    )
    until: str | None = asked(
        N_("等到哪一天（前面的结果）"), None, choices="days", help=N_("前面步骤得出的日期，例如回复期限。")
    )
    when: Any = asked(
        N_("等到条件满足"), None, form="condition", help=N_("条件满足就往下走，不再等到期。可以不填。")
    )
    asked: bool = asked(N_("发起时询问天数"), False, shown_if={"days": True})

    @model_validator(mode="after")
    def _has_an_end(self) -> Wait:
        given = [self.days is not None, self.until is not None, self.when is not None]
        if not any(given) or (given[0] and given[1]):
            raise PydanticCustomError(
                "no_end",
                N_("请填等待天数、等到哪一天或条件中的一项（days、until、when）；天数和哪一天只能填一项"),
            )
        return self


class Choice(Options):
    """One of the answers a person may give."""

    code: str = asked(N_("代码"), min_length=1, max_length=40, form="hidden")
    label: str = asked(N_("文字"), min_length=1, max_length=60)


class Answer(Options):
    """One field that a person fills in with the decision; later conditions ask for it by its code."""

    code: str = asked(N_("代码"), pattern=r"[a-z][a-z0-9_]{0,39}", form="hidden")
    label: str = asked(N_("文字"), min_length=1, max_length=60)
    kind: Literal["text", "number", "date", "choice"] = asked(
        N_("类型"),
        "text",
        labels={"text": N_("文字"), "number": N_("数字"), "date": N_("日期"), "choice": N_("选项")},
    )
    options: str = asked(N_("选项（用逗号分开）"), "", max_length=500)
    required: bool = asked(N_("必填"), False)


class Phrase(Options):
    """Words that a person may pick instead of typing them."""

    text: str = asked(N_("文字"), min_length=1, max_length=200)


class Person(Options):
    """Opens a task and goes on with what was decided."""

    title: str = asked(
        N_("待办标题"), min_length=1, max_length=200, help=N_("办理人在待办里看到的一句话：要他做什么。")
    )
    to: Literal["role", "staff", "owner", "starter", "manager"] = asked(
        N_("交给谁"),
        "role",
        labels={
            "role": N_("有某个角色或权限的人"),
            "staff": N_("指定的人"),
            "owner": N_("流程实例的负责人"),
            "starter": N_("发起人"),
            "manager": N_("客户的客户经理"),
        },
        help=N_(
            "客户经理用在对客户的逐项处理里，每批 1 项；没有客户经理或账号已停用的，交给流程实例的负责人。"
        ),
    )
    staff: tuple[str, ...] = asked(
        N_("办理人"), (), choices="people", max_length=20, shown_if={"to": ("staff",)}
    )
    role: str = asked(
        N_("办理角色"),
        "",
        choices="roles",
        shown_if={"to": ("role",)},
        help=N_("办理单位里有这个角色的人都能办理，谁先认领谁办。"),
    )
    permission: str = asked(
        N_("办理权限"),
        "",
        choices="permissions",
        shown_if={"to": ("role",)},
        help=N_("不按角色时，有这项权限的人都能办理。"),
    )
    unit: str = asked(
        N_("办理单位"), "run", choices="task_units", shown_if={"to": ("role",)},
        help=N_("这个单位和它的上级单位里有这个角色的人才能看到和办理。流程由上级单位发起、要由基层办理的，选那个基层单位。"),
    )  # fmt: skip
    rule: Literal["any", "all", "majority"] = asked(
        N_("几个人都能办时"),
        "any",
        labels={"any": N_("一个人办了就算"), "all": N_("都要同意"), "majority": N_("过半数决定")},
        shown_if={"to": ("role", "staff")},
        help=N_(
            "都要同意：有人没选第一项意见，就按他选的走。过半数：一项意见超过半数就按它走，都办完仍没有过半的，按最后一项意见走。"
        ),
    )
    choices: tuple[Choice, ...] = asked(
        N_("办理意见"), help=N_("办理人从这几项中选一项，后面的条件分支可以按它走。")
    )
    not_by: tuple[str, ...] = asked(
        N_("不能由谁办理"), (), choices="persons", help=N_("例如发起人不能审核自己发起的。")
    )
    due_days: int | None = asked(N_("办理期限（工作日）"), None, ge=0, le=MOST_DAYS)
    due_hours: int | None = asked(
        N_("办理期限（小时）"), None, ge=1, le=MOST_DAYS * 24, shown_if={"due_days": False},
        help=N_("按自然时间算，节假日也算在内。工作日和小时只填一项。"),
    )  # fmt: skip
    on_timeout: str | None = asked(
        N_("逾期按哪项意见处理"), None, choices="own_choices", shown_if={"due_days|due_hours": True},
        help=N_("不选就一直等下去，只提醒。"),
    )  # fmt: skip
    remind_hours: int | None = asked(
        N_("到期前几小时提醒"), None, ge=1, le=720, shown_if={"due_days|due_hours": True},
        help=N_("提醒落在工作日上班时间；不填就不提前提醒。"),
    )  # fmt: skip
    remind_every: int | None = asked(
        N_("逾期后每几个工作日提醒一次"), None, ge=1, le=60, shown_if={"due_days|due_hours": True}
    )
    phrases: tuple[Phrase, ...] = asked(
        N_("常用语"), (), max_length=20, help=N_("办理人点一下就填进说明，不用打字。")
    )
    fields: tuple[Answer, ...] = asked(
        N_("要办理人填写的项目"), (), max_length=20, help=N_("填写的内容后面的条件可以用。")
    )
    link: str = asked(N_("办理页面"), "", help=N_("本系统里的地址，以 / 开头，办理人点开就到；可以不填。"))

    @field_validator("choices", mode="before")
    @classmethod
    def _are_choices(cls, given: Any) -> Any:
        rows = given if isinstance(given, list | tuple) else ()
        if not rows or not all(
            isinstance(row, Mapping) and row.get("code") and row.get("label") for row in rows
        ):
            raise PydanticCustomError("choices", N_("至少要有一项，每项都要有文字（code 和 label）"))
        return given

    @field_validator("link")
    @classmethod
    def _is_own_address(cls, given: str) -> str:
        if not OWN_ADDRESS.fullmatch(given):
            raise PydanticCustomError("link", N_("要写成本系统里的地址，以一条 / 开头"))
        return given

    @model_validator(mode="after")
    def _can_be_done(self) -> Person:
        if self.to == "role" and not (self.permission or self.role):
            raise PydanticCustomError("nobody", N_("请选由谁办理：办理角色或办理权限（permission 或 role）"))
        if self.to == "staff" and not self.staff:
            raise PydanticCustomError("nobody", N_("请选指定的办理人（staff）"))
        return self

    @model_validator(mode="after")
    def _has_one_end(self) -> Person:
        if self.due_days is not None and self.due_hours is not None:
            raise PydanticCustomError("two_ends", N_("办理期限按工作日或按小时只能填一项"))
        has_end = self.due_days is not None or self.due_hours is not None
        codes = [choice.code for choice in self.choices]
        if self.on_timeout is not None and (self.on_timeout not in codes or not has_end):
            raise PydanticCustomError(
                "on_timeout", N_("逾期的意见（on_timeout）要是办理意见中的一项，并且要有办理期限")
            )
        if not has_end and (self.remind_hours is not None or self.remind_every is not None):
            raise PydanticCustomError("no_end", N_("要提醒，先填办理期限"))
        return self

    @model_validator(mode="after")
    def _asks_plainly(self) -> Person:
        codes = [field.code for field in self.fields]
        if len(set(codes)) < len(codes) or set(codes) & set(PERSON_RESULTS):
            raise PydanticCustomError(
                "fields", N_("要填写的项目代码不能重复，也不能用 choice、by、note、timed_out、persons")
            )
        if any(field.kind == "choice" and not field.options.strip(" ,，") for field in self.fields):
            raise PydanticCustomError("fields", N_("类型是选项的项目要写出有哪些选项"))
        return self


class Each(Options):
    """Works through a list in chunks: `do` is done for every item of it."""

    list: str = asked(N_("名单"), choices="lists", help=N_("对名单里的每一项，把里面的步骤各做一遍。"))
    of: str | None = asked(
        N_("名单所在的结果（仅用于“前面节点的结果”）"),
        None,
        choices="results",
        shown_if={"list": ("results",)},
    )
    segment: str | None = asked(N_("客户群"), None, choices="segments", shown_if={"list": ("segment",)})
    size: int = asked(N_("每批几项"), 1000, ge=1, le=1000)
    at_once: int = asked(N_("同时处理几批"), 2, ge=1, le=16)


class Parallel(Options):
    """Goes down all lanes at once, and on when the last of them has ended."""


class Common(Options):
    """What every node may say besides its kind; the limit and the version are for steps only."""

    title: str = asked(N_("名称"), "", max_length=120, help=N_("不填就用步骤本来的名称。"))
    on_failure: Literal["stop", "go_on", "branch"] = asked(
        N_("失败时"),
        "stop",
        labels={"stop": N_("停下来等人处理"), "go_on": N_("继续下一步"), "branch": N_("走失败支路")},
    )
    time_limit: int | None = asked(
        N_("时限（分钟）"), None, ge=1, le=1440, help=N_("一次执行超过这么久就中止，按失败处理；不填不限。")
    )
    options_version: int = asked(N_("选项版本"), 1, ge=1, form="hidden")


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


def fields_of(node: Node) -> dict[str, Mapping[str, Any]]:
    """What a person node asks to be filled in, by its code."""
    person = node.get("person")
    rows = person.get("fields") or () if isinstance(person, Mapping) else ()
    return {str(row["code"]): row for row in rows if isinstance(row, Mapping) and row.get("code")}


def common_names(kind: str) -> tuple[str, ...]:
    """The common keys that a kind of node may have besides its id."""
    if kind == "step":
        return tuple(Common.model_fields)
    return ("title",) if kind == "parallel" else ("title", "on_failure")
