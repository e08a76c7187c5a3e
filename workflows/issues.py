"""The step that brings the issues to what an assessment found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import Assessment
from services import issues
from services.issues import Failing
from workflows.steps import Call, Effects, Facts, Item, Options, Planned


def plan_follow_issues(session: Session, options: Options, facts: Facts) -> Planned:
    """The failing records of the run's assessment in chunks, then its units; nothing before there is one."""
    assessment_id = facts["run"].get("assessment_id")
    return Planned(_chunks(session, assessment_id) if assessment_id else ())


def follow_issues(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Open, keep and mark as fixed."""
    return Effects(calls=[Call(_service(item), dict(item)) for item in items])


def found(session: Session, run_id: int, chunk: Sequence[Sequence[Any]]) -> dict[str, int]:
    """Open or keep the issues of one chunk."""
    return issues.found_in(session, run_id, [Failing(*one) for one in chunk])


def not_found(session: Session, run_id: int, unit_id: int) -> dict[str, int]:
    """Mark as fixed what one unit no longer has."""
    return issues.not_found_in(session, run_id, unit_id)


def _service(item: Item) -> Any:
    return found if "chunk" in item else not_found


def _chunks(session: Session, assessment_id: int) -> Iterator[dict[str, Any]]:
    run = session.get_one(Assessment, assessment_id)
    if not issues.is_newest(session, run):
        return
    for chunk in issues.chunks_of(issues.failing(session, run)):
        yield {"run_id": run.id, "chunk": [list(one) for one in chunk]}
    for unit_id in issues.units_of(session, run):
        yield {"run_id": run.id, "unit_id": unit_id}
