"""Keying from pictures (录入): fields of sheets handed out one sheet to one person, keyed, settled and written.

What messages and letters depend on is keyed twice, blind, by different people, addresses and names once; where two
differ a third decides (`services/key_rules.py`). A sheet whose last field is settled becomes a form as if it had been
keyed at the desk.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import KeyJob, Letter, Sheet, Staff
from models.clock import now, utcnow
from models.return_words import KEY_ANSWERS
from quality.verdicts import Verdict
from services import Refused, key_fields, key_leases, returns
from services.judging import judge_in
from services.key_fields import FORM
from services.key_rules import LEADER, TWICE, Settled, Turn, Wanted, decide
from services.people import require
from services.sheet_forms import SHEET_CHOICES, write_sheet

OPENED = ("accepted", "to_key", "review")
ENDING = ("blank", "desk")  # words on a whole sheet that leave nothing to be keyed
MARKED = "1"  # the value of a reviewed tick; `blank` is one that is none
MAX_VALUE = 400


def open_jobs(session: Session, sheets: Iterable[Sheet]) -> int:
    """Make what sheets leave to be keyed or reviewed into jobs, and write those that leave nothing; returns the jobs.

    For sheets that are accepted, to key, or in review; others are passed over, and what was done before stays.
    """
    return sum(_open(session, sheet) for sheet in sheets)


def _open(session: Session, sheet: Sheet) -> int:
    if sheet.keying_id is not None or sheet.state not in OPENED:
        return 0
    jobs = jobs_of(session, sheet.id)
    there = {(job.field, job.turn) for job in jobs}
    fresh = [job for job in _jobs_of(sheet) if (job.field, job.turn) not in there]
    session.add_all(fresh)
    session.flush()
    if fresh or any(job.state == "open" for job in jobs):
        return len(fresh)
    try:
        with session.begin_nested():
            _write(session, sheet, {}, None)
    except Refused:
        _ask_leader(session, sheet)
        return 1
    return 0


def _jobs_of(sheet: Sheet) -> list[KeyJob]:
    if sheet.state == "review":
        return [_job(sheet, name, 1, "review") for name in key_fields.questions(sheet)]
    return _field_jobs(sheet) if sheet.state == "to_key" else []


def _field_jobs(sheet: Sheet) -> list[KeyJob]:
    found = []
    for field in key_fields.written_fields(sheet):
        twice = field.name in TWICE
        found += [_job(sheet, field.name, turn, "first") for turn in (1, 2)] if twice else []
        found += [] if twice else [_job(sheet, field.name, 1, "once")]
    return found


def _job(sheet: Sheet, name: str, turn: int, queue: str) -> KeyJob:
    return KeyJob(sheet_id=sheet.id, unit_id=sheet.unit_id, field=name, turn=turn, queue=queue, state="open")


def next_job(session: Session, staff: Staff, queue: str) -> KeyJob | None:
    """The next field for a person: of the sheet in hand, else of a sheet that nobody holds; None when none is left."""
    held = key_leases.take(session, staff, queue)
    return held[0] if held else None


def key(session: Session, job: KeyJob, answer: str, value: str = "", *, staff: Staff) -> Sheet:
    """Key one field; what follows from it is done at once: another turn, the leader, or the whole form.

    `answer`: value, blank, unreadable or leader. Refused: a job of somebody else, an unknown answer, and a leader's
    word that leaves the form contradicting itself.
    """
    require(staff, key_leases.PERMISSIONS[job.queue])
    sheet = key_leases.lock(session, job)
    _check(session, job, staff)
    _check_answer(job, answer, value)
    job.answer, job.value = answer, value.strip()[:MAX_VALUE] if answer == "value" else ""
    job.state, job.keyed_by_id, job.keyed_at = "done", staff.id, now(session)
    job.held_by_id = job.held_until = None
    session.flush()
    key_leases.renew(session, sheet.id, staff)
    try:
        with session.begin_nested():
            _advance(session, sheet, staff)
    except Refused:
        if (job.field, job.turn) == (FORM, LEADER):  # whose own word must end it
            raise
        _ask_leader(session, sheet)
    return sheet


def _check(session: Session, job: KeyJob, staff: Staff) -> None:
    if job.state != "open":
        raise Refused("这一项已经录入过。请按回车取下一项。")
    if job.held_by_id != staff.id:
        raise Refused("这一项不在您手上：放得太久，已退回队列。请重新领取。")
    others = [
        one for one in jobs_of(session, job.sheet_id) if one.field == job.field and one.keyed_by_id == staff.id
    ]
    if others and job.turn < LEADER:
        raise Refused("这一项您已经录入过，要由另一个人再录。")


def _check_answer(job: KeyJob, answer: str, value: str) -> None:
    if answer not in KEY_ANSWERS:
        raise Refused("录入的方式无法识别。请刷新页面后重新录入。")
    if answer == "value" and not value.strip():
        raise Refused("还没有录入内容。表上没有写的，请选“空白”。")
    if answer == "leader" and job.turn == LEADER:
        raise Refused("这一项已在班组长手上，请作出决定。")
    if job.field == FORM and answer not in ("value", "leader"):
        raise Refused("请对整张表作出决定。")
    if job.field == FORM and answer == "value" and value not in SHEET_CHOICES:
        raise Refused("录入的方式无法识别。请刷新页面后重新录入。")
    if job.queue == "review" and answer == "unreadable":
        raise Refused("看不清是否勾选的，请交班组长。")


def _advance(session: Session, sheet: Sheet, staff: Staff) -> None:
    """Open what is wanted next; with nothing open any more, go on with the sheet as a whole."""
    jobs = _left_to_ask(session, jobs_of(session, sheet.id))
    found = settled_of(session, sheet, jobs)
    there = {(job.field, job.turn) for job in jobs}
    wanted = {(name, one.turn): one.queue for name, one in found.items() if isinstance(one, Wanted)}
    fresh = [_job(sheet, *key, queue) for key, queue in wanted.items() if key not in there]
    session.add_all(fresh)
    session.flush()
    if fresh or any(job.state == "open" for job in jobs):
        return
    settled = {name: one for name, one in found.items() if isinstance(one, Settled)}
    if sheet.state == "review" and _word(settled) not in ENDING:
        _reviewed(session, sheet, settled, staff)
        if _open_fields(session, sheet):
            return
    _write(session, sheet, settled, staff)


def _left_to_ask(session: Session, jobs: Sequence[KeyJob]) -> Sequence[KeyJob]:
    """A word on the whole sheet that leaves nothing to be keyed ends the questions about its parts."""
    if not any(job.field == FORM and job.value in ENDING for job in jobs):
        return jobs
    for job in jobs:
        if job.state == "open":
            session.delete(job)
    session.flush()
    return [job for job in jobs if job.state == "done"]


def settled_of(session: Session, sheet: Sheet, jobs: Sequence[KeyJob]) -> dict[str, Settled | Wanted | None]:
    """What each keyed field of a sheet has come to."""
    turns: dict[str, list[Turn]] = {}
    for job in jobs:
        if job.state == "done":
            turns.setdefault(job.field, []).append(Turn(job.turn, job.answer, job.value))
    judge = partial(judge_field, session, sheet)
    return {name: decide(name, done, partial(judge, name)) for name, done in turns.items()}


def judge_field(session: Session, sheet: Sheet, name: str, text: str) -> Verdict:
    """What the judge says of a text keyed for a field, in the light of the customer's unit."""
    unit_id = sheet.letter.unit_id if sheet.letter else sheet.unit_id
    return judge_in(session, unit_id, returns.KINDS.get(name, name), text)


