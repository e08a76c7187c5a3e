"""Customers about to change: the one place that knows which, and what is kept of them is brought up to date there.

Whatever writes customers or their contacts does it inside `changing`; of several, one in another, the outermost ends
with the upkeep, once for all of its customers and in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from services import counts, search
from services.counts import Facts, Required, Tally, Value

Upkeep = Callable[[Session, Sequence[int]], object]

# What else is kept of customers, one function an entry: called with the ids of all that changed, in order.
UPKEEP: tuple[Upkeep, ...] = (search.keep_up,)


@dataclass
class Changing:
    """The customers that change, and how those that were there before were counted before, in each set of counts:
    one that is being built knows the customers up to `reach` only. `fresh` are new ones that have nothing but what was
    recorded since (`values`): these are counted without being read again."""

    required: Required
    reach: Mapping[int, float]
    before: dict[int, Tally] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)
    fresh: dict[int, Facts] = field(default_factory=dict)
    values: list[Value] = field(default_factory=list)
    valued: set[int] = field(default_factory=set)
    entering: set[int] = field(default_factory=set)

    def opened(self, customers: Iterable[Facts]) -> None:
        """Customers that are new: nothing of them was counted before."""
        self.fresh.update({facts[0]: facts for facts in customers})

    def recorded(self, values: Iterable[Value]) -> None:
        """Current values that were added, some to customers that are new."""
        self.values += [value for value in values if value[0] in self.fresh]


@contextmanager
def changing(session: Session, customer_ids: Iterable[int]) -> Iterator[Changing]:
    """Change customers, or what belongs to them, inside; their counts follow at the end. Nobody else changes them
    meanwhile: on PostgreSQL they are locked here, in the order of their keys."""
    with _state(session) as state:
        ids = set(customer_ids)
        state.counted.update(key for key in ids if state.fresh.pop(key, None))
        _take_in(session, state, ids)
        yield state


@contextmanager
def adding(session: Session, customer_ids: Iterable[int]) -> Iterator[Changing]:
    """The same where values are only added, and all that become current are told to `recorded`."""
    with _state(session) as state:
        ids = set(customer_ids)
        again = ids & state.valued
        state.counted.update(key for key in again if state.fresh.pop(key, None))
        state.entering = ids & state.fresh.keys()
        state.valued |= state.entering
        _take_in(session, state, ids - state.fresh.keys())
        yield state
        state.entering = set()


def entering(session: Session) -> Collection[int]:
    """New customers that get their first values just now: nothing stands there."""
    state: Changing | None = session.info.get("changing")
    return state.entering if state else ()


@contextmanager
def _state(session: Session) -> Iterator[Changing]:
    outer: Changing | None = session.info.get("changing")
    if outer is not None:
        yield outer
        return
    counts.lock(session)
    state = session.info["changing"] = Changing(counts.required_kinds(session), counts.reach_of_sets(session))
    try:
        yield state
        _keep_up(session, state)
    finally:
        session.info.pop("changing", None)


def _take_in(session: Session, state: Changing, customer_ids: Collection[int]) -> None:
    more = set(customer_ids).difference(state.counted)
    if more:
        session.flush()
        counts.lock_customers(session, more)
        for set_id, reach in state.reach.items():
            found = counts.tally(session, (key for key in more if key <= reach), state.required)
            state.before.setdefault(set_id, Tally()).add(found)
        state.counted |= more


def _keep_up(session: Session, state: Changing) -> None:
    ids = sorted([*state.counted, *state.fresh])
    if not ids:
        return
    session.flush()
    for set_id, reach in state.reach.items():
        found = counts.tally(session, (key for key in state.counted if key <= reach), state.required)
        found.add(_fresh(state, reach))
        counts.add_tally(session, set_id, found.without(state.before.get(set_id, Tally())))
    keep_up(session, ids)


def keep_up(session: Session, customer_ids: Sequence[int]) -> None:
    """The upkeep of customers whose counts are kept otherwise."""
    for upkeep in UPKEEP:
        upkeep(session, customer_ids)


def _fresh(state: Changing, reach: float) -> Tally:
    customers = [facts for key, facts in state.fresh.items() if key <= reach]
    inside = {facts[0] for facts in customers}
    return counts.tally_of(customers, [value for value in state.values if value[0] in inside], state.required)
