"""Workflows, runs and trials as commands tell them: the fields of the contract, and lines for a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from models import Run, Trial, Workflow
from models.words import NODE_KINDS, RUN_STATES, STEP_STATES
from workflows import STEPS
from workflows.forecasts import FIGURES
from workflows.node_states import NodeState, node_states
from workflows.trial_figures import totals
from workflows.walk import LANE, kind_of, placed


def lines_of(result: Mapping[str, Any]) -> str:
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
    first = f"流程实例 {result['run']}「{result['title']}」: {RUN_STATES[result['state']]}"
    made = [f"函件 {result['letter']} 已补出，请到“待交寄”打印和交寄。"] if "letter" in result else []
    lines = [first, *made, *([result["message"]] if result["message"] else []), *map(_line, result["nodes"])]
    return "\n".join(lines)


def told(session: Session, run: Run) -> dict[str, Any]:
    """A run in the fields of the contract: its state and every node of its tree."""
    found = node_states(session, run)
    return {
        "run": run.id,
        "title": run.title,
        "state": run.state,
        "message": run.message,
        "nodes": [_node(place.path, place.node, found.get(place.path)) for place in placed(run.tree)],
    }


def told_trial(trial: Trial) -> dict[str, Any]:
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


def head(row: Workflow, version: int) -> dict[str, Any]:
    """A workflow in the fields of the contract."""
    return {
        "key": row.key,
        "name": row.name,
        "version": version,
        "enabled": row.enabled and row.tripped_at is None,
    }


def _trial_summary(result: Mapping[str, Any]) -> str:
    """Figures of a trial, then each node with what it would make."""
    first = f"试运行 {result['trial']}「{result['title']}」，预计到 {result['ends_on']} 结束"
    return "\n".join([first, _figures(result["totals"]), *(_trial_line(node) for node in result["nodes"])])


def _figures(figures: Mapping[str, float]) -> str:
    return "、".join(f"{FIGURES[name]} {number}" for name, number in figures.items())


def _trial_line(node: Mapping[str, Any]) -> str:
    left_out = sum(node["excluded"].values())
    parts = [_figures(node["figures"]), f"剔除 {left_out}" if left_out else "", node["error"]]
    share = f"（可能性 {node['share']:.0%}）" if node["share"] < 1 else ""
    return f"{node['path']:<10} {node['title']}{share}  {'；'.join(part for part in parts if part)}"


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


def _line(node: Mapping[str, Any]) -> str:
    depth = node["path"].count(".") // 2
    state = STEP_STATES.get(node["state"] or "", "")
    error = f"  {node['error']}" if node["error"] and node["state"] != "done" else ""
    turns = "、".join(f"{number} 批{STEP_STATES[one]}" for one, number in node.get("turns", {}).items())
    return f"{'  ' * depth}{node['path']:<8} {node['title']}  {turns or state}{error}"
