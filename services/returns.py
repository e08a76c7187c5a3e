"""Returned forms, keyed from paper: they become versions, confirmations, preferences and tasks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Customer, Keying, Letter, Staff, Visit
from models.clock import now, start_of_day
from models.scope import ALL, working_as
from services import Refused, answers, form_ticks, letters, outcomes, traces, visits
from services.answers import Answer, Applied, Origin
from services.form_ticks import Ticks, check_ticks
from services.people import require

KINDS = {
    "person": "person",
    "mobile": "mobile",
    "landline": "landline",
    "outage_person": "person",
    "outage_mobile": "mobile",
    "postal_address": "postal_address",
    "postcode": "postcode",
    "email": "email",
}
OUTAGE = "outage"
SHEET = "sheet"  # in a keying's results: the sheet that it was keyed from
COVERED = (*KINDS, "wechat")  # what 以下信息全部无变化 speaks of


@dataclass(frozen=True)
class Line:
    """One row of the form: `same` (无变化), `none` (暂无), or `new` with the text as it is written.

    `crop`: where the picture of what is written is kept (`sheet:<id>/<field>`).
    """

    place: str
    reply: str
    text: str = ""
    crop: str = ""


@dataclass(frozen=True)
class Form:
    """A returned form as it lies on the desk. `blank`: it came back with nothing on it."""

    all_same: bool = False
    blank: bool = False
    lines: tuple[Line, ...] = ()
    signed: bool = True
    relation: str = ""
    ticks: Ticks = Ticks()
    note: str = ""


@dataclass(frozen=True)
class Keyed:
    """What came of keying one form. A duplicate is kept apart and changes nothing."""

    keying_id: int
    letter: Letter
    outcome: str
    applied: Applied = Applied()
    duplicate: bool = False
    task_id: int | None = None


def key_return(session: Session, text: str, form: Form, *, staff: Staff) -> Keyed:
    """Key one returned form of the letter that a code, token or letter number means; all of it or nothing.

    What the form says is confirmed when it is signed, and credited to the customer's account manager.
    """
    require(staff, "returns.key")
    return write_form(session, letters.letter_by_code(session, text), form, staff=staff)


def write_form(session: Session, letter: Letter, form: Form, *, staff: Staff | None) -> Keyed:
    """Write what a returned form says, whoever or whatever read it; `staff` is None where only ticks were read."""
    check_form(form)
    keying = _keying(session, letter, form, staff)
    if keying.duplicate:
        traces.record(session, "return.duplicate", keying, details={"letter": letter.id})
        return Keyed(keying.id, letter, "", duplicate=True)
    with working_as(session, ALL):
        return _apply(session, letter, form, keying)


def check_form(form: Form) -> None:
    """Refuse a form that contradicts itself or says nothing."""
    answers.check_answers([Answer(line.place, line.reply, line.text) for line in form.lines], list(KINDS))
    check_ticks(form.ticks, form.relation)
    new = [line for line in form.lines if line.reply == "new" and line.text.strip()]
    if form.all_same and (new or any(line.reply == "none" for line in form.lines)):
        raise Refused("勾选了“以下信息全部无变化”，又填写了变更或“暂无”。请核对原表，只保留其中一种。")
    if form.blank and (form.all_same or form.lines or form.ticks != Ticks()):
        raise Refused("选了“空白表”，又录入了内容。请核对原表，去掉其中一种。")
    if not (form.all_same or form.blank or form.lines or form.ticks != Ticks()):
        raise Refused("还没有录入任何内容。请按表录入；如果客户寄回的是空白表，请选“空白表”。")


def keyed_before(session: Session, letter: Letter) -> Keying | None:
    """The keying that stands for this letter's recipient already, from whichever copy."""
    copies = select(Letter.id).where(Letter.recipient_id == letter.recipient_id)
    query = select(Keying).where(
        Keying.letter_id.in_(copies), Keying.undone_at.is_(None), Keying.duplicate.is_(False)
    )
    return session.scalars(query.order_by(Keying.id).limit(1)).one_or_none()


def keyed_today(session: Session, staff: Staff) -> int:
    """How many forms a person keyed on this business day."""
    since = start_of_day(now(session).date())
    query = select(func.count(Keying.id)).where(Keying.keyed_by_id == staff.id, Keying.keyed_at >= since)
    return session.scalar(query.where(Keying.undone_at.is_(None))) or 0


def answers_of(letter: Letter, form: Form) -> list[Answer]:
    """The form's rows as answers about the versions that were printed on it."""
    printed: dict[str, int] = letter.facts["versions"]
    if form.all_same:
        places: Iterable[str] = (place for place in COVERED if place in printed)
        return [_answer(letter, Line(place, "same"), printed) for place in places]
    return [_answer(letter, line, printed) for line in form.lines if line.reply != "new" or line.text.strip()]


