"""A run in words: each node with how it stands and what to do, how its picture is marked, what it made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from models import (
    BatchChange,
    Campaign,
    Letter,
    Message,
    Notice,
    Run,
    Visit,
    Workflow,
    db,
)  # fmt: skip
from screens import access
from screens.filters import Filter
from screens.languages import told as said
from screens.result_words import told_result
from workflows.bpmn import element_id
from workflows.failures import is_program_error
from workflows.node_states import NodeState
from workflows.walk import node_at, placed

RUNS_OFFERED = 30
MAKERS = {
    "select_customers": "recipients",
    "print_letters": "letters",
    "make_visits": "visits",
    "collect_failures": "visits",
    "send_sms": "messages",
    "send_email": "messages",
    "remind": "messages",
    "tell_changes": "messages",
}
TROUBLED = ("dead", "unknown", "failed")
ADVICE = {
    "dead": _l("按上面的原因改好后点“重试”，从这一步接着做；这一步不用做了，就填原因“跳过”。"),
    "failed": _l("系统会自动再试，现在不用处理。"),
    "unknown": _l("在“需要处理”里核对是否已经发出：已发出的不会再发，没发出的马上补发。"),
    "items": _l("打开失败的项看原因，改好后重试：只重做没做成的，做完的不重做。"),
    "skipped": _l("这一步没有做完就往下走了。改好原因后点“重试”补做。"),
    "parked": _l("按原因改好后点“重试”，流程从停下的地方继续。"),
    "program": _l("这是程序的问题：先重试一次；还是不行，请把这一页交给系统管理员。"),
}
MARKS = {
    "done": ("done", _l("已完成")),
    "leased": ("now", _l("正在做")),
    "ready": ("now", _l("正在做")),
    "waiting": ("waits", _l("等待中")),
    "failed": ("again", _l("失败，会自动再试")),
    "dead": ("failed", _l("失败，等人处理")),
    "unknown": ("failed", _l("失败，等人处理")),
    "skipped": ("skipped", _l("已跳过")),
    "cancelled": ("skipped", _l("已跳过")),
}
SIGNS = {"done": "✓", "now": "▶", "waits": "…", "again": "!", "failed": "×", "skipped": "–", "partly": "!"}
LEGEND = (
    ("done", _l("已完成")),
    ("partly", _l("有失败的项")),
    ("now", _l("正在做")),
    ("waits", _l("等待中")),
    ("failed", _l("失败")),
    ("skipped", _l("跳过或取消")),
)


@dataclass(frozen=True)
class Made:
    """Something a run has made: a word, how many, and where the list of it is."""

    label: str
    number: int | None
    url: str
    key: str = ""


def advice_of(node: NodeState) -> str:
    """What to do about a node that is in trouble; empty for one that is not."""
    about = node.state if node.state in TROUBLED else "items" if node.failed else ""
    return advice_for(about, " ".join(node.errors))


def advice_for(about: str, error: str) -> str:
    """What to do about a state (of a step or a run), or about items that failed; empty where nothing is to be done."""
    if about == "dead" and is_program_error(error):
        return str(ADVICE["program"])
    return str(ADVICE.get(about, ""))


def results_of(run: Run, path: str, node: NodeState) -> list[tuple[str, str]]:
    """What came of a node, in words."""
    return told_result(run.tree, node_at(run.tree, path), node.result)


def data_of(node: NodeState) -> str:
    """What came of a node, as data."""
    return json.dumps(node.result, ensure_ascii=False, indent=1, sort_keys=True) if node.result else ""


def marks_of(found: Mapping[str, NodeState]) -> dict[str, dict[str, str]]:
    """How the elements of a run's picture are marked: a class, a sign and a word for each."""
    return {element_id(path): _mark(node) for path, node in found.items()}


def legend() -> list[tuple[str, str, Any]]:
    """What the signs and colours of a picture mean."""
    return [(key, SIGNS[key], label) for key, label in LEGEND]


