"""What the print room has before it: the runs that wait for printer or post, and what each campaign still lacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session, joinedload

from models import Campaign, Letter, PrintRun, PrintTray
from models.letters import GONE
from paper.address_labels import Label, Labels
from services import spoils, traces
from services.ended_runs import WAITING as WAITING
from services.posting_lists import number_of

WAITS = {"to_print": "composed", "to_post": "printed"}  # state of the letters


@dataclass(frozen=True)
class Waiting:
    """A campaign with letters that are to be printed, to be posted, or to be printed again."""

    campaign: Campaign
    to_print: int = 0
    to_post: int = 0
    spoiled: int = 0


def waiting(session: Session) -> list[Waiting]:
    """The campaigns with something to do, the newest first, in as far as the session's scope reaches."""
    spoiled = spoils.waiting_by_campaign(session)
    counted = _counted(session)
    found = session.scalars(select(Campaign).where(Campaign.id.in_({*spoiled, *counted})))
    return [
        Waiting(row, *counted.get(row.id, (0, 0)), spoiled.get(row.id, 0))
        for row in sorted(found, key=lambda row: -row.id)
    ]


def waiting_letters(campaign_id: int, what: str) -> Select[Any]:
    """The letters of a campaign that wait `to_print` or `to_post`, in order."""
    query = select(Letter).join(PrintRun, PrintRun.id == Letter.print_run_id)
    query = query.where(Letter.campaign_id == campaign_id, PrintRun.state.in_(WAITING))
    return query.where(Letter.state == WAITS[what]).order_by(Letter.serial)


def letters_left(session: Session) -> int:
    """How many letters lie in runs that are not posted yet; spoiled and reprinted ones are not among them."""
    query = select(func.count(Letter.id)).join(PrintRun, PrintRun.id == Letter.print_run_id)
    return session.scalar(query.where(PrintRun.state.in_(WAITING), Letter.state.not_in(GONE))) or 0


def runs(session: Session, *, campaign_id: int = 0, states: Sequence[str] = WAITING) -> Select[Any]:
    """The print runs in these states, of a campaign or of all: waiting ones as they were made, others newest first."""
    query = select(PrintRun).options(joinedload(PrintRun.campaign)).where(PrintRun.state.in_(states))
    query = query.where(PrintRun.campaign_id == campaign_id) if campaign_id else query
    return query.order_by(PrintRun.id if set(states) <= set(WAITING) else PrintRun.id.desc())


def trays_left(session: Session, run_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """For each of these runs: trays that nobody took, and all."""
    left = func.sum(case((PrintTray.handed_out_at.is_(None), 1), else_=0))
    query = select(PrintTray.print_run_id, left, func.count()).where(PrintTray.print_run_id.in_(run_ids))
    return {key: (open_, all_) for key, open_, all_ in session.execute(query.group_by(PrintTray.print_run_id))}


def states(session: Session, run: PrintRun) -> dict[str, int]:
    """How many letters of a run are in which state."""
    query = select(Letter.state, func.count()).where(Letter.print_run_id == run.id).group_by(Letter.state)
    return {state: number for state, number in session.execute(query)}


def letters_of(run: PrintRun, *, state: str = "", tray: PrintTray | None = None) -> Select[Any]:
    """The letters of a run, or those in one state or one tray, in order."""
    query = select(Letter).where(Letter.print_run_id == run.id).order_by(Letter.serial)
    if tray is not None:
        query = query.where(Letter.serial.between(tray.serial_from, tray.serial_to))
    return query.where(Letter.state == state) if state else query


def address_labels(session: Session, run: PrintRun, *, skip: int = 0) -> Labels:
    """The labels of a run's live letters; what goes out with full addresses is traced."""
    found = session.scalars(letters_of(run).where(Letter.state.not_in(GONE))).all()
    traces.record(session, "print_run.labels", run, details={"letters": len(found)})
    labels = [_label(letter) for letter in found]
    return Labels(number_of(run), run.composed_at.date(), tuple(labels), skip)


def _label(letter: Letter) -> Label:
    facts = letter.facts["letter"]
    return Label(facts["serial"], letter.token, facts["address"], facts["addressee"], str(facts["postcode"]))


def _counted(session: Session) -> dict[int, tuple[int, int]]:
    """Letters to print and to post, by campaign."""
    printing = func.sum(case((Letter.state == "composed", 1), else_=0))
    posting = func.sum(case((Letter.state == "printed", 1), else_=0))
    query = select(PrintRun.campaign_id, printing, posting).join(Letter, Letter.print_run_id == PrintRun.id)
    rows = session.execute(query.where(PrintRun.state.in_(WAITING)).group_by(PrintRun.campaign_id))
    return {key: (to_print, to_post) for key, to_print, to_post in rows}

