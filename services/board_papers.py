"""The A3 board of a competition as paper takes it: plain values gathered in a transaction, laid out outside of it."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Competition, StandingSet
from models.clock import now
from models.words import N_
from paper import competitions as papers
from paper.figures import Fingerprint, Rate
from services import boards, letterheads, traces
from services.boards import FROZEN, Row

RULE = N_("只有核实属实的联系信息得分，录入不得分。得分相同名次并列，其后名次顺延。")
SMALL_UNITS = N_("每个单位下方为已核实项数与所辖客户数，供不同规模的单位对照。")


def lay_out(session: Session, competition: Competition) -> bytes:
    """The PDF of the A3 board; its facts are read first, and the layout may take a second."""
    return papers.board(printed_board(session, competition), letterheads.current(session))


def printed_board(session: Session, competition: Competition) -> papers.Board:
    """Everything that stands on the wall: frozen standings once there are, else the ledger's; no customer data."""
    frozen = competition.state in FROZEN
    return papers.Board(
        title=competition.name,
        period=f"{competition.starts_on} ～ {competition.ends_on}",
        as_of=now(session),
        divisions=_divisions(boards.board(session, competition, "unit")),
        persons=_persons(boards.board(session, competition, "person")),
        rule=RULE,
        small_units=SMALL_UNITS,
        frozen=frozen,
        fingerprint=_fingerprint(session, competition) if frozen else None,
    )


def _divisions(rows: Sequence[Row]) -> tuple[papers.Division, ...]:
    names = dict.fromkeys(row.division for row in rows)
    return tuple(
        papers.Division(name, tuple(_unit(row) for row in rows if row.division == name)) for name in names
    )


def _unit(row: Row) -> papers.BoardUnit:
    done = Rate(row.numerator, row.denominator)
    return papers.BoardUnit(row.rank, row.name, row.score, tied=row.tied, confirmed=done)


def _persons(rows: Sequence[Row]) -> tuple[papers.BoardPerson, ...]:
    """The first persons of all divisions together, in the places the board gave them."""
    first = rows[: papers.PERSONS]
    return tuple(
        papers.BoardPerson(row.rank, row.name, row.unit_name, row.score, tied=row.tied) for row in first
    )


def _fingerprint(session: Session, competition: Competition) -> Fingerprint | None:
    query = select(StandingSet).where(StandingSet.competition_id == competition.id)
    found = session.scalars(query.order_by(StandingSet.number.desc()).limit(1)).one_or_none()
    if found is None:
        return None
    return Fingerprint(
        f"{competition.code}-{found.number}", found.at, found.fingerprint, traces.fingerprint(session)
    )
