"""The nightly proof of the balances of letters: all is counted twice, in two ways (of sheets: `sheet_balances`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from models import Campaign, Keying, Letter, PrintRun, Recipient, Reply, Setting
from models.clock import now, today, utcnow
from models.letters import GONE
from models.scope import ALL, working_as
from models.words import N_
from services import balances, traces
from services.balance_results import KEY, last_result
from services.count_checks import NIGHT

SHOWN = 50
STARTED = "balances_check_started"

WHAT = {
    "targeted": N_("选中的客户没有各算一次"),
    "posted": N_("交寄的函件和平衡表不一致"),
    "answered": N_("记为已回函，却没有录入也没有自助回复"),
    "keyed": N_("录入了回函，函件却没有记为已回函"),
    "closed": N_("活动已结束，还有函件待交寄或待回复"),
    "print_run": N_("打印批次的函件数和明细不一致"),
}


@dataclass(frozen=True)
class Difference:
    """One count that is not what it must be: which, of which campaign or print run (by id), and both numbers."""

    what: str
    id: int
    name: str
    wanted: int
    found: int


def check(session: Session) -> list[Difference]:
    """Everything that does not add up now; reads only, a handful of grouped counts however much there is."""
    with working_as(session, ALL):
        return [*_of_campaigns(session), *_of_runs(session)]


def keep_result(session: Session, found: Sequence[Difference]) -> None:
    """Keep what the proof found, for the health page and the campaigns; what differs leaves a trace."""
    value = {"at": utcnow().isoformat(), "number": len(found)}
    shown = [list(astuple(one)) for one in found[:SHOWN]]
    row = session.merge(Setting(key=KEY, value={**value, "differences": shown}))
    session.flush()
    if found:
        traces.record(session, "balances.differ", row, details={"number": len(found)})


def last_differences(session: Session) -> list[Difference]:
    """The first differences of the latest proof."""
    return [Difference(*one) for one in last_result(session).get("differences", [])]


def is_due(session: Session) -> bool:
    """Whether it is night and tonight's proof, of letters and of sheets, has still to be started."""
    moment = now(session)
    started = session.scalar(select(Setting.value).where(Setting.key == STARTED))
    return moment.hour in NIGHT and started != moment.date().isoformat()


def mark_started(session: Session) -> None:
    """Remember that tonight's proof was started."""
    session.merge(Setting(key=STARTED, value=today(session).isoformat()))


def _of_campaigns(session: Session) -> Iterator[Difference]:
    rows = session.execute(select(Campaign.id, Campaign.code, Campaign.state).order_by(Campaign.id)).all()
    sheets = balances.balances(session, [row.id for row in rows])
    targeted = _counts(session, select(Recipient.campaign_id, func.count()).group_by(Recipient.campaign_id))
    posted, baseless, forgotten = (_counts(session, query) for query in (_posted(), _baseless(), _forgotten()))
    for row in rows:
        sheet = sheets[row.id]
        still = sheet.open + sheet.to_post if row.state == "closed" else 0
        yield from _differ("targeted", row.id, row.code, targeted.get(row.id, 0), sheet.targeted)
        yield from _differ("posted", row.id, row.code, posted.get(row.id, 0), sheet.posted)
        yield from _differ("answered", row.id, row.code, 0, baseless.get(row.id, 0))
        yield from _differ("keyed", row.id, row.code, 0, forgotten.get(row.id, 0))
        yield from _differ("closed", row.id, row.code, 0, still)


def _of_runs(session: Session) -> Iterator[Difference]:
    found = func.count(Letter.id)
    query = select(PrintRun.id, Campaign.code, PrintRun.number, PrintRun.letters, found)
    query = query.join(Campaign, Campaign.id == PrintRun.campaign_id)
    query = query.outerjoin(Letter, Letter.print_run_id == PrintRun.id)
    grouped = query.group_by(PrintRun.id, Campaign.code, PrintRun.number, PrintRun.letters)
    for key, code, number, wanted, counted in session.execute(grouped.having(found != PrintRun.letters)):
        yield Difference("print_run", key, f"{code}-{number}", wanted, counted)


def _posted() -> Select[Any]:
    """Customers with a live letter that went to the post."""
    query = select(Recipient.campaign_id, func.count(func.distinct(Recipient.id)))
    query = query.join(Letter, Letter.recipient_id == Recipient.id)
    undone = Recipient.outcome.is_distinct_from("withdrawn")
    query = query.where(Letter.state.not_in(GONE), Letter.posted_at.is_not(None), Recipient.exclusion == "", undone)
    return query.group_by(Recipient.campaign_id)


def _baseless() -> Select[Any]:
    """Answered letters that nobody keyed and nobody answered online, on whichever copy."""
    query = select(Letter.campaign_id, func.count()).where(Letter.state == "answered", ~_keyed(), ~_replied())
    return query.group_by(Letter.campaign_id)


def _forgotten() -> Select[Any]:
    """Live letters that are not answered although a keyed form or an online answer stands."""
    on_the_way = ("composed", "printed", "posted", "undelivered", "silent")
    query = select(Letter.campaign_id, func.count()).where(Letter.state.in_(on_the_way), _keyed() | _replied())
    return query.group_by(Letter.campaign_id)


def _keyed() -> Any:
    copy = aliased(Letter)
    query = select(Keying.id).join(copy, copy.id == Keying.letter_id)
    stands = (Keying.undone_at.is_(None), Keying.duplicate.is_(False))
    return query.where(copy.recipient_id == Letter.recipient_id, *stands).exists()


def _replied() -> Any:
    copy = aliased(Letter)
    query = select(Reply.id).join(copy, copy.id == Reply.letter_id)
    return query.where(copy.recipient_id == Letter.recipient_id, Reply.duplicate.is_(False)).exists()


def _counts(session: Session, query: Select[Any]) -> dict[int, int]:
    return {key: number for key, number in session.execute(query)}


def _differ(what: str, key: int, name: str, wanted: int, found: int) -> Iterator[Difference]:
    if wanted != found:
        yield Difference(what, key, name, wanted, found)
