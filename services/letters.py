"""Letters: what stands on each is frozen by value when it is planned; one row is one copy with its own token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models import Campaign, Contact, Letter, Recipient
from models.clock import today, utcnow
from models.letters import GONE as GONE
from models.words import N_
from paper.codes import KINDS, parse_code
from paper.letterheads import Letterhead
from paper.letters import LetterFacts, Recorded, fits_address
from services import Refused, ended_runs, letter_copies, letterheads, presorting, traces
from services.campaigns import NOBODY
from services.letter_plans import Plan as Plan
from services.letter_plans import load, plan_of

CHUNK = 500
SECOND = N_("催复")
TAKEN, OVERTAKEN = ("answered",), N_("排版期间客户已回复")
MENDABLE = ("address_too_long", "doubtful_address")  # exclusions that end when the address is mended


def plan_letters(session: Session, campaign: Campaign, *, form_version: int) -> Iterator[Plan]:
    """A letter for every recipient who has none and is not left out, sorted for the post; all facts by value.

    Serials and tokens are decided here, so that making the file twice gives the same file.
    """
    serial = session.scalar(select(func.max(Letter.serial)).where(Letter.campaign_id == campaign.id)) or 0
    ids, day = presorting.waiting_in_order(session, campaign.id), today(session)
    for start in range(0, len(ids), CHUNK):
        for row in load(session, ids[start : start + CHUNK]):
            if row["address"] is None:  # what was usable when the list was frozen is not any more
                yield {"recipient_id": row["recipient"].id, "exclude": "doubtful_address"}
                continue
            serial += 1
            yield plan_of(campaign, row, serial=serial, form_version=form_version, day=day)


def plan_reprint(session: Session, letter: Letter, *, form_version: int, reason: str = "") -> Plan:
    """A further copy of one letter, with a token of its own, to the address that can be used now."""
    query = select(Letter).where(Letter.recipient_id == letter.recipient_id).order_by(Letter.copy)
    if letter_copies.counting(session.scalars(query).all()) is not letter:
        raise Refused("函件 %(letter)s 已经补打过，请从同一编号最新的一份补打。", letter=number_of(letter))
    return next(plan_reprints(session, [letter], form_version=form_version, reason=reason))


def plan_reprints(
    session: Session, newest: Sequence[Letter], *, form_version: int, reason: str
) -> Iterator[Plan]:
    """A further copy of each of these letters of one campaign, those that count of their serials; all or none."""
    for letter in newest:
        _require_reprintable(letter)
    day, head = today(session), letterheads.current(session)
    for start in range(0, len(newest), CHUNK):
        chunk = newest[start : start + CHUNK]
        ids = [one.recipient_id for one in chunk]
        last = letter_copies.latest(session, ids)
        for letter, row in zip(chunk, load(session, ids), strict=True):
            _require_address(row, head)
            plan = plan_of(letter.campaign, row, serial=letter.serial, form_version=form_version, day=day)
            copy = last[letter.recipient_id] + 1
            yield plan | {"copy": copy, "replaces_id": letter.id, "reason": reason.strip()[:200]}


def plan_second_letters(
    session: Session, campaign: Campaign, *, form_version: int, posted_before: datetime
) -> Iterator[Plan]:
    """A further copy of every letter that was posted long enough ago and is still open, to the address of today."""
    query = select(Letter).where(
        Letter.campaign_id == campaign.id, Letter.state == "posted", Letter.posted_at <= posted_before
    )
    letters, day = session.scalars(query.order_by(Letter.serial)).all(), today(session)
    for start in range(0, len(letters), CHUNK):
        chunk = letters[start : start + CHUNK]
        ids = [one.recipient_id for one in chunk]
        last = letter_copies.latest(session, ids)
        for letter, row in zip(chunk, load(session, ids), strict=True):
            if row["address"] is not None:
                plan = plan_of(campaign, row, serial=letter.serial, form_version=form_version, day=day)
                yield plan | {"copy": last[letter.recipient_id] + 1, "replaces_id": letter.id, "reason": SECOND}


def plan_late(session: Session, recipient: Recipient, *, form_version: int) -> Plan:
    """The letter of somebody left out for an address that is mended now; written by `print_runs.record_late`."""
    campaign = recipient.campaign
    if recipient.exclusion not in MENDABLE:
        raise Refused("这位客户不是因为地址没有发函，或函件已经补发。请刷新页面。")
    if campaign.state != "running":
        raise Refused(
            "核对活动 %(code)s 不在进行中，不能补发。地址改好后下一次活动会选到他。", code=campaign.code
        )
    row = load(session, [recipient.id])[0]
    _require_address(row, letterheads.current(session))
    last = session.scalar(select(func.max(Letter.serial)).where(Letter.campaign_id == campaign.id)) or 0
    return plan_of(campaign, row, serial=last + 1, form_version=form_version, day=today(session))


def plan_specimens(
    session: Session, campaign: Campaign, recipient_ids: Sequence[int], *, form_version: int
) -> list[Plan]:
    """Letters as these recipients would get them now, for looking at; nothing is written, no token is kept."""
    day, rows = today(session), load(session, recipient_ids)
    addressed = [row for row in rows if row["address"] is not None]
    return [
        plan_of(campaign, row, serial=serial, form_version=form_version, day=day)
        for serial, row in enumerate(addressed, start=1)
    ]


def letter_facts(plan: Mapping[str, Any]) -> LetterFacts:
    """A planned letter as paper takes it."""
    facts: dict[str, Any] = dict(plan["facts"])
    dates: dict[str, Any] = {name: date.fromisoformat(facts.pop(name)) for name in ("sent_on", "reply_by")}
    recorded = Recorded(**facts.pop("recorded"))
    return LetterFacts(
        **facts,
        **dates,
        recorded=recorded,
        token=plan["token"],
        copy=plan["copy"],
        form_version=plan["form_version"],
    )


def write_letters(
    session: Session, campaign_id: int, plans: Sequence[Plan], *, form_version_id: int, print_run_id: int
) -> list[int]:
    """Write the rows of one printed file; returns their ids in the order of the pages."""
    shared = {"campaign_id": campaign_id, "form_version_id": form_version_id, "print_run_id": print_run_id}
    moment = utcnow()
    names = ("recipient_id", "customer_id", "unit_id", "address_id", "serial", "copy", "token", "reply_token")
    rows = [
        {name: plan[name] for name in names}
        | shared
        | {
            "facts": {"letter": plan["facts"], "versions": plan["versions"]},
            "state": "composed",
            "composed_at": moment,
        }
        for plan in plans
    ]
    ids = list(session.scalars(insert(Letter).returning(Letter.id, sort_by_parameter_order=True), rows))
    if replacing := [plan for plan in plans if plan.get("replaces_id")]:
        _replace(session, replacing)
        ended_runs.end_spent(session, campaign_id)
    return ids


def letter_by_code(session: Session, text: str) -> Letter:
    """The letter that a scanned code, a typed token or a letter number means; says what is wrong with any other."""
    text = text.strip()
    code = parse_code(text)
    if code is not None and code.kind not in (None, "L"):
        raise Refused("这是%(kind)s上的码，不是函件的码。请到相应的页面录入。", kind=KINDS[code.kind])
    found = _by_token(session, code.token) if code else _by_number(session, text)
    if found is None and code is None:
        raise Refused(
            "「%(text)s」不是函件的码。请重新扫描，或输入十位查询码，"
            "或输入函件编号（如 HD202611-01-00012）。",
            text=text[:40],
        )
    if found is None:
        raise Refused(
            "没有这个查询码的函件：可能不是本系统的函件，或不在您的单位范围内。请把这一件放到一边，交给班组长。"
        )
    if found.state == "spoiled":
        raise Refused(
            "函件 %(letter)s 已作废，不应寄出。请把这一件放到一边，交给班组长查明。",
            letter=number_of(found),
        )
    return found


def number_of(letter: Letter) -> str:
    """The number as it is printed: `HD202611-01-00012`."""
    return str(letter.facts["letter"]["serial"])


def evidence_of(letter: Letter) -> str:
    """How findings and versions name the letter that they come from."""
    return f"letter:{letter.token}"


def live_copy(session: Session, letter: Letter) -> Letter:
    """The copy of a letter's serial that counts in the balance: the one that was neither spoiled nor reprinted."""
    query = select(Letter).where(Letter.recipient_id == letter.recipient_id, Letter.state.not_in(GONE))
    return session.scalars(query.order_by(Letter.copy.desc()).limit(1)).one_or_none() or letter


