"""The desks of the demo: returned forms keyed, undelivered letters recorded, doors gone to, proposals decided.

Everything goes through the services that the screens call, in the name of whoever would do it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from random import Random
from typing import TypeVar

from sqlalchemy import select

from models import Contact, Customer, Letter, Notice, Staff, Unit, Visit
from models.contacts import GOOD
from models.scope import ALL, working_as
from seed.phones import load_blocks
from seed.replies import fate_of_letter, found_at_door, relation, written_on_form
from seed.stage import Stage, acting_as
from services import notices, proposals, undelivered, visits
from services.answers import Answer
from services.form_ticks import Ticks
from services.returns import Form
from services.returns import Line as FormLine
from services.visits import Need, Report
from workflows.sessions import reading

A_TIME = 20
# At most so many letters, and of so many one, may come back, so that the demo ends in time; with as many customers as
# REHEARSAL it rehearses a real campaign, and every letter may.
ANSWERING, ANSWERING_SHARE, REHEARSAL = 250, 6, 5000
ALL_SAME_SHARE = 0.7
CARELESS_SHARE = 0.1
UNSIGNED_SHARE = 0.04
TRANSFERRED_SHARE = 0.02
REFUSED_SHARE = 0.12
DOORS_LEFT = 40
REBUTTAL = "本所当月集中换表，部分客户资料由施工单位代录，请求复核及时率。"
FORM_CHANNELS = (
    ("outage", "sms", 0.7),
    ("outage", "wechat", 0.3),
    ("billing", "wechat", 0.5),
    ("billing", "sms", 0.4),
)

T = TypeVar("T")


def open_mail(stage: Stage, campaign_id: int, *, days: range) -> tuple[list[tuple[str, str]], int]:
    """What the post brings on these days after posting: letters that came back are recorded, by reason.

    Returns the forms to scan (token and account of each), and how many letters came back.
    """
    posted = _letters(campaign_id, first=answering(stage))
    stage.recall([account for _token, account in posted])
    fates = {token: fate_of_letter(stage.seed, account) for token, account in posted}
    today = [(token, account) for token, account in posted if fates[token].day in days]
    back = [(token, fates[token].reason) for token, _account in today if fates[token].end == "undelivered"]
    for some in chunks(back):
        with acting_as(stage.login("FS", "clerk")) as (session, staff):
            for token, reason in some:
                undelivered.record_undelivered(session, token, reason, staff=staff)
    return [pair for pair in today if fates[pair[0]].end == "answered"], len(back)


def answering(stage: Stage) -> int:
    """How many letters of the campaign, the first of it, may come back: each form is scanned, read and keyed."""
    if stage.customers >= REHEARSAL:
        return stage.customers
    return min(ANSWERING, stage.customers // ANSWERING_SHARE + 1)


def form_of(stage: Stage, account: str) -> Form:
    """The form as this customer filled it in."""
    rng = Random(f"{stage.seed}|ticks|{account}")
    lines = written_on_form(stage.seed, stage.lines[account], load_blocks())
    channels = tuple((purpose, channel) for purpose, channel, share in FORM_CHANNELS if rng.random() < share)
    other = ("transferred",) if rng.random() < TRANSFERRED_SHARE else ()
    nothing_new = not any(reply == "new" for reply, _text in lines.values())
    all_same = rng.random() < (ALL_SAME_SHARE if nothing_new else CARELESS_SHARE)
    return Form(
        all_same=all_same,
        lines=() if all_same else tuple(FormLine(kind, reply, text) for kind, (reply, text) in lines.items()),
        signed=rng.random() > UNSIGNED_SHARE,
        relation=relation(stage.seed, account),
        ticks=Ticks(channels=channels, consent=rng.random() < 0.8, other=other),
    )


def walk(stage: Stage) -> int:
    """Every account manager goes to the doors that wait, and records each result; returns how many doors."""
    doors = _doors()
    stage.recall([account for _login, _visit, account in doors])
    for login in sorted({door[0] for door in doors}):
        mine = [door for door in doors if door[0] == login]
        for some in chunks(mine):
            with acting_as(login) as (session, staff):
                for _login, visit_id, account in some:
                    visit = session.get_one(Visit, visit_id)
                    if visit.state == "assigned":
                        visits.accept(session, visit)
                    visits.record_visit(
                        session, visit, _report(stage, account, visit.attempts + 1), staff=staff
                    )
    return len(doors)


def leave_doors(stage: Stage) -> int:
    """Some customers without a usable mobile are put on today's round, so that a newcomer finds doors to go to."""
    good = select(Contact.id).where(
        Contact.customer_id == Customer.id,
        Contact.kind == "mobile",
        Contact.state == "current",
        Contact.verdict.in_(GOOD),
    )
    with acting_as(stage.login("FS", "service_specialist")) as (session, _staff):
        rows = session.scalars(
            select(Customer).where(~good.exists()).order_by(Customer.id).limit(DOORS_LEFT)
        ).all()
        return len(
            visits.make_visits(session, [Need(row.id, row.unit_id, "invalid_contact") for row in rows])
        )