def _answer(letter: Letter, line: Line, printed: dict[str, int]) -> Answer:
    purpose = OUTAGE if line.place.startswith(f"{OUTAGE}_") else ""
    kind = KINDS.get(line.place, line.place)
    evidence = f"{letters.evidence_of(letter)} {line.crop}" if line.crop else ""
    shown = printed.get(line.place, 0)
    return Answer(kind, line.reply, line.text, purpose=purpose, contact_id=shown, evidence=evidence)


def _keying(session: Session, letter: Letter, form: Form, staff: Staff | None) -> Keying:
    row = Keying(
        letter_id=letter.id,
        customer_id=letter.customer_id,
        unit_id=letter.unit_id,
        keyed_by_id=staff.id if staff else None,
        keyed_at=now(session),
        duplicate=keyed_before(session, letter) is not None,
        signed=form.signed,
        answers=_as_row(form),
        results={},
    )
    session.add(row)
    session.flush()
    return row


def _as_row(form: Form) -> dict[str, Any]:
    row = asdict(form)
    row["lines"] = [asdict(line) for line in form.lines]
    return row


def _apply(session: Session, letter: Letter, form: Form, keying: Keying) -> Keyed:
    customer = session.get_one(Customer, letter.customer_id)
    applied = answers.apply_answers(
        session, customer, answers_of(letter, form), _origin(letter, form, keying, customer)
    )
    ticked = form_ticks.apply_ticks(session, customer, form.ticks, letter=letter, note=form.note)
    outcome = _outcome(form, applied)
    before = answer_letter(session, letter, by="paper")
    outcomes.decide(session, letter.campaign_id, [letter.customer_id], outcome)
    keying.results = {
        "outcome": outcome,
        "same": list(applied.same),
        "settled": list(applied.settled),
        "waiting": list(applied.waiting),
        "unusable": list(applied.unusable),
        "letters_before": before,
        "visits_closed": close_visits(session, letter),
        **ticked,
    }
    details = {"letter": letter.id, "outcome": outcome, "signed": form.signed}
    traces.record(session, "return.keyed", keying, details=details)
    return Keyed(keying.id, letter, outcome, applied, task_id=ticked["task_id"])


def _origin(letter: Letter, form: Form, keying: Keying, customer: Customer) -> Origin:
    return Origin(
        source="returned_form",
        method="signed_form" if form.signed else "",
        evidence=letters.evidence_of(letter),
        recorder_id=keying.keyed_by_id,
        credited_id=customer.manager_id,
        relation=form.relation,
    )


def _outcome(form: Form, applied: Applied) -> str:
    """Nothing on the form is a refusal; anything new, or a house that changed hands, is a change."""
    if form.blank:
        return "refused"
    return "changed" if applied.changed or form.ticks.other or form.ticks.wishes else "confirmed"


def answer_letter(session: Session, letter: Letter, *, by: str) -> list[list[Any]]:
    """Mark the copy that was answered (on paper or online) and the copy that counts; returns what they were, for the
    undo. The first answer says how it came."""
    copies = {row.id: row for row in (letter, letters.live_copy(session, letter))}
    before: list[list[Any]] = [[row.id, row.state, _iso(row.posted_at)] for row in copies.values()]
    for row in copies.values():
        row.answered_by = row.answered_by if row.state == "answered" else by
        row.answered_at = now(session)
        row.posted_at = row.posted_at or now(session)
        if row.state not in letters.GONE:
            row.state = "answered"
    return before


def close_visits(session: Session, letter: Letter) -> list[list[Any]]:
    """Nobody needs to go to a door that has answered; returns which visits waited and how, for the undo."""
    query = select(Visit.id, Visit.state).where(
        Visit.campaign_id == letter.campaign_id,
        Visit.customer_id == letter.customer_id,
        Visit.ended_at.is_(None),
    )
    rows = [[row.id, row.state] for row in session.execute(query)]
    visits.close_open(session, [row[0] for row in rows])
    return rows


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None


def recent_keyings(session: Session, staff: Staff, *, limit: int = 5) -> Sequence[Keying]:
    """A person's last keyings from paper that stand, the newest first; what was keyed from pictures is undone there."""
    query = select(Keying).where(Keying.keyed_by_id == staff.id, Keying.undone_at.is_(None))
    query = query.where(Keying.results[SHEET].as_integer().is_(None))
    return session.scalars(query.order_by(Keying.id.desc()).limit(limit)).all()
