"""The labels of a print run's trays (盘签) and of the bundles in them (把签)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letter, PrintRun, PrintTray
from models.clock import today
from paper.postings import TrayLabel, TrayLabels
from services import trays
from services.posting_lists import goes, number_of, span
from services.trays import Piece


def labels(session: Session, run: PrintRun) -> TrayLabels:
    """A label for every tray, each followed by those of its bundles where it has more than one; what does not go
    to the post is not counted on them."""
    found: list[TrayLabel] = []
    places, pieces, going = trays.trays_of(session, run), trays.pieces_of(session, run), _going(session, run)
    for tray in places:
        lying = pieces[tray.first : tray.first + tray.letters]
        if kept := [piece for piece in lying if piece.serial in going]:
            found += _of_tray(run, tray, len(places), kept)
    return TrayLabels(number_of(run), run.campaign.unit.name, today(session), tuple(found))


def _going(session: Session, run: PrintRun) -> set[int]:
    query = select(Letter.serial).join(PrintRun, PrintRun.id == Letter.print_run_id)
    return set(session.scalars(query.where(PrintRun.id == run.id, goes())))


def _of_tray(run: PrintRun, tray: PrintTray, count: int, pieces: list[Piece]) -> list[TrayLabel]:
    number = number_of(run)
    serials = span(tray.serial_from, tray.serial_to)
    whole = TrayLabel(tray.prefix, number, tray.number, count, len(pieces), serials)
    tied = trays.bundles(pieces)
    if len(tied) < 2:
        return [whole]
    return [whole] + [
        TrayLabel(
            one.prefix, number, tray.number, count, one.pieces, span(one.serial_from, one.serial_to), at, len(tied)
        )
        for at, one in enumerate(tied, start=1)
    ]