def decide_proposals(stage: Stage) -> tuple[int, int]:
    """Station heads and the bureau decide what the policy left to a person; returns approved and refused."""
    approved = refused = 0
    for login, ids in _waiting(stage).items():
        for some in chunks(ids):
            rng = Random(f"{stage.seed}|proposals|{some[0]}")
            bad = [key for key in some if rng.random() < REFUSED_SHARE]
            good = [key for key in some if key not in bad]
            with acting_as(login) as (session, staff):
                approved += proposals.approve(session, good, staff=staff) if good else 0
                refused += proposals.refuse(session, bad, staff=staff, reason="no_evidence") if bad else 0
    return approved, refused


def sign_for_notices(stage: Stage, run_id: int) -> int:
    """Every unit signs for what was issued to it, one of them with an objection; returns how many signatures."""
    signatures = [
        (key, unit)
        for key, kind, unit, units in _issued(run_id)
        for unit in (units if kind == "bulletin" else [unit])
    ]
    for at, (notice_id, code) in enumerate(signatures):
        with acting_as(stage.bureau.head_of(code).login) as (session, staff), working_as(session, ALL):
            notice = session.get_one(Notice, notice_id)
            unit = session.scalars(select(Unit).where(Unit.code == code)).one()
            objects = notice.kind == "assessment_notice" and at == len(signatures) - 1
            notices.acknowledge(session, notice, staff=staff, unit=unit, rebuttal=REBUTTAL if objects else "")
    return len(signatures)


def _issued(run_id: int) -> list[tuple[int, str, str, list[str]]]:
    """Issued documents of a run: id, kind, the unit addressed, and for a bulletin all units that sign."""
    query = select(Notice, Unit.code).join(Unit, Unit.id == Notice.unit_id)
    with reading() as session:
        rows = session.execute(
            query.where(Notice.run_id == run_id, Notice.state == "issued").order_by(Notice.id)
        )
        return [
            (row.Notice.id, row.Notice.kind, row.code, row.Notice.facts.get("unit_codes", [])) for row in rows
        ]


def _report(stage: Stage, account: str, attempt: int) -> Report:
    result = found_at_door(stage.seed, account, attempt)
    if result != "verified":
        return Report(result, note="邻居称近期少有人在" if result == "not_met" else "")
    said = written_on_form(stage.seed, stage.lines[account], load_blocks())
    answers = tuple(Answer(kind, *said[kind]) for kind in ("person", "mobile", "landline"))
    return Report(result, answers, relation=relation(stage.seed, account))


def _letters(campaign_id: int, *, first: int) -> list[tuple[str, str]]:
    """Letters on their way that somebody will answer or send back, by token and account number."""
    query = select(Letter.token, Customer.account_no).join(Customer, Customer.id == Letter.customer_id)
    query = query.where(Letter.campaign_id == campaign_id, Letter.state == "posted")
    query = query.where(Letter.serial <= first).order_by(Letter.serial)
    with reading() as session:
        return [(row.token, row.account_no) for row in session.execute(query)]


def _doors() -> list[tuple[str, int, str]]:
    """Visits that wait for somebody: the login, the visit, the account."""
    query = (
        select(Staff.username, Visit.id, Customer.account_no)
        .join(Staff, Staff.id == Visit.staff_id)
        .join(Customer, Customer.id == Visit.customer_id)
        .where(Visit.state.in_(("assigned", "accepted", "not_met")), Visit.ended_at.is_(None))
    )
    with reading() as session:
        return [(row[0], row[1], row[2]) for row in session.execute(query.order_by(Visit.position, Visit.id))]


def _waiting(stage: Stage) -> dict[str, list[int]]:
    """Waiting proposals by who decides them: the head of the customer's unit."""
    query = select(Contact.id, Unit.code).join(Unit, Unit.id == Contact.unit_id)
    found: dict[str, list[int]] = {}
    with reading() as session:
        for row in session.execute(query.where(Contact.state == "proposed").order_by(Contact.id)):
            found.setdefault(stage.bureau.head_of(row.code).login, []).append(row.id)
    return found


def chunks(rows: Sequence[T], size: int = A_TIME) -> Iterator[Sequence[T]]:
    """Rows some at a time."""
    source = iter(rows)
    while some := list(islice(source, size)):
        yield some
