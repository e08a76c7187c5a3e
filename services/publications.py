"""Publishing a run: its figures as one canonical file, numbered, traced, never changed; corrections are new ones."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from models import Assessment, Publication, Staff
from models.clock import today, utcnow
from models.publications import LOCKED
from services import Refused, events, figures, files, publication_checks, traces
from services.assessments import rules_in
from services.people import require
from services.results import measure_rows, rule_facts, rule_rows

FORMAT = "lamplighter-results-1"


def publish(session: Session, run: Assessment, *, staff: Staff, reason: str = "") -> Publication:
    """Publish a run and lock it; where its unit and month are published already, as a correction with a reason."""
    require(staff, "assessments.publish")
    if run.state != "done" or run.rule_members_sha256 is None:
        raise Refused("这次评价已经发布，或没有按规则判断的结果，不能发布。请重新评价后再发布。")
    replaced = standing(session, run.period, run.unit_id)
    if replaced is not None and not reason.strip():
        raise Refused(
            "%(period)s 已经发布过（%(number)s）。再发布就是更正，请写明更正的原因。",
            period=run.period,
            number=replaced.number,
        )
    number = _next_number(session)
    facts = _facts(session, run, number, replaced, reason.strip() if replaced else "")
    row = Publication(number=number, assessment_id=run.id, sha256=_store(session, number, facts))
    row.replaces_id, row.reason = (replaced.id, reason.strip()[:200]) if replaced else (None, "")
    row.published_by_id, row.published_at = staff.id, utcnow()
    run.state = LOCKED
    session.add(row)
    session.flush()
    details = {"number": number, "sha256": row.sha256, "replaces": replaced.number if replaced else None}
    traces.record(session, "assessment.published", run, details=details)
    events.happened(session, "assessment_locked", run.unit_id, {"assessment_id": run.id, "period": run.period})
    publication_checks.look(session, row)
    return row


def standing(session: Session, period: str, unit_id: int) -> Publication | None:
    """The publication of a unit's month that no later one corrects."""
    query = select(Publication).join(Assessment, Assessment.id == Publication.assessment_id)
    query = query.where(Assessment.period == period, Assessment.unit_id == unit_id, ~_corrected())
    return session.scalars(query.order_by(Publication.id.desc()).limit(1)).one_or_none()


def publication_of(session: Session, run: Assessment) -> Publication | None:
    """The publication of a run."""
    return session.scalars(select(Publication).where(Publication.assessment_id == run.id)).one_or_none()


def corrected_by(session: Session, publication: Publication) -> Publication | None:
    """The later publication that corrects this one."""
    return session.scalars(select(Publication).where(Publication.replaces_id == publication.id)).one_or_none()


def corrections(session: Session) -> dict[int, Publication]:
    """Every correction by the id of what it corrects."""
    query = select(Publication).where(Publication.replaces_id.is_not(None))
    return {row.replaces_id or 0: row for row in session.scalars(query)}


def _corrected() -> Any:
    later = aliased(Publication)
    return select(later.id).where(later.replaces_id == Publication.id).exists()


def _next_number(session: Session) -> str:
    year = f"{today(session).year}-"
    last = session.scalar(select(func.max(Publication.number)).where(Publication.number.startswith(year)))
    return f"{year}{int(last.removeprefix(year)) + 1 if last else 1:04}"


def _facts(
    session: Session, run: Assessment, number: str, replaced: Publication | None, reason: str
) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "number": number,
        "replaces": replaced.number if replaced else None,
        "reason": reason,
        "run": run.id,
        "period": run.period,
        "unit": run.unit.code,
        "unit_name": run.unit.name,
        "cutoff": run.cutoff,
        "customers": run.customers,
        "undated": run.undated,
        "timeliness": run.settings.get("timeliness", "due"),
        "rules": [rule_facts(rule) for rule in rules_in(session, run)],
        "targets": _targets(session),
        "measures": measure_rows(session, run),
        "results": rule_rows(session, run),
        "members_sha256": run.members_sha256,
        "rule_members_sha256": run.rule_members_sha256,
        "audits_sha256": run.settings.get("audits"),
    }


def _targets(session: Session) -> list[dict[str, Any]]:
    """The marks that measures are held against, so that marks and ranks can be counted again."""
    found = sorted(figures.targets(session).items())
    marks = ("floor", "target", "stretch")
    return [
        {"measure": name, "cohort": cohort} | {one: getattr(row, one) for one in marks}
        for (name, cohort), row in found
    ]


def _store(session: Session, number: str, facts: Mapping[str, Any]) -> str:
    with tempfile.TemporaryDirectory(prefix="publication-") as folder:
        path = Path(folder) / "results.json"
        path.write_bytes(traces.canonical(facts))
        return files.store(session, path, f"results-{number}.json", "application/json").sha256
