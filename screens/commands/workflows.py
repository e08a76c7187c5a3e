"""`workflow list|start|show|retry|export|import`: definitions, trials and runs from the shell."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Run, Staff, Trial, Workflow, WorkflowVersion
from models.scope import current_scope
from models.words import NODE_KINDS, RUN_STATES, STEP_STATES
from screens.commands import CreateApp, acts_as, say, working
from services import Refused, health, people, trials, workflows
from workflows import STEPS, runs, trial_runs, trying
from workflows.definition_files import bpmn_of, load_file, toml_of
from workflows.forecasts import FIGURES
from workflows.node_states import NodeState, node_states
from workflows.options import from_text
from workflows.sessions import reading
from workflows.trial_figures import totals
from workflows.walk import LANE, kind_of, placed

HELP = "流程: workflow list、start、show、retry、export、import"
POLL = 0.3
BAD = ("failed", "parked")


def arguments(parser: argparse.ArgumentParser) -> None:
    """One action with its words."""
    actions = parser.add_subparsers(
        dest="action", required=True, metavar="list|start|show|retry|export|import"
    )
    _action(actions, "list", "列出流程")
    start = _action(actions, "start", "发起流程(需要 serve 或 worker 在运行)")
    start.add_argument("key", metavar="KEY", help="流程编码，见 workflow list")
    start.add_argument(
        "--set",
        dest="values",
        metavar="节点.选项=值",
        action="append",
        default=[],
        help="发起时填写的选项，可以写多次",
    )
    start.add_argument("--trial", action="store_true", help="只试运行：算出会做什么，不发送也不改动")
    show = _action(actions, "show", "查看一个流程实例")
    retry = _action(actions, "retry", "从失败的步骤重试(需要 serve 或 worker 在运行)")
    for one in (show, retry):
        one.add_argument("run", metavar="RUN", type=int, help="流程实例编号")
    for one in (start, retry):
        one.add_argument("--wait", action="store_true", help="等到流程停下(等待、结束或失败)再返回")
    load = _action(actions, "import", "导入流程定义")
    load.add_argument("file", metavar="FILE", type=Path, help="流程定义文件：TOML，或由本系统导出的 BPMN")
    export = _action(actions, "export", "导出流程定义")
    export.add_argument("key", metavar="KEY", help="流程编码，见 workflow list")
    form = export.add_mutually_exclusive_group(required=True)
    form.add_argument("--bpmn", metavar="FILE", type=Path, help="写成 BPMN 2.0")
    form.add_argument("--toml", metavar="FILE", type=Path, help="写成 TOML")
    export.add_argument("--version", metavar="N", type=int, help="第几版；不写为最新的一版")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Do one of them."""
    return ACTIONS[args.action](args, create_app)


def summary(result: Mapping[str, Any]) -> str:
    """The same for a person."""
    if "workflows" in result:
        return "\n".join(
            f"{row['key']:<22} 第 {row['version']} 版  {'' if row['enabled'] else '(停用) '}{row['name']}"
            for row in result["workflows"]
        )
    if "file" in result:
        return f"流程「{result['key']}」第 {result['version']} 版已写入 {result['file']}。"
    if "trial" in result:
        return _trial_summary(result)
    if "nodes" not in result:
        return f"流程「{result['name']}」已保存，现在是第 {result['version']} 版。"
    head = f"流程实例 {result['run']}「{result['title']}」: {RUN_STATES[result['state']]}"
    lines = [head, *([result["message"]] if result["message"] else []), *map(_line, result["nodes"])]
    return "\n".join(lines)


def _trial_summary(result: Mapping[str, Any]) -> str:
    """Figures of a trial, then each node with what it would make."""
    head = f"试运行 {result['trial']}「{result['title']}」，预计到 {result['ends_on']} 结束"
    return "\n".join([head, _figures(result["totals"]), *(_trial_line(node) for node in result["nodes"])])


def _figures(figures: Mapping[str, float]) -> str:
    return "、".join(f"{FIGURES[name]} {number}" for name, number in figures.items())


