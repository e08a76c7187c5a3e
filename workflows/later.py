"""Sendings that were put off alone: the others go on, these are tried again after longer and longer pauses."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import StepItem
from models.words import N_, Said
from workflows.channels import Outcome
from workflows.deliveries import NotNow
from workflows.sessions import reading

TRIES = "tries"  # in an item's result, while it waits
MOST = 6  # tries of one sending before it has failed
IN_A_ROW = 10  # that many put off one after the other: the way out is busy, and the rest waits too
FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=1)
PUT_OFF = N_("有 %(number)s 条暂时没有被收下（%(why)s），其余的照发；这几条稍后再发。")


@dataclass
class Later:
    """What one pass over a step's items has put off so far: how many, how many in a row, the fewest tries, why."""

    number: int = 0
    in_a_row: int = 0
    fewest: int = MOST
    why: str = ""

    def judged(self, item_id: int, outcome: Outcome) -> Outcome:
        """The same outcome, or a failure where it was put off often enough."""
        if not outcome.is_put_off:
            self.in_a_row = 0
            return outcome
        with reading() as session:
            tried = tries(session, item_id) + 1
        if tried >= MOST:
            return replace(outcome, state="failed", is_put_off=False)
        self.number, self.in_a_row = self.number + 1, self.in_a_row + 1
        self.fewest, self.why = min(self.fewest, tried), outcome.text
        return outcome

    @property
    def is_busy(self) -> bool:
        """Whether nothing gets through just now: the others need not be tried."""
        return self.in_a_row >= IN_A_ROW

    def rest(self) -> None:
        """Let the step rest where anything was put off."""
        if self.number:
            pause = min(FIRST * 2 ** (self.fewest - 1), LONGEST)
            raise NotNow(Said(PUT_OFF, number=self.number, why=self.why), pause=pause)


def tries(session: Session, item_id: int) -> int:
    """How often an item was put off so far."""
    found = session.scalar(select(StepItem.result).where(StepItem.id == item_id)) or {}
    return int(found.get(TRIES, 0))