def _replace(session: Session, plans: Sequence[Plan]) -> None:
    """The old copies give way; where one was in the post already, the new one counts as posted from then on."""
    before = session.scalars(select(Letter).where(Letter.id.in_([plan["replaces_id"] for plan in plans])))
    after = session.scalars(select(Letter).where(Letter.token.in_([plan["token"] for plan in plans])))
    olds, news = {row.id: row for row in before}, {row.token: row for row in after}
    for plan in plans:
        old, new = olds[plan["replaces_id"]], news[plan["token"]]
        if old.state in TAKEN:  # the customer was quicker than the printer
            new.state, new.spoiled_at, new.spoiled_reason = "spoiled", utcnow(), OVERTAKEN
            continue
        if old.state != "spoiled":
            new.posted_at, old.state = old.posted_at, "reprinted"
        details = {"copy": new.copy, "replaces": old.id, "reason": plan["reason"]}
        traces.record(session, "letter.reprinted", new, details=details)


def _require_reprintable(letter: Letter) -> None:
    """A spoiled copy is printed again too, as long as its customer was not taken off the list."""
    if letter.campaign.state == "closed":
        raise Refused(
            "核对活动 %(code)s 已结束，不能再补打。需要再寄的，请在下一次活动中选入。",
            code=letter.campaign.code,
        )
    if letter.state == "answered":
        raise Refused("函件 %(letter)s 客户已经回复，不用补打。", letter=number_of(letter))
    if letter.state == "reprinted":
        raise Refused("函件 %(letter)s 已经补打过，请从同一编号最新的一份补打。", letter=number_of(letter))
    if letter.recipient.outcome in ("withdrawn", "excluded"):
        raise Refused("函件 %(letter)s 已作废，客户已中止，不能补打。", letter=number_of(letter))


def _require_address(row: Mapping[str, Any], head: Letterhead) -> None:
    address: Contact | None = row["address"]
    if address is None:
        raise Refused("这位客户现在没有可用的通讯地址或用电地址，不能出函。请先核实地址。")
    if not fits_address(address.value, row["customer"].name or NOBODY, letterhead=head):
        raise Refused("这位客户的地址太长，信封窗口里放不下，不能出函。请先把地址改短。")


def _by_token(session: Session, token: str) -> Letter | None:
    return session.scalar(select(Letter).where(Letter.token == token))


def _by_number(session: Session, text: str) -> Letter | None:
    """The newest copy of a printed number."""
    code, _dash, serial = text.upper().rpartition("-")
    if not code or not serial.isdecimal() or len(serial) > 9:
        return None
    query = select(Letter).join(Campaign, Campaign.id == Letter.campaign_id).where(Campaign.code == code)
    return session.scalars(
        query.where(Letter.serial == int(serial)).order_by(Letter.copy.desc()).limit(1)
    ).one_or_none()
