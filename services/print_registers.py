"""The print register (打印台账) of a campaign: its runs with what was spoiled, printed again and posted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from models import Campaign, Letter, Printer, PrintRun
from models.clock import ZONE, today
from models.print_words import PRINT_RUN_KINDS
from models.words import PRINT_RUN_STATES
from paper.print_registers import PrintRegister, RegisterLine
from services.posting_lists import span


def facts(session: Session, campaign: Campaign) -> PrintRegister:
    """The register as it is printed."""
    return PrintRegister(
        campaign.name, campaign.code, campaign.unit.name, today(session), tuple(lines(session, campaign.id))
    )


def lines(
    session: Session, campaign_id: int, *, said: Callable[[str], str] = lambda text: text
) -> list[RegisterLine]:
    """A line for every run, in order; `said` puts words into the reader's language."""
    states = letter_states(session, campaign_id)
    printers = dict(session.execute(select(Printer.id, Printer.name)).tuples().all())
    loaded = (joinedload(PrintRun.form_version), joinedload(PrintRun.printed_by))
    query = select(PrintRun).options(*loaded).where(PrintRun.campaign_id == campaign_id)
    return [
        RegisterLine(
            run=str(run.number),
            kind=said(PRINT_RUN_KINDS[run.kind]),
            form=f"v{run.form_version.version}" if run.form_version else "",
            serials=span(run.serial_from, run.serial_to),
            letters=run.letters,
            spoiled=states.get((run.id, "spoiled"), 0),
            reprinted=states.get((run.id, "reprinted"), 0),
            printer=printers.get(run.printer_id or 0, ""),
            operator=run.printed_by.name if run.printed_by else "",
            printed_at=_moment(run.printed_at),
            posted_at=_moment(run.posted_at),
            state=said(PRINT_RUN_STATES[run.state]),
            note=run.spoiled_reason,
        )
        for run in session.scalars(query.order_by(PrintRun.number))
    ]


def letter_states(session: Session, campaign_id: int) -> dict[tuple[int, str], int]:
    """How many letters of each run are in which state."""
    query = select(Letter.print_run_id, Letter.state, func.count()).where(Letter.campaign_id == campaign_id)
    rows = session.execute(query.group_by(Letter.print_run_id, Letter.state)).tuples()
    return {(run_id, state): number for run_id, state, number in rows if run_id is not None}


def _moment(moment: Any) -> str:
    return f"{moment.astimezone(ZONE):%Y-%m-%d %H:%M}" if moment is not None else ""
