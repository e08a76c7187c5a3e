"""Cards of the home page that look across a subject: runs that need care, imports that want an eye."""

from __future__ import annotations

from datetime import timedelta

from flask import url_for
from flask_babel import gettext as _
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from models import ImportBatch, Outgoing, Run, Staff, Step
from models.clock import utcnow
from screens import looks
from screens.cards import Card, Line
from workflows.repairs import needs_somebody

UNDER_WAY = ("uploaded", "queued", "running", "undoing")
LISTED = 100
NEWS = timedelta(days=7)


def stuck_runs(session: Session, staff: Staff) -> Card | None:
    """Runs that failed or are parked, and sendings of which nobody knows what became; None when all is well."""
    rows = session.scalars(select(Run).where(needs_somebody()).order_by(Run.id.desc()).limit(LISTED)).all()
    unknown = session.scalar(
        select(func.count())
        .select_from(Outgoing)
        .join(Step, Step.id == Outgoing.step_id)
        .join(Run, Run.id == Step.run_id)
        .where(Outgoing.state == "unknown")
    )
    if not rows and not unknown:
        return None
    lines = [
        Line(row.title, url_for("runs.show", key=row.id), looks.word(row.state, "RUN_STATES"))
        for row in rows[:3]
    ]
    note = _("%(number)s 件外发的结果要人确认", number=unknown) if unknown else ""
    link = url_for("attention.index")
    return Card(_("个流程实例要处理"), len(rows), link, tone="alarm", note=note, lines=lines)


def imports_under_way(session: Session, staff: Staff) -> Card | None:
    """Batches that are not through: files that wait for their columns, that run, or that failed this week."""
    failed = and_(ImportBatch.state == "failed", ImportBatch.created_at > utcnow() - NEWS)
    query = select(ImportBatch).where(or_(ImportBatch.state.in_(UNDER_WAY), failed))
    rows = session.scalars(query.order_by(ImportBatch.id.desc()).limit(LISTED)).all()
    if not rows:
        return None
    tone = "alarm" if any(row.state == "failed" for row in rows) else "care"
    lines = [
        Line(row.file_name, url_for("imports.show", key=row.id), looks.word(row.state, "IMPORT_STATES"))
        for row in rows[:3]
    ]
    return Card(_("个导入批次未完成"), len(rows), url_for("imports.index"), tone=tone, lines=lines)
