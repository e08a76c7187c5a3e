"""What comes of a list: how many of its items, and what its nodes made in all of its turns put together."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Run, Step
from workflows import STEPS, turns
from workflows.results import merged

OWN = ("planned", "split", "opened", "again", "passed", "left")
READ_AT_ONCE = 500


def closed(session: Session, run: Run, step: Step) -> dict[str, Any]:
    """What came of a list that ends; what its nodes made in all turns together is kept for the nodes behind it."""
    found = turns.counts(session, step.id)
    left = step.result.get("left", [])
    failed = found.get("failed", 0) + len(left)
    if not step.turn:
        run.facts = {**run.facts, **_sums(session, run, step.path)}
    total = {"items": sum(found.values()), "done": found.get("done", 0)}
    more = {"failed": failed} if failed else {}
    return {**total, **more, **({"left": left} if left else {}), "opened": step.result.get("opened", 0)}


def _sums(session: Session, run: Run, path: str) -> dict[str, Any]:
    query = select(Step.node, Step.kind, Step.key, Step.result).where(
        Step.run_id == run.id, Step.path.startswith(f"{path}."), Step.state.in_(("done", "skipped"))
    )
    in_order = query.order_by(func.length(Step.turn), Step.turn, Step.position)
    sums: dict[str, Any] = {}
    for row in session.execute(in_order.execution_options(yield_per=READ_AT_ONCE)):
        kind = STEPS.get(row.key)
        result = {name: value for name, value in row.result.items() if name not in OWN}
        if row.kind == "person" and result.get("by") is not None:
            result["persons"] = result.get("persons", [result["by"]])
        sums[row.node] = merged(sums.get(row.node, {}), result, kind.sets if kind else ("by",))
    return sums
