"""The posting list (交寄清单) of a print run, and the labels of its trays and bundles."""

from __future__ import annotations

from collections import Counter, defaultdict

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letter, PrintRun, PrintTray
from models.clock import now, today
from models.letters import GONE
from models.words import N_
from paper.letterheads import is_local
from paper.postings import PostingLine, PostingList, TrayLabel, TrayLabels
from services import letterheads, postage, trays
from services.presorting import prefix_of
from services.trays import Piece

KIND = N_("平常信函")


def facts(session: Session, run: PrintRun) -> PostingList:
    """What goes to the post: pieces, weight and postage by prefix; spoiled and reprinted letters stay here."""
    day = (run.posted_at or run.printed_at or now(session)).date()
    return PostingList(
        number=number_of(run),
        unit=run.campaign.unit.name,
        campaign=run.campaign.name,
        serials=span(run.serial_from, run.serial_to),
        day=day,
        kind=KIND,
        source=postage.current(session).source,
        lines=tuple(lines(session, run)),
    )


def lines(session: Session, run: PrintRun) -> list[PostingLine]:
    """One line for each prefix and distance."""
    head, prices = letterheads.current(session), postage.current(session)
    grams, counted, places = prices.letter_grams(), Counter[tuple[str, bool]](), trays.trays_of(session, run)
    numbers: defaultdict[tuple[str, bool], set[int]] = defaultdict(set)
    query = select(Letter.serial, Letter.facts).where(Letter.print_run_id == run.id, Letter.state.not_in(GONE))
    for serial, kept in session.execute(query.order_by(Letter.serial)):
        letter = kept["letter"]
        key = (prefix_of(str(letter["postcode"])), is_local(letter["address"], head))
        counted[key] += 1
        numbers[key] |= {tray.number for tray in places if tray.serial_from <= serial <= tray.serial_to}
    return [
        PostingLine(prefix, local, pieces, grams, prices.price(grams, local=local), _joined(numbers[prefix, local]))
        for (prefix, local), pieces in sorted(counted.items(), key=lambda one: (not one[0][0], one[0]))
    ]


def labels(session: Session, run: PrintRun) -> TrayLabels:
    """A label for every tray, each followed by those of its bundles where it has more than one."""
    found: list[TrayLabel] = []
    places, pieces = trays.trays_of(session, run), trays.pieces_of(session, run)
    for tray in places:
        found += _of_tray(run, tray, len(places), pieces[tray.first : tray.first + tray.letters])
    return TrayLabels(number_of(run), run.campaign.unit.name, today(session), tuple(found))


def number_of(run: PrintRun) -> str:
    """A print run as papers name it: `HD202611-01-3`."""
    return f"{run.campaign.code}-{run.number}"


def span(first: int, last: int) -> str:
    """Serials from the first to the last as papers name them."""
    return f"{first:05} – {last:05}"


def _of_tray(run: PrintRun, tray: PrintTray, count: int, pieces: list[Piece]) -> list[TrayLabel]:
    number = number_of(run)
    serials = span(tray.serial_from, tray.serial_to)
    whole = TrayLabel(tray.prefix, number, tray.number, count, tray.letters, serials)
    tied = trays.bundles(pieces)
    if len(tied) < 2:
        return [whole]
    return [whole] + [
        TrayLabel(
            one.prefix, number, tray.number, count, one.pieces, span(one.serial_from, one.serial_to), at, len(tied)
        )
        for at, one in enumerate(tied, start=1)
    ]


def _joined(numbers: set[int]) -> str:
    ordered = sorted(numbers)
    if len(ordered) > 1 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]}–{ordered[-1]}"
    return "、".join(map(str, ordered))