def _word(settled: Mapping[str, Settled]) -> str:
    return settled[FORM].value if FORM in settled else ""


def _reviewed(session: Session, sheet: Sheet, settled: Mapping[str, Settled], staff: Staff) -> None:
    """The ticks are now what people saw; what the machine had read stays beside it, for the undo."""
    marks = dict(sheet.marks)
    for name, one in settled.items():
        if name != FORM:
            read = marks.get(name, {})
            marks[name] = {**read, "value": one.answer == "value", "sure": True, "read": read}
    sheet.marks, sheet.state = marks, "to_key"
    sheet.decided_by_id, sheet.decided_at = staff.id, utcnow()


def _open_fields(session: Session, sheet: Sheet) -> int:
    fresh = _field_jobs(sheet)
    session.add_all(fresh)
    session.flush()
    return len(fresh)


def _write(session: Session, sheet: Sheet, settled: Mapping[str, Settled], staff: Staff | None) -> None:
    if _word(settled) == "desk":
        _take_from_desk(session, sheet)
    else:
        write_sheet(session, sheet, settled, staff=staff)
    if sheet.state != "accepted":
        sheet.state = "keyed"


def _take_from_desk(session: Session, sheet: Sheet) -> None:
    letter = session.get_one(Letter, sheet.letter_id)
    keying = returns.keyed_before(session, letter)
    if keying is None:
        raise Refused("这封函件还没有在回函录入台录入。请先按原件录入，再回到这里。")
    sheet.keying_id = keying.id


def _ask_leader(session: Session, sheet: Sheet) -> None:
    """A form that contradicts itself or says nothing waits for the team leader, with all that was keyed."""
    if sheet.state == "accepted":
        sheet.state = "review"
    found = [job for job in jobs_of(session, sheet.id) if (job.field, job.turn) == (FORM, LEADER)]
    job = found[0] if found else _job(sheet, FORM, LEADER, "leader")
    job.state, job.answer, job.value, job.keyed_by_id, job.keyed_at = "open", "", "", None, None
    session.add(job)
    session.flush()


def jobs_of(session: Session, sheet_id: int) -> Sequence[KeyJob]:
    """All jobs of a sheet in the order in which they were opened."""
    query = select(KeyJob).where(KeyJob.sheet_id == sheet_id).order_by(KeyJob.id)
    return session.scalars(query).all()
