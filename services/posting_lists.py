"""The posting list (交寄清单): what one unit hands to the post on one day, of however many print runs."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session, joinedload

from models import Campaign, Letter, PrintRun
from models.clock import ZONE, end_of_day, start_of_day, today
from models.letters import GONE
from models.words import N_
from paper.letterheads import Letterhead, is_local
from paper.postings import PostedRun, PostingLine, PostingList
from services import letterheads, postage, trays
from services.presorting import prefix_of

KIND = N_("平常信函")
READY = ("printing", "printed")  # runs that the post can have today
SHOWN = 200  # runs of one day
BATCH, CHUNK = 5000, 500

Key = tuple[str, bool]  # the beginning of the postcode, and whether it stays in the city


@dataclass(frozen=True)
class PostingDay:
    """What a unit posted on one day."""

    day: date
    unit_id: int
    unit: str
    runs: int


def on_day(session: Session, day: date) -> Sequence[PrintRun]:
    """The runs posted on a business day, by unit; today also those that can go."""
    went = PrintRun.posted_at.between(start_of_day(day), end_of_day(day) - timedelta(microseconds=1))
    found = went | PrintRun.state.in_(READY) if day == today(session) else went
    query = _runs().where(found).order_by(PrintRun.unit_id, PrintRun.campaign_id, PrintRun.number)
    return session.scalars(query.limit(SHOWN)).all()


def chosen(session: Session, run_ids: Sequence[int]) -> Sequence[PrintRun]:
    """These runs, in the order in which their numbers stand on a list; spoiled ones go nowhere."""
    query = _runs().where(PrintRun.id.in_(run_ids[:SHOWN]), PrintRun.state != "spoiled")
    return session.scalars(query.order_by(PrintRun.unit_id, PrintRun.campaign_id, PrintRun.number)).all()


def recent_days(session: Session) -> list[PostingDay]:
    """The days of the runs posted last, the newest first."""
    query = _runs().where(PrintRun.posted_at.is_not(None)).order_by(PrintRun.posted_at.desc())
    found: defaultdict[tuple[date, int], list[PrintRun]] = defaultdict(list)
    for run in session.scalars(query.limit(SHOWN)):
        if day := day_of(run):
            found[day, run.unit_id].append(run)
    return [
        PostingDay(day, unit_id, runs[0].campaign.unit.name, len(runs))
        for (day, unit_id), runs in found.items()
    ]


def day_of(run: PrintRun) -> date | None:
    """The business day on which a run was posted; None for one that was not."""
    return run.posted_at.astimezone(ZONE).date() if run.posted_at is not None else None


def facts(session: Session, runs: Sequence[PrintRun], *, day: date) -> PostingList:
    """The list of these runs of one unit: pieces, weight and postage by the beginning of the postcode."""
    counted, places = Counter[Key](), defaultdict[Key, list[str]](list)
    shown: list[PostedRun] = []
    one_campaign = len({run.campaign_id for run in runs}) < 2
    for run in runs:
        found = _of_run(session, run)
        counted.update({key: sum(numbers.values()) for key, numbers in found.items()})
        shown.append(PostedRun(number_of(run), run.campaign.name, _span(run), _pieces(found), _trays(found)))
        head = "" if len(runs) == 1 else f"{run.number if one_campaign else number_of(run)}/"
        for key, numbers in found.items():
            if lying := joined(numbers):
                places[key].append(head + lying)
    return PostingList(
        unit=runs[0].campaign.unit.name if runs else "",
        day=day,
        kind=KIND,
        source=postage.current(session).source,
        runs=tuple(shown),
        lines=tuple(_lines(session, counted, places)),
    )


def goes() -> ColumnElement[bool]:
    """Letters that go, or went, to the post with their run (joined). Not: what was spoiled or printed again before,
    nor what was never printed because an earlier copy was answered or came back first."""
    kept = Letter.state.not_in(trays.NEEDLESS) | (Letter.state.not_in(GONE) & Letter.printed_at.is_not(None))
    return kept | (Letter.posted_at == PrintRun.posted_at)


def letters(
    session: Session, runs: Sequence[PrintRun], *, after: int, most: int, key: Key | None = None
) -> Sequence[Letter]:
    """The first `most` letters that one figure of a list counts, of those that follow the letter of the id `after`."""
    query = select(Letter).join(PrintRun, PrintRun.id == Letter.print_run_id)
    query = query.where(PrintRun.id.in_([run.id for run in runs]), goes()).order_by(Letter.id).limit(CHUNK)
    head, found = letterheads.current(session), list[Letter]()
    while len(found) < most and (chunk := session.scalars(query.where(Letter.id > after)).all()):
        found += [letter for letter in chunk if key is None or _key(letter, head) == key]
        after = chunk[-1].id
    return found[:most]


def number_of(run: PrintRun) -> str:
    """A print run as papers name it: `HD202611-01-3`."""
    return f"{run.campaign.code}-{run.number}"


def span(first: int, last: int) -> str:
    """Serials from the first to the last as papers name them."""
    return f"{first:05} – {last:05}"


def joined(numbers: Counter[int]) -> str:
    """Numbers of trays as papers name them: `1–3、5`."""
    spans: list[list[int]] = []
    for number in sorted(number for number in numbers if number):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return "、".join(str(first) if first == last else f"{first}–{last}" for first, last in spans)


def _key(letter: Letter, head: Letterhead) -> Key:
    told = letter.facts["letter"]
    return prefix_of(told["postcode"] or ""), is_local(told["address"], head)


def _runs() -> Select[Any]:
    return select(PrintRun).options(joinedload(PrintRun.campaign).joinedload(Campaign.unit))


def _span(run: PrintRun) -> str:
    return span(run.serial_from, run.serial_to)


def _of_run(session: Session, run: PrintRun) -> dict[Key, Counter[int]]:
    """How many letters of a run lie in which tray, by prefix and distance; tray 0 stands for none."""
    head, places = letterheads.current(session), trays.trays_of(session, run)
    starts = [tray.serial_from for tray in places]
    told = Letter.facts["letter"]
    query = select(Letter.serial, told["postcode"].as_string(), told["address"].as_string())
    query = query.join(PrintRun, PrintRun.id == Letter.print_run_id).where(PrintRun.id == run.id, goes())
    found: defaultdict[Key, Counter[int]] = defaultdict(Counter)
    for serial, postcode, address in session.execute(query.execution_options(yield_per=BATCH)):
        at = bisect_right(starts, serial)
        found[prefix_of(postcode or ""), is_local(address, head)][places[at - 1].number if at else 0] += 1
    return found


def _pieces(found: dict[Key, Counter[int]]) -> int:
    return sum(sum(numbers.values()) for numbers in found.values())


def _trays(found: dict[Key, Counter[int]]) -> int:
    return len({number for numbers in found.values() for number in numbers if number})


def _lines(session: Session, counted: Counter[Key], places: dict[Key, list[str]]) -> Iterator[PostingLine]:
    """One line for each prefix and distance; unknown postcodes last."""
    prices = postage.current(session)
    grams = prices.letter_grams()
    for key, pieces in sorted(counted.items(), key=lambda one: (not one[0][0], one[0])):
        price = prices.price(grams, local=key[1])
        yield PostingLine(*key, pieces, grams, price, "；".join(places[key]))
