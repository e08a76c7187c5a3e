"""Competitions: set up, opened, counted, frozen, made public, final; each state once and in this order."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    BoardRevision,
    Competition,
    Confirmation,
    ContactKind,
    Division,
    DivisionUnit,
    Standing,
    StandingSet,
    Unit,
)
from models.clock import now, start_of_day, today, utcnow
from models.scope import ALL, working_as
from services import Refused, boards, scores, traces
from services.calendar import calendar

ORDER = ("draft", "open", "counting", "frozen", "publicity", "final")
BOARDS = ("unit", "person")


@dataclass(frozen=True)
class Plan:
    """A competition about to be set up: `points` by contact kind, `divisions` by name with the units that take part."""

    code: str
    name: str
    starts_on: date
    ends_on: date
    points: Mapping[str, float]
    divisions: Mapping[str, Sequence[int]] = field(default_factory=dict)
    publicity_days: int = 5


def create(session: Session, plan: Plan, *, unit: Unit) -> Competition:
    """Set a competition up as a draft; refused when it could not be run."""
    _check(session, plan)
    facts = {"code": plan.code, "name": plan.name, "starts_on": plan.starts_on, "ends_on": plan.ends_on}
    row = Competition(**facts, unit_id=unit.id, points=dict(plan.points), publicity_days=plan.publicity_days)
    row.state, row.created_at = "draft", utcnow()
    row.divisions = _divisions(plan)
    session.add(row)
    session.flush()
    session.add(BoardRevision(competition_id=row.id, code=row.code, number=0))
    traces.record(session, "competition.created", row)
    return row


def change(session: Session, competition: Competition, plan: Plan) -> None:
    """Change a draft; once it is open its rules stand."""
    if competition.state != "draft":
        raise Refused("竞赛已经开始，规则不能再改。")
    if plan.code != competition.code:
        raise Refused("竞赛编码不能更改：大屏地址用的就是它。")
    _check(session, plan, known=competition)
    competition.name, competition.points = plan.name, dict(plan.points)
    competition.starts_on, competition.ends_on = plan.starts_on, plan.ends_on
    competition.publicity_days, competition.divisions = plan.publicity_days, _divisions(plan)
    traces.record(session, "competition.changed", competition)


def open_competition(session: Session, competition: Competition, *, run_id: int | None = None) -> int:
    """Open a competition; what was confirmed since its first day counts. Returns how many entries that made."""
    _advance(session, competition, "open")
    competition.run_id = run_id
    since = start_of_day(competition.starts_on)
    with working_as(session, ALL):
        query = select(Confirmation.contact_id).where(
            Confirmation.result == "confirmed", Confirmation.at >= since
        )
        ids = session.scalars(query.distinct().order_by(Confirmation.contact_id)).all()
        return sum(scores.score(session, ids[at : at + 1000]) for at in range(0, len(ids), 1000))


def start_counting(session: Session, competition: Competition) -> None:
    """End the scoring: from now on no entry arises any more."""
    if today(session) <= competition.ends_on:
        raise Refused("竞赛到 %(ends_on)s 才结束，还不能统计。", ends_on=competition.ends_on)
    _advance(session, competition, "counting")


def freeze(session: Session, competition: Competition) -> StandingSet:
    """Store the standings of both boards as a numbered set; later changes of the ledger leave it as it is."""
    _advance(session, competition, "frozen")
    last = session.scalar(
        select(func.max(StandingSet.number)).where(StandingSet.competition_id == competition.id)
    )
    found = StandingSet(competition_id=competition.id, number=(last or 0) + 1, at=now(session))
    rows = [_frozen(board, row) for board in BOARDS for row in boards.live(session, competition, board)]
    found.rows, found.fingerprint = rows, _fingerprint(rows)
    session.add(found)
    traces.record(session, "competition.frozen", competition, details={"standings": found.fingerprint})
    return found


def publish(session: Session, competition: Competition) -> date:
    """Begin the publicity period; returns the day up to which objections are heard."""
    _advance(session, competition, "publicity")
    competition.publicity_until = calendar(session).after(today(session), competition.publicity_days)
    return competition.publicity_until


def finish(session: Session, competition: Competition) -> None:
    """Make the frozen standings final."""
    if competition.publicity_until is not None and today(session) <= competition.publicity_until:
        raise Refused(
            "公示期到 %(publicity_until)s 才满，还不能公布。",
            publicity_until=competition.publicity_until,
        )
    _advance(session, competition, "final")


def by_code(session: Session, code: str) -> Competition:
    """A competition by its code or its number."""
    found = session.scalar(select(Competition).where(Competition.code == code))
    if found is None and code.isdecimal():
        found = session.get(Competition, int(code))
    if found is None:
        raise Refused("没有编码为「%(code)s」的竞赛。请在竞赛页面核对编码。", code=code)
    return found


def _advance(session: Session, competition: Competition, state: str) -> None:
    """One state further, never back and never past one."""
    if ORDER.index(state) != ORDER.index(competition.state) + 1:
        raise Refused("竞赛「%(name)s」现在不能进入这一步，请刷新后核对它的状态。", name=competition.name)
    competition.state = state
    traces.record(session, f"competition.{state}", competition)
    scores.move_board(session, competition.id)


def _check(session: Session, plan: Plan, known: Competition | None = None) -> None:
    if plan.starts_on > plan.ends_on:
        raise Refused("竞赛的开始日期晚于结束日期，请更正。")
    kinds = set(session.scalars(select(ContactKind.code)))
    if (
        not plan.points
        or not set(plan.points) <= kinds
        or any(points <= 0 for points in plan.points.values())
    ):
        raise Refused("请至少给一种联系信息设定大于 0 的分值。")
    members = [unit for units in plan.divisions.values() for unit in units]
    if not members:
        raise Refused("请至少选择一个参赛单位。")
    if len(members) != len(set(members)) or _overlaps(session, members):
        raise Refused("同一单位（或它的上下级）不能同时在竞赛里出现两次，请核对分组。")
    taken = session.scalar(select(Competition.id).where(Competition.code == plan.code))
    if taken is not None and (known is None or taken != known.id):
        raise Refused("编码「%(code)s」已被另一个竞赛使用，请换一个。", code=plan.code)


def _overlaps(session: Session, unit_ids: Sequence[int]) -> bool:
    paths = sorted(session.scalars(select(Unit.path).where(Unit.id.in_(unit_ids))))
    return any(later.startswith(earlier) for earlier, later in zip(paths, paths[1:], strict=False))


def _divisions(plan: Plan) -> list[Division]:
    return [
        Division(name=name, members=[DivisionUnit(unit_id=unit_id) for unit_id in units])
        for name, units in plan.divisions.items()
        if units
    ]


def _frozen(board: str, row: boards.Row) -> Standing:
    return Standing(
        board=board,
        division=row.division,
        rank=row.rank,
        tied=row.tied,
        code=row.code,
        name=row.name,
        unit_name=row.unit_name,
        score=row.score,
        numerator=row.numerator,
        denominator=row.denominator,
    )


def _fingerprint(rows: Sequence[Standing]) -> str:
    lines = [
        f"{r.board}|{r.division}|{r.rank}|{r.code}|{r.score:.2f}|{r.numerator}/{r.denominator}" for r in rows
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
