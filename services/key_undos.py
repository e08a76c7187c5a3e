"""Taking back the last field that a person keyed, with all that followed from it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Keying, KeyJob, Sheet, Staff
from models.clock import utcnow
from models.said import N_
from services import Refused, key_jobs, key_leases, return_undos, returns
from services.key_fields import FORM
from services.key_leases import LEASE
from services.key_rules import ARBITRATION, FIELD_QUEUES, LEADER, TWICE
from services.people import require

LATE = N_("这一项之后别人已经接着录入，不能撤销。确有错误的，请告诉班组长。")


def undo_last(session: Session, staff: Staff) -> KeyJob:
    """Take back the newest field that this person keyed: it is open again and in their hands.

    A form that it had completed is taken back too. Refused once somebody else has gone on from it.
    """
    job = _last(session, staff)
    require(staff, key_leases.PERMISSIONS[job.queue])
    sheet = key_leases.lock(session, job)
    if key_leases.is_held_by_another(session, sheet.id, staff):
        raise Refused("这张表正在别人手上，不能撤销。请稍后再试。")
    if sheet.keying_id is not None:
        _take_form_back(session, sheet, staff)
    jobs = session.scalars(select(KeyJob).where(KeyJob.sheet_id == sheet.id)).all()
    _drop_followers(session, job, jobs)
    _step_back(session, sheet, job, jobs)
    key_leases.release(session, staff)
    job.state, job.answer, job.value, job.keyed_by_id, job.keyed_at = "open", "", "", None, None
    job.held_by_id, job.held_until = staff.id, utcnow() + LEASE
    session.flush()
    key_jobs.open_jobs(session, [sheet])
    return job


def _last(session: Session, staff: Staff) -> KeyJob:
    query = select(KeyJob).where(KeyJob.keyed_by_id == staff.id, KeyJob.state == "done")
    found = session.scalars(query.order_by(KeyJob.keyed_at.desc(), KeyJob.id.desc()).limit(1)).one_or_none()
    if found is None:
        raise Refused("没有可以撤销的录入。")
    return found


def _take_form_back(session: Session, sheet: Sheet, staff: Staff) -> None:
    keying = session.get_one(Keying, sheet.keying_id)
    made_of_it = keying.results.get(returns.SHEET) == sheet.id
    if made_of_it and keying.keyed_by_id != staff.id:
        raise Refused(LATE)
    sheet.keying_id = None
    session.flush()
    if made_of_it and keying.undone_at is None:
        return_undos.take_back(session, keying)


def _drop_followers(session: Session, job: KeyJob, jobs: Sequence[KeyJob]) -> None:
    """What this keying had opened goes again, unless it is keyed; the second blind turn was there before."""
    followers = [one for one in jobs if one.id != job.id and _follows(one, job)]
    if any(one.state == "done" for one in followers):
        raise Refused(LATE)
    for one in followers:
        session.delete(one)


def _follows(one: KeyJob, job: KeyJob) -> bool:
    if one.field == FORM:
        return one.turn == LEADER
    blind = one.field in TWICE and one.turn < ARBITRATION
    return one.field == job.field and one.turn > job.turn and not blind


def _step_back(session: Session, sheet: Sheet, job: KeyJob, jobs: Sequence[KeyJob]) -> None:
    """The state from before: in review, with its marks as they were read, where this keying had been part of that."""
    fields = [one for one in jobs if one.queue in FIELD_QUEUES]
    keyed = any(one.state == "done" for one in fields)
    in_review = job.field not in {one.field for one in fields} and not (job.field == FORM and keyed)
    sheet.state = "review" if in_review else "to_key"
    if not in_review:
        return
    if keyed:
        raise Refused(LATE)
    for one in fields:
        session.delete(one)
    sheet.marks = {name: mark.get("read", mark) for name, mark in sheet.marks.items()}
    sheet.decided_by_id = sheet.decided_at = None