def _trial_line(node: Mapping[str, Any]) -> str:
    left_out = sum(node["excluded"].values())
    parts = [_figures(node["figures"]), f"剔除 {left_out}" if left_out else "", node["error"]]
    share = f"（可能性 {node['share']:.0%}）" if node["share"] < 1 else ""
    return f"{node['path']:<10} {node['title']}{share}  {'；'.join(part for part in parts if part)}"


def list_all(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Every workflow with its newest version."""
    newest = func.max(WorkflowVersion.number)
    query = select(Workflow, newest).join(WorkflowVersion).group_by(Workflow.id).order_by(Workflow.key)
    with working(create_app, args) as session:
        rows = session.execute(query).all()
        return {"workflows": [_head(row[0], row[1]) for row in rows]}


def start(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Start a run and tell how it stands, at once or where it stops."""
    values = dict(_pair(text) for text in args.values)
    if args.trial:
        return _tried(args, create_app, values)
    with working(create_app, args) as session:
        health.require_queue(current_app._get_current_object())  # type: ignore[attr-defined]
        run_id = runs.start(session, args.key, values, _who(session)).id
        session.commit()
        return _followed(session, run_id) if args.wait else _told(session, _run(session, run_id))


def show(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """How a run stands."""
    with working(create_app, args) as session:
        return _told(session, _run(session, args.run))


def retry(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Try again what failed."""
    with working(create_app, args) as session:
        health.require_queue(current_app._get_current_object())  # type: ignore[attr-defined]
        people.require(_who(session), "runs.run")
        runs.retry(session, _run(session, args.run))
        session.commit()
        return _followed(session, args.run) if args.wait else _told(session, _run(session, args.run))


def load(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring a definition in."""
    try:
        text = args.file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"读不了文件 {args.file}（{error}）。请检查路径，并用 UTF-8 编码保存。") from error
    with working(create_app, args) as session:
        people.require(_who(session), "workflows.edit")
        row = load_file(session, text, _who(session))
        version = session.scalar(
            select(func.max(WorkflowVersion.number)).where(WorkflowVersion.workflow_id == row.id)
        )
        return _head(row, version or 0)


def export(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Write a version of a definition to a file."""
    target, form = (args.bpmn, bpmn_of) if args.bpmn else (args.toml, toml_of)
    with working(create_app, args) as session:
        row = workflows.by_key(session, args.key)
        version = workflows.numbered(session, row, args.version) if row is not None else None
        if row is None or version is None:
            raise Refused(f"没有流程「{args.key}」，或没有这一版。请用 workflow list 查看有哪些流程。")
        try:
            target.write_text(form(row, version), "utf-8")
        except OSError as error:
            raise Refused(f"文件 {target} 写不进去（{error.strerror}）。请换一个可写的位置。") from error
        return {"key": row.key, "version": version.number, "file": str(target)}


ACTIONS = {"list": list_all, "start": start, "show": show, "retry": retry, "export": export, "import": load}


def _action(actions: Any, name: str, text: str) -> argparse.ArgumentParser:
    made: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
    made.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(made)
    return made


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise Refused(f"「{text}」写法不对，要写成 节点.选项=值，例如 select.limit=500。")
    return name.strip(), from_text(value)


def _who(session: Session) -> Staff:
    return session.get_one(Staff, session.info["actor_id"])


def _run(session: Session, run_id: int) -> Run:
    found = session.get(Run, run_id) if 0 < run_id < 2**63 else None
    if found is None:
        raise Refused(f"没有编号为 {run_id} 的流程实例。请在“流程实例”页查看编号。")
    return found


def _tried(args: argparse.Namespace, create_app: CreateApp, values: Mapping[str, Any]) -> dict[str, Any]:
    """Reckon a trial in this process; only what came of it is written."""
    with working(create_app, args) as session:
        trial = trial_runs.prepare(session, args.key, values, _who(session))
        trial_id = trial.id
        session.commit()
        found = trying.reckon(trial_id)
        trials.keep(session, trial, found["result"], found["sha256"])
        return _told_trial(trial)


def _told_trial(trial: Trial) -> dict[str, Any]:
    """A trial in the fields of a run, and its figures; there is no run and never was."""
    known = {place.path: place.node for place in placed(trial.tree)}
    nodes = [
        {
            **_node(one["path"], known[one["path"]], None),
            **one,
            "result": one["results"],
            "error": one["problem"],
        }
        for one in trial.result["nodes"]
    ]
    return {
        "run": None,
        "trial": trial.id,
        "title": trial.title,
        "state": trial.state,
        "message": trial.message,
        "nodes": [{**node, "step": node["step"] or node["kind"]} for node in nodes],
        "totals": totals(trial.result),
        "assumptions": trial.result["assumptions"],
        "ends_on": trial.result["ends_on"],
    }


def _followed(session: Session, run_id: int) -> dict[str, Any]:
    """Follow a run to its next pause or end, saying on the way which step it is at."""
    scope, said = current_scope(session), ""
    session.rollback()
    while True:
        with reading(scope) as seen:  # type: ignore[arg-type]
            told = _told(seen, _run(seen, run_id))
        at = next((node["title"] for node in reversed(told["nodes"]) if node["state"]), "")
        if at != said:
            say(f"{at} …")
            said = at
        if told["state"] != "running":
            return told | {"ok": told["state"] not in BAD}
        time.sleep(POLL)


def _told(session: Session, run: Run) -> dict[str, Any]:
    found = node_states(session, run)
    return {
        "run": run.id,
        "title": run.title,
        "state": run.state,
        "message": run.message,
        "nodes": [_node(place.path, place.node, found.get(place.path)) for place in placed(run.tree)],
    }


def _node(path: str, node: Mapping[str, Any], one: NodeState | None) -> dict[str, Any]:
    """A node in the fields of the contract; with `turns` inside a list, `items` of a list, `lanes` of a parallel."""
    key = node.get("step") or kind_of(node)
    kind = STEPS.get(str(node.get("step", "")))
    title = node.get("title") or (
        kind.label if kind else node.get("person", {}).get("title") or NODE_KINDS.get(key, key)
    )
    return {
        "path": path,
        "node": node["id"],
        "step": key,
        "title": title,
        "state": one.state if one else None,
        "attempt": one.attempt if one else 0,
        "started": one.started_at if one else None,
        "ended": one.ended_at if one else None,
        "result": one.result if one else {},
        "error": "\n".join(one.errors) if one else "",
        **_parts(path, node, one),
    }


def _parts(path: str, node: Mapping[str, Any], one: NodeState | None) -> dict[str, Any]:
    """What only some nodes have."""
    parts: dict[str, Any] = {"turns": dict(one.turns)} if one and one.turns else {}
    if one and one.items_total:
        parts["items"] = {"total": one.items_total, "done": one.items_done, "failed": one.failed}
    if one and one.progress:
        parts["items"] = asdict(one.progress)
    if "parallel" in node:
        parts["lanes"] = [
            {"title": lane.get("title", ""), "path": f"{path}.{LANE}{number}"}
            for number, lane in enumerate(node["lanes"], 1)
        ]
    return parts


def _head(row: Workflow, version: int) -> dict[str, Any]:
    return {
        "key": row.key,
        "name": row.name,
        "version": version,
        "enabled": row.enabled and row.tripped_at is None,
    }


def _line(node: Mapping[str, Any]) -> str:
    depth = node["path"].count(".") // 2
    state = STEP_STATES.get(node["state"] or "", "")
    error = f"  {node['error']}" if node["error"] and node["state"] != "done" else ""
    turns = "、".join(f"{number} 批{STEP_STATES[one]}" for one, number in node.get("turns", {}).items())
    return f"{'  ' * depth}{node['path']:<8} {node['title']}  {turns or state}{error}"
