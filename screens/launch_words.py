"""A trial in words: the launch sheet as page and paper take it, every figure written as it is shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Reason, Trial, Unit
from models.clock import ZONE
from models.words import CUSTOMER_CLASSES, N_
from paper.launch_sheets import Assumed, Count, LaunchNode, LaunchSheet, UnitLine
from screens.languages import told as said
from screens.node_words import arm_word, title_of
from screens.workflow_words import flat, text_of, told
from workflows import trial_figures
from workflows.assumptions import ASSUMPTIONS
from workflows.forecasts import FIGURES
from workflows.walk import FAILED, Node, by_id, node_at

REASON_LISTS = ("exclusion", "message_failure")
MANY_EXCLUDED = 0.3
Labels = Mapping[str, str]


def sheet_of(session: Session, trial: Trial, *, printed_on: date) -> LaunchSheet:
    """Everything that a launch sheet says, in the language of the asking person."""
    result, reasons = trial.result, reason_labels(session)
    nodes = _nodes(trial, reasons)
    columns, units = _units(session, result)
    return LaunchSheet(
        **_head(trial),
        subjects=tuple(_subjects(trial)),
        totals=tuple(_totals(result)),
        exclusions=tuple(_exclusions(result, reasons)),
        nodes=nodes,
        columns=columns,
        units=units,
        assumptions=tuple(_assumptions(trial)),
        calendar=tuple(_calendar(result, nodes)),
        risks=tuple(_risks(result, nodes, reasons)),
        notes=tuple(dict.fromkeys(said(note) for node in result["nodes"] for note in node["notes"])),
        printed_on=printed_on,
    )


def _head(trial: Trial) -> dict[str, Any]:
    name = trial.staff.name if trial.staff else "—"
    return {
        "number": f"SY-{trial.id}",
        "title": said(trial.title),
        "workflow": _(trial.name),
        "version": _("第 %(number)s 版", number=trial.version) if trial.version else _("草稿"),
        "unit": trial.unit.name,
        "owner": name,
        "drafted_by": name,
        "made_on": trial.created_at.astimezone(ZONE).date(),
        "ends_on": date.fromisoformat(trial.result["ends_on"]),
    }


def _totals(result: Mapping[str, Any]) -> Iterator[Count]:
    for name, number in trial_figures.totals(result).items():
        yield Count(_(FIGURES[name]), written(name, number), name)


def reason_labels(session: Session) -> dict[str, str]:
    """What reasons of leaving somebody out are called."""
    query = select(Reason.code, Reason.label).where(Reason.list.in_(REASON_LISTS))
    return {code: _(label) for code, label in session.execute(query)}


def written(name: str, number: float) -> str:
    """A figure as it is shown: money with two decimals, what is likely with one, counts whole."""
    if name == "postage":
        return f"{number:,.2f}"
    return f"{number:,.0f}" if number == int(number) else f"{number:,.1f}"


def share_text(share: float) -> str:
    """A share as a percentage."""
    return f"{share * 100:.0f}%" if abs(share * 100 - round(share * 100)) < 0.05 else f"{share * 100:.1f}%"


def _nodes(trial: Trial, reasons: Labels) -> tuple[LaunchNode, ...]:
    numbers = {one.path: one.number for one in flat(told(trial.tree))}
    return tuple(_node(trial, one, numbers[one["path"]], reasons) for one in trial.result["nodes"])


def _node(trial: Trial, one: Mapping[str, Any], number: str, reasons: Labels) -> LaunchNode:
    node = node_at(trial.tree, one["path"])
    made = [Count(_(FIGURES[name]), written(name, value), name) for name, value in one["figures"].items()]
    return LaunchNode(
        path=one["path"],
        number=number,
        title=title_of(node),
        text=text_of(trial.tree, node),
        when=_when(one),
        share=share_text(one["share"]) if one["share"] < 1 else "",
        made=tuple(count for count in made if count.code != "items"),
        excluded=tuple(
            Count(reasons.get(code, code), written("", value), code)
            for code, value in one["excluded"].items()
        ),
        arms=tuple(_arms(node, one)),
        notes=tuple(said(note) for note in one["notes"]),
        problem=_problem(one),
        is_off=one["share"] <= 0,
    )


def _arms(node: Node, one: Mapping[str, Any]) -> Iterator[Count]:
    """The share of each arm that the future decides, or of each choice."""
    for code, share in one.get("choices", {}).items():
        label = next(row["label"] for row in node["person"]["choices"] if row["code"] == code)
        yield Count(_(label), share_text(share), code)
    if one["kind"] == "branch" and one["share"] > 0:
        for arm, share in one["arms"].items():
            if arm != FAILED:
                yield Count(arm_word(node, arm), share_text(share), arm)


def _problem(one: Mapping[str, Any]) -> str:
    if one["share"] <= 0:
        return _("不会走到")
    if not one["missing"]:
        return said(one["problem"])
    why = {"stopped": _("实际运行到这里会停下"), "ahead": _("要等前面的步骤真正执行后才能预估")}[
        one["missing"]
    ]
    return _("%(why)s：%(problem)s", why=why, problem=said(one["problem"])) if one["problem"] else why


def _when(one: Mapping[str, Any]) -> str:
    if one["share"] <= 0:
        return "—"
    return (
        one["from"]
        if one["from"] == one["until"]
        else _("%(first)s 至 %(last)s", first=one["from"], last=one["until"])
    )


def _subjects(trial: Trial) -> Iterator[Count]:
    """Whom it is about: the settings of every step that selects or makes something of its own accord."""
    for one in trial.result["nodes"]:
        node = node_at(trial.tree, one["path"])
        text = text_of(trial.tree, node) if one["kind"] == "step" else ""
        if text and (one["path"] == "1" or "customers" in one["figures"]):
            yield Count(title_of(node), text)


def _exclusions(result: Mapping[str, Any], reasons: Labels) -> Iterator[Count]:
    for code, number in trial_figures.exclusions(result).items():
        yield Count(reasons.get(code, code), written("", number), code)


def _units(session: Session, result: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[UnitLine, ...]]:
    found = trial_figures.by_unit(result)
    columns = trial_figures.columns(found.values())
    query = select(Unit.id, Unit.name, Unit.path).where(Unit.id.in_({unit_id for unit_id, _class in found}))
    known = {row.id: row for row in session.execute(query)}
    order = sorted(found, key=lambda key: (known[key[0]].path, key[1]))
    lines = tuple(
        UnitLine(
            known[unit_id].name,
            _(CUSTOMER_CLASSES.get(customer_class, customer_class)) or "—",
            tuple(written(what, found[unit_id, customer_class].get(what, 0)) for what in columns),
        )
        for unit_id, customer_class in order
    )
    return tuple(_(FIGURES[what]) for what in columns), lines


def _assumptions(trial: Trial) -> Iterator[Assumed]:
    comparable = trial.result["comparable"]
    sources = {
        "run": _("上一次的实例：%(title)s", title=said(comparable["title"])) if comparable else "",
        "fallback": _("没有可比的实例，用默认值"),
        "hand": _("人工填写"),
    }
    for one in trial.result["assumptions"]:
        value = share_text(one["value"]) if one["unit"] == "share" else written("", one["value"])
        yield Assumed(one["name"], _assumed_label(trial, one["name"]), value, sources[one["source"]])


def _assumed_label(trial: Trial, name: str) -> str:
    node_id, dot, code = name.partition(".")
    if not dot:
        return _(ASSUMPTIONS[name].label) if name in ASSUMPTIONS else name
    node = by_id(trial.tree, node_id)
    if node is None:
        return name
    if "person" in node:
        label = next((row["label"] for row in node["person"]["choices"] if row["code"] == code), code)
        return _("「%(node)s」的意见为“%(choice)s”的占比", node=title_of(node), choice=_(label))
    return _("「%(node)s」走“%(arm)s”这一支的占比", node=title_of(node), arm=arm_word(node, code))


def _calendar(result: Mapping[str, Any], nodes: Sequence[LaunchNode]) -> list[Count]:
    """The days that somebody has to know, in their order."""
    words = {"person": N_("「%(node)s」最迟办完"), "wait": N_("「%(node)s」最迟等到")}
    found = [
        Count(_(words[one["kind"]]) % {"node": node.title}, one["until"])
        for one, node in zip(result["nodes"], nodes, strict=True)
        if one["share"] > 0 and one["kind"] in words
    ]
    first, last = Count(_("发起"), result["started_on"]), Count(_("预计结束"), result["ends_on"])
    return [first, *sorted(found, key=lambda count: count.number), last]


def _risks(result: Mapping[str, Any], nodes: Sequence[LaunchNode], reasons: Labels) -> Iterator[str]:
    for one, node in zip(result["nodes"], nodes, strict=True):
        if one["share"] > 0 and (one["missing"] or one["problem"]):
            yield _(
                "第 %(number)s 步「%(node)s」%(problem)s。",
                number=node.number,
                node=node.title,
                problem=node.problem,
            )
    excluded, totals = trial_figures.exclusions(result, of=("customers", "recipients")), trial_figures.totals(result)
    selected = totals.get("customers", 0) + sum(excluded.values())
    if selected and sum(excluded.values()) / selected > MANY_EXCLUDED:
        main = next(iter(excluded))
        share = share_text(sum(excluded.values()) / selected)
        yield _(
            "选中的客户有 %(share)s 会被剔除，主要原因：%(reason)s。",
            share=share,
            reason=reasons.get(main, main),
        )
    if "customers" in totals and not totals["customers"]:
        yield _("按现在的数据没有选中可以联系的客户。")
    if any(one["source"] == "fallback" and "." not in one["name"] for one in result["assumptions"]):
        yield _("没有可比的实例，部分占比用的是默认值，回函、退信和走访的数量只供参考。")
