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
from services.counts import Required, Tally

Upkeep = Callable[[Session, Sequence[int]], object]

# What else is kept of customers, one function an entry: called with the ids of all that changed, in order.
UPKEEP: tuple[Upkeep, ...] = (search.keep_up,)


@dataclass
class Changing:
    """The customers that change, and how those that were there before were counted before, in each set of counts:
    one that is being built knows the customers up to `reach` only."""

    required: Required
    reach: Mapping[int, float]
    before: dict[int, Tally] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)

    def opened(self, customer_ids: Iterable[int]) -> None:
        """Customers that are new: nothing of them was counted before."""
        self.counted.update(customer_ids)


@contextmanager
def changing(session: Session, customer_ids: Iterable[int]) -> Iterator[Changing]:
    """Change customers, or what belongs to them, inside; their counts follow at the end. Nobody else changes them
    meanwhile: on PostgreSQL they are locked here, in the order of their keys."""
    outer: Changing | None = session.info.get("changing")
    if outer is not None:
        _take_in(session, outer, customer_ids)
        yield outer
        return
    counts.lock(session)
    state = session.info["changing"] = Changing(counts.required_kinds(session), counts.reach_of_sets(session))
    try:
        _take_in(session, state, customer_ids)
        yield state
        _keep_up(session, state)
    finally:
        session.info.pop("changing", None)


def _take_in(session: Session, state: Changing, customer_ids: Iterable[int]) -> None:
    fresh = set(customer_ids).difference(state.counted)
    if fresh:
        session.flush()
        counts.lock_customers(session, fresh)
        for set_id, found in _tallies(session, state, fresh).items():
            state.before.setdefault(set_id, Tally()).add(found)
        state.counted |= fresh


def _keep_up(session: Session, state: Changing) -> None:
    if state.counted:
        session.flush()
        for set_id, found in _tallies(session, state, state.counted).items():
            counts.add_tally(session, set_id, found.without(state.before.get(set_id, Tally())))
    for keep_up in UPKEEP if state.counted else ():
        keep_up(session, sorted(state.counted))


def _tallies(session: Session, state: Changing, customer_ids: Collection[int]) -> dict[int, Tally]:
    """How customers are counted in each set, those left out that it has not come to."""
    whole = counts.tally(session, customer_ids, state.required)
    found = {set_id: whole for set_id, reach in state.reach.items() if reach == float("inf")}
    for set_id, reach in state.reach.items():
        if set_id not in found:
            found[set_id] = counts.tally(
                session, (key for key in customer_ids if key <= reach), state.required
            )
    return found
