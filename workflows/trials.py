"""Trial runs: only the planning half of every step, in order, on the real data; nothing is sent, written or waited for.

What nodes before would have made is handed down by value. Where the future decides, both arms are gone down, each with
its share. The session only reads; what came of a trial is kept afterwards (`services.trials`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

import workflows
from models.clock import today
from services import Refused
from services.calendar import calendar
from workflows.forecasts import Forecast, NotYet, Would
from workflows.steps import Facts, StepKind
from workflows.task_units import unable
from workflows.trial_chances import SURE, certain, chance, is_sure
from workflows.trial_guesses import guesses
from workflows.trial_items import Items, items_of, split
from workflows.trial_journeys import Journey, Looking, Unmade, choose, find, standing, taken
from workflows.trial_rows import Tally, keep_some, number, spool
from workflows.walk import DO, FAILED, Node, Tree, arms, kind_of

STOPPED, AHEAD = (
    "stopped",
    "ahead",
)  # why a node shows no figures: a real run would stop here; nobody can look so far


@dataclass(frozen=True)
class Setup:
    """What is tried: a tree with its values put in, and in whose name a run of it would stand."""

    key: str
    title: str
    tree: Tree
    unit_id: int
    staff_id: int
    owner_id: int
    assumed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """What a trial came to, as JSON, and the file of its would-be rows."""

    result: dict[str, Any]
    rows: Path


def run_trial(session: Session, setup: Setup, folder: Path) -> Found:
    """Go through a tree in a session that only reads; would-be rows lie in `folder` until somebody keeps them."""
    start = today(session)
    facts = Unmade({"run": Unmade(_run_facts(setup, start))})
    found = guesses(session, setup.key, setup.unit_id, setup.assumed)
    journey = Journey(session, folder, calendar(session), found, facts, start)
    _go(journey, setup.tree, "", 1.0)
    target = folder / "rows.json.gz"
    keep_some(journey.spools, target)
    run = found.run
    result = {
        "started_on": start.isoformat(),
        "ends_on": journey.day.isoformat(),
        "nodes": journey.nodes,
        "assumptions": found.plain(),
        "comparable": {"run": run.id, "title": run.title} if run is not None else None,
    }
    return Found(result, target)


def _run_facts(setup: Setup, start: date) -> dict[str, Any]:
    return {
        "id": 0,
        "key": setup.key,
        "title": setup.title,
        "owner_id": setup.owner_id,
        "unit_id": setup.unit_id,
        "started_by": setup.staff_id,
        "started_on": start.isoformat(),
    }


def _go(journey: Journey, nodes: Tree, above: str, share: float) -> None:
    """Through one list of nodes, one after the other."""
    for place, node in enumerate(nodes, start=1):
        path = f"{above}{place}"
        told = _told(journey, node, path, share)
        journey.nodes.append(told)
        if share > 0:
            VISITS[kind_of(node)](journey, node, path, told)
        told["until"] = journey.day.isoformat()
        _down(journey, node, path, told)


def _told(journey: Journey, node: Node, path: str, share: float) -> dict[str, Any]:
    return {
        "path": path,
        "node": node["id"],
        "kind": kind_of(node),
        "step": str(node.get("step", "")),
        "share": round(share, 4),
        "from": journey.day.isoformat(),
        "figures": {},
        "excluded": {},
        "groups": [],
        "results": {},
        "arms": {},
        "notes": [],
        "problem": "",
        "missing": "" if share > 0 else AHEAD,
    }


def _down(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    """Down every arm from the same day; the one that takes longest says when it goes on."""
    begins = latest = journey.day
    parted: dict[str, Items] = told.pop("parted", {})
    for arm, nodes in arms(node):
        part = told["arms"].get(arm, 0.0 if arm == FAILED else 1.0)
        told["arms"][arm] = round(part, 4)
        part = float(bool(parted[arm])) if arm in parted else part
        journey.shares[f"{path}.{arm}"] = part
        journey.day = begins
        with taken(journey, node, arm), standing(journey, parted.get(arm, journey.items)):
            _go(journey, nodes, f"{path}.{arm}.", told["share"] * part)
        latest = max(latest, journey.day) if part > 0 else latest
    journey.day = latest


def _visit_step(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    kind = workflows.STEPS.get(str(node["step"]))
    if kind is None:
        told["missing"] = STOPPED
        return
    try:
        forecast, tally = _forecast(journey, kind, node, path)
    except (NotYet, NoResultFound):
        told["missing"] = AHEAD
        return
    except (Refused, ValidationError) as error:
        told["missing"], told["problem"] = STOPPED, str(error)
        return
    figures = forecast.figures() if callable(forecast.figures) else forecast.figures
    results = forecast.results() if callable(forecast.results) else forecast.results
    is_any = any(figures.values())  # where anything is made, what it does not cost stands there as nothing
    told["figures"] = tally.made() | {name: number(value) for name, value in figures.items() if is_any}
    told["excluded"], told["groups"], told["notes"] = tally.excluded(), tally.plain(), list(forecast.notes)
    told["results"] = {name: value for name, value in results.items() if name in kind.results}
    journey.facts[node["id"]] = Unmade(results)
    shared = {name: results[name] for name in kind.sets if name in results}
    journey.facts["run"].update(shared | dict(forecast.sets))


def _forecast(journey: Journey, kind: StepKind, node: Node, path: str) -> tuple[Forecast, Tally]:
    options = kind.options.model_validate(node.get("options", {}))
    looking = Looking(journey, path)
    if kind.forecast is not None:
        forecast = kind.forecast(journey.session, options, journey.facts, looking)
    else:
        forecast = planned(journey.session, kind, options, journey.facts)
    file = journey.folder / f"{path}.jsonl"
    tally = spool(journey.session, forecast.rows, file)
    journey.spools[path] = file
    return forecast, tally


def planned(session: Session, kind: StepKind, options: Any, facts: Facts) -> Forecast:
    """What the plan half itself says: each item is one of what the step makes."""
    found = kind.plan(session, options, facts)
    rows = (
        Would(kind.makes, item.get("customer_id"), item.get("unit_id"), str(item.get("exclusion") or ""))
        for item in found.items
    )
    return Forecast(rows, results=dict(found.summary))


def _visit_branch(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    """Inside an each every item goes its own way; else all of it goes one way, as likely as that is."""
    if journey.items is not None:
        parted, share = split(journey.items, node["branch"], partial(find, journey))
        if parted is not None:
            told["parted"], told["arms"] = parted, {"yes": share, "no": 1.0 - share}
            return
    share = _yes_share(journey, node)
    told["arms"] = {"yes": share, "no": 1.0 - share}
    journey.facts[node["id"]] = Unmade({"arm": "yes" if share >= SURE else "no"} if is_sure(share) else {})


def _yes_share(journey: Journey, node: Node) -> float:
    condition = node["branch"]
    known = certain(condition, lambda name: find(journey, name))
    if known is not None:
        return float(known)
    likely = chance(condition, journey.chances)
    return journey.guesses.yes_share(node) if likely is None else likely


def _visit_wait(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    """The day on which it ends at the latest; what ends it sooner is not known."""
    wait = node["wait"]
    if "days" in wait:
        journey.day += timedelta(days=int(wait["days"]))
    elif "until" in wait:
        until = find(journey, wait["until"])
        if until is None:
            told["missing"] = AHEAD
        else:
            journey.day = max(journey.day, date.fromisoformat(str(until)))


def _visit_person(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    chances = journey.guesses.choices(node)
    choose(journey, str(node["id"]), chances)
    person = node["person"]
    told["problem"] = unable(journey.session, person, int(journey.facts["run"]["unit_id"]))
    told["figures"] = {"tasks": len(journey.items or ()) if person.get("to") == "manager" else 1}
    told["choices"] = {code: round(share, 4) for code, share in chances.items()}
    journey.day = journey.calendar.after(journey.day, int(person.get("due_days") or 0))
    journey.day += timedelta(days=math.ceil((person.get("due_hours") or 0) / 24))


def _visit_all(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    journey.facts[node["id"]] = Unmade()


def _visit_each(journey: Journey, node: Node, path: str, told: dict[str, Any]) -> None:
    try:
        items = items_of(journey.session, node["each"], journey.facts, Looking(journey, path))
    except (NotYet, Refused, KeyError):
        told["missing"] = AHEAD
        return
    told["figures"], told["parted"] = {"items": len(items)}, {DO: items}
    journey.facts[node["id"]] = Unmade({"items": len(items), "done": len(items), "failed": 0})


VISITS = {
    "step": _visit_step,
    "branch": _visit_branch,
    "wait": _visit_wait,
    "person": _visit_person,
    "each": _visit_each,
    "parallel": _visit_all,
}
