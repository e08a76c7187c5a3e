"""What a trial run shows of visits: doors to go to, how many days of walking they are, and the lists that makes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Run, Staff, Visit
from models.scope import ALL, working_as
from models.words import N_
from paper.visits import ROWS_A_PAGE
from services import saved_segments, territories
from workflows.forecasts import Ahead, Forecast, Would
from workflows.steps import Facts, Options
from workflows.visits import (
    CollectFailures,
    MakeVisits,
    plan_assign_visits,
    plan_collect_failures,
    plan_print_walk_lists,
)

CHUNK = 1000
CAPACITY = 20  # doors a day where nobody who walks is known
DAYS_NOTE = N_("走访人天 = 走访任务 ÷ 客户经理的平均日走访能力。")


def forecast_make_visits(session: Session, options: MakeVisits, facts: Facts, ahead: Ahead) -> Forecast:
    """The silent letters of the trial; those that come back have sent somebody already."""
    counted = {"visits": 0.0}

    def rows() -> Iterator[Would]:
        silent = ahead.rows("silent") if "silent" in options.origins else iter(())
        for row in islice(_inside(session, options.segment, silent), options.limit):
            counted["visits"] += row.share
            values = {**row.values, "origin": "silent"}
            yield Would("visits", row.customer_id, row.unit_id, "", values, row.share)

    return _visits(session, rows(), counted)


def _inside(session: Session, segment: str, rows: Iterator[Would]) -> Iterator[Would]:
    """The rows whose customers belong to a segment, chunk by chunk; without one all of them."""
    if not segment:
        yield from rows
        return
    while chunk := list(islice(rows, CHUNK)):
        own = saved_segments.among(session, segment, [row.customer_id for row in chunk if row.customer_id])
        yield from (row for row in chunk if row.customer_id in own)


def forecast_collect_failures(
    session: Session, options: CollectFailures, facts: Facts, ahead: Ahead
) -> Forecast:
    """The failures that stand open now, as the plan half says."""
    counted = {"visits": 0.0}

    def rows() -> Iterator[Would]:
        for item in plan_collect_failures(session, options, facts).items:
            counted["visits"] += 1
            yield Would("visits", item["customer_id"], item["unit_id"], "", {"origin": item["origin"]})

    return _visits(session, rows(), counted)


def forecast_assign_visits(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """Who would go to the doors of the trial and to those that wait already; a list holds one day of one person."""
    counted = {"assigned": 0, "lists": 0}

    def rows() -> Iterator[Would]:
        doors: Counter[int] = Counter()
        for staff_id, number in chain(_waiting(session, options, facts), _chosen(session, ahead)):
            doors[staff_id] += number
        counted["assigned"] = doors.total()
        for row in _lists(session, doors):
            counted["lists"] += 1
            yield row

    return Forecast(rows(), results=lambda: dict(counted))


def forecast_print_walk_lists(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """The pages of the lists of the trial and of those that wait to be printed."""
    waiting = plan_print_walk_lists(session, options, facts)
    doors = [sum(len(group["rows"]) for group in item["facts"]["groups"]) for item in waiting.items]
    doors += [int(row.values["doors"]) for row in ahead.rows("walk_lists")]
    return Forecast(figures={"pages": sum(math.ceil(number / ROWS_A_PAGE) for number in doors)})


def forecast_close_visits(session: Session, options: Options, facts: Facts, ahead: Ahead) -> Forecast:
    """What nobody went to in time, as is assumed."""
    left = ahead.assumed("visits_left")
    return Forecast(results={"cancelled": round(left * sum(row.share for row in ahead.rows("visits")))})


def left_share(session: Session, run: Run) -> float | None:
    """How many of a round's visits were cancelled when it ended; None where it had none."""
    states = session.scalars(select(Visit.state).where(Visit.run_id == run.id)).all()
    return states.count("cancelled") / len(states) if states else None


def _visits(session: Session, rows: Iterator[Would], counted: Mapping[str, float]) -> Forecast:
    def figures() -> dict[str, float]:
        return {"visitor_days": counted["visits"] / _capacity(session)}

    return Forecast(rows, figures, lambda: {"visits": round(counted["visits"])}, notes=(DAYS_NOTE,))


def _capacity(session: Session) -> float:
    """How many doors a person goes to in a day, on average."""
    ids = territories.walkers(session).units
    with working_as(session, ALL):
        found = session.scalars(select(Staff.capacity).where(Staff.id.in_(ids))).all()
    return sum(max(one, 1) for one in found) / len(found) if found else CAPACITY


def _waiting(session: Session, options: Options, facts: Facts) -> Iterator[tuple[int, int]]:
    ids = [item["visit_id"] for item in plan_assign_visits(session, options, facts).items]
    for at in range(0, len(ids), CHUNK):
        query = select(Visit.staff_id).where(Visit.id.in_(ids[at : at + CHUNK]), Visit.staff_id.is_not(None))
        yield from Counter(key for key in session.scalars(query) if key is not None).items()


def _chosen(session: Session, ahead: Ahead) -> Iterator[tuple[int, int]]:
    walking, rows = territories.walkers(session), ahead.rows("visits")
    while ids := [row.customer_id for row in islice(rows, CHUNK)]:
        for customer in session.scalars(select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id)):
            chosen = walking.choose(customer)
            if chosen is not None:
                yield chosen, 1


def _lists(session: Session, doors: Mapping[int, int]) -> Iterator[Would]:
    query = select(Staff.id, Staff.unit_id, Staff.capacity).where(Staff.id.in_(doors)).order_by(Staff.id)
    with working_as(session, ALL):
        people: list[Any] = list(session.execute(query))
    for key, unit_id, capacity in people:
        for at in range(0, doors[key], max(capacity, 1)):
            number = min(doors[key] - at, max(capacity, 1))
            yield Would("walk_lists", None, unit_id, "", {"staff_id": key, "doors": number})