def made_by(run: Run) -> dict[str, list[Made]]:
    """What a run has made, with the list of it, all of it under "", and under the paths of the nodes that make it."""
    makers: dict[str, list[str]] = {}
    for place in placed(run.tree):
        makers.setdefault(MAKERS.get(str(place.node.get("step")), ""), []).append(place.path)
    found: dict[str, list[Made]] = {}
    for one in [*_mailed(run), *_counted(run), *_single(run)]:
        for path in makers.get(one.key, ()) if one.key else ():
            found.setdefault(path, []).append(one)
        found.setdefault("", []).append(one)
    return found


def workflow_choices() -> list[tuple[str, str]]:
    """The workflows by key and name; runs survive theirs, and are found by its key."""
    rows = db.session.execute(select(Workflow.key, Workflow.name).order_by(Workflow.name))
    return [(row.key, _(row.name)) for row in rows]


def run_filter(column: Any) -> Filter:
    """Only what one run has made: the newest runs that made anything are offered."""

    def offered() -> list[tuple[str, str]]:
        has = select(column).where(column == Run.id).exists()
        rows = db.session.execute(
            select(Run.id, Run.title).where(has).order_by(Run.id.desc()).limit(RUNS_OFFERED)
        )
        return [(str(row.id), said(row.title)) for row in rows]

    return Filter("run", _l("流程实例"), offered, lambda query, value: query.where(column == int(value)))


def _mark(node: NodeState) -> dict[str, str]:
    key, label = MARKS.get(node.state, ("waits", ""))
    if key == "done" and node.failed:
        key, label = "partly", LEGEND[1][1]
    return {"mark": key, "sign": SIGNS[key], "label": str(label)}


def _mailed(run: Run) -> Sequence[Made]:
    campaign = db.session.scalar(select(Campaign).where(Campaign.run_id == run.id))
    if campaign is None or not access.may("campaigns.view"):
        return ()
    number = db.session.scalar(
        select(func.count()).select_from(Letter).where(Letter.campaign_id == campaign.id)
    )
    shown = Made(_("核对活动"), None, url_for("campaigns.show", key=campaign.id), "recipients")
    listed = url_for("campaigns.recipients", key=campaign.id)
    if not number:
        return shown, Made(_("发送对象"), None, listed, "recipients")
    return shown, Made(_("函件"), number, listed, "letters")


def _counted(run: Run) -> Sequence[Made]:
    lists = (
        (Visit, _("走访任务"), "visits", "visits"),
        (Message, _("消息"), "messages", "messages"),
    )
    found = []
    for table, label, screen, key in lists:
        number = db.session.scalar(select(func.count()).select_from(table).where(table.run_id == run.id))
        if number and access.may(f"{screen}.view"):
            found.append(Made(label, number, url_for(f"{screen}.index", run=run.id), key))
    return found


def _single(run: Run) -> Sequence[Made]:
    facts, found = run.facts.get("run", {}), []
    for name, (view, label) in ONE_OF.items():
        if facts.get(name) and access.may(view.split(".")[0] + ".view"):
            found.append(Made(str(label), None, url_for(view, key=facts[name])))
    for table, view, label in (
        (Notice, "notices.show", _("通报和通知单")),
        (BatchChange, "batch_changes.show", _("批量变更")),
    ):
        keys = db.session.scalars(
            select(table.id).where(table.run_id == run.id).order_by(table.id).limit(20)
        ).all()
        if access.may(view.split(".")[0] + ".view"):
            found += [Made(label, None, url_for(view, key=key)) for key in keys]
    begun = db.session.execute(
        select(Run.id, Run.title).where(Run.parent_id == run.id).order_by(Run.id).limit(20)
    )
    found += [
        Made(_("发起的流程：%(title)s", title=said(row.title)), None, url_for("runs.show", key=row.id))
        for row in begun
    ]
    return found


ONE_OF = {
    "competition_id": ("competitions.show", _l("劳动竞赛")),
    "assessment_id": ("assessments.show", _l("质量评价")),
    "batch_id": ("imports.show", _l("导入批次和它写入的资料")),
}
