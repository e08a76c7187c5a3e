"""Receipts of assessment notices (签收回执) that come back on paper: scanned, read, and signed for by what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Notice, Sheet, Staff
from models.clock import utcnow
from paper.receipts import ACCEPT, OBJECT, RECEIVED_BY, STATEMENT
from services import Refused, notices, traces
from services.key_fields import boxes_of, marked, ticks_of
from services.people import require
from services.sheet_states import LIVE, RESIDUAL, Known

KIND = "N"
WORDS = ("accept", "object", "none")


def notices_of(session: Session, tokens: Iterable[str]) -> dict[str, Notice]:
    """The notices of codes, held until these sheets are written: two workers decide one after another."""
    query = select(Notice).where(Notice.token.in_(sorted(set(tokens)))).order_by(Notice.id)
    return {one.token: one for one in session.scalars(query.with_for_update(of=Notice))}


def scanned_before(session: Session, found: Iterable[Notice]) -> set[int]:
    """Of which notices a receipt is there already."""
    query = select(Sheet.notice_id).where(Sheet.notice_id.in_([one.id for one in found]), Sheet.state.in_(LIVE))
    return {key for key in session.scalars(query) if key is not None}


def state_of(sheet: Sheet, notice: Notice | None, known: Known) -> tuple[str, str]:
    """The state of a side with a notice's code, and why it is not simply accepted."""
    if notice is None:
        return "foreign", "unknown_token"
    if sheet.digest in known.digests:
        return "duplicate", "same_picture"
    if notice.acknowledged_at is not None:
        return "duplicate", "signed_before"
    if notice.id in known.notices:
        return "duplicate", "receipt_before"
    doubt = _doubt(sheet, notice)
    return ("review", doubt) if doubt else ("accepted", "")


def _doubt(sheet: Sheet, notice: Notice) -> str:
    if notice.state != "issued":
        return "not_issued"
    if not boxes_of(sheet):
        return "no_map"
    if sheet.residual is None or sheet.residual > RESIDUAL:
        return "residual"
    if any(not sheet.marks[name]["sure"] for name in ticks_of(sheet)):
        return "uncertain_tick"
    on = marked(sheet)
    if not on:
        return "nothing_filled"
    says_more = bool(on & {OBJECT, *STATEMENT})
    if ACCEPT in on:
        return "contradiction" if says_more else "" if RECEIVED_BY in on else "unsigned"
    return "objection" if says_more else "nothing_filled"


def sign(session: Session, sheets: Sequence[Sheet]) -> None:
    """Sign for the notices whose receipts leave no doubt."""
    for sheet in sheets:
        if sheet.notice is not None and sheet.state == "accepted":
            notices.sign_on_paper(session, sheet.notice)


def decide(session: Session, sheet: Sheet, word: str, *, staff: Staff, statement: str = "") -> None:
    """What a person reads off a receipt that was left open: accepted, objected with its statement, or no receipt."""
    require(staff, "scans.run")
    if sheet.notice is None or sheet.state != "review" or word not in WORDS:
        raise Refused("这一面不是待复核的回执，或已由别人处理。请刷新页面。")
    if word == "object" and not statement.strip():
        raise Refused("有异议时请照回执录入陈述意见。")
    if word != "none":
        notices.sign_on_paper(session, sheet.notice, staff=staff, rebuttal=statement if word == "object" else "")
    sheet.state = "foreign" if word == "none" else "accepted"
    sheet.decided_by_id, sheet.decided_at = staff.id, utcnow()
    traces.record(session, "sheet.receipt_read", sheet, details={"notice": sheet.notice_id, "word": word})


def sheet_of(session: Session, notice: Notice) -> Sheet | None:
    """The scanned receipt of a notice, as far as the session may see it."""
    query = select(Sheet).where(Sheet.notice_id == notice.id, Sheet.state.in_(LIVE))
    return session.scalars(query.order_by(Sheet.id).limit(1)).one_or_none()
