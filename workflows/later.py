"""Sendings that were put off alone: the others go on, these are tried again after longer and longer pauses.

One that is still put off after some hours, while others go out, has failed. Where nothing goes out at all it is the
way out that says "later": no message has failed then, and after a day a person is told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Outgoing, StepItem
from models.clock import utcnow
from models.words import N_, Said
from services import Refused
from workflows.channels import Outcome
from workflows.claims import hold
from workflows.deliveries import NotNow
from workflows.held import Held
from workflows.sessions import reading, writing

TRIES, SINCE = "tries", "since"  # in an item's result, while it waits
IN_A_ROW = 10  # that many put off one after the other: the way out is busy, and the rest waits too
FIRST, LONGEST = timedelta(minutes=1), timedelta(hours=1)  # pauses
ALONE, ALL_DAY = timedelta(hours=4), timedelta(hours=24)  # how long one may wait while others go out, and while none do
PUT_OFF = N_("有 %(number)s 条暂时没有被收下（%(why)s），其余的照发；这几条稍后再发。")
SHUT = N_(
    "%(hours)s 小时里一条也没有被收下（%(why)s），先停下来，没有一条算作失败。"
    "请和对方核实原因后重试这一步，从没发的接着发。"
)


@dataclass
class Later:
    """What one pass over a step's items has put off so far: how many, how many in a row, the fewest tries, why."""

    held: Held
    number: int = 0
    in_a_row: int = 0
    fewest: int = 0
    why: str = ""
    is_shut: bool = False

    def judged(self, item_id: int, outcome: Outcome) -> Outcome:
        """The same outcome, or a failure where others went out while it was put off for long."""
        if not outcome.is_put_off:
            self.in_a_row = 0
            return outcome
        with reading() as session:
            marks = once_more(session, item_id)
            since = datetime.fromisoformat(marks[SINCE])
            waited = utcnow() - since
            if waited >= ALONE and self._is_open(session, outcome.key, since):
                return replace(outcome, state="failed", is_put_off=False)
        self.is_shut = self.is_shut or waited >= ALL_DAY
        self.number, self.in_a_row, self.why = self.number + 1, self.in_a_row + 1, outcome.text
        self.fewest = min(self.fewest or marks[TRIES], marks[TRIES])
        return outcome

    @property
    def is_busy(self) -> bool:
        """Whether nothing gets through just now: the others need not be tried."""
        return self.in_a_row >= IN_A_ROW

    def rest(self) -> None:
        """Let the step rest where anything was put off; stop it where nothing went out for a day."""
        if self.is_shut:
            self._begin_anew()
            raise Refused(SHUT, hours=ALL_DAY // timedelta(hours=1), why=self.why)
        if self.number:
            pause = min(FIRST * 2 ** (self.fewest - 1), LONGEST)
            raise NotNow(Said(PUT_OFF, number=self.number, why=self.why), pause=pause)

    def _is_open(self, session: Session, key: str, since: datetime) -> bool:
        """Whether the step has sent anything by the same way since."""
        way = select(Outgoing.channel).where(Outgoing.key == key).scalar_subquery()
        sent = select(Outgoing.id).where(Outgoing.step_id == self.held.step_id, Outgoing.channel == way)
        return session.scalar(sent.where(Outgoing.sent_at >= since).limit(1)) is not None

    def _begin_anew(self) -> None:
        """Forget how long was waited: whoever tries the step again gives the way out another day."""
        rows, held = StepItem.__table__, self.held
        waited = rows.c.result[TRIES].as_integer().is_not(None)
        with writing() as session:
            hold(session, held.step_id, held.token, held.limits)
            session.execute(update(rows).where(rows.c.step_id == held.step_id, waited).values(result={}))


def once_more(session: Session, item_id: int) -> dict[str, Any]:
    """What is noted of an item that is put off: how often by now, and since when."""
    before = session.scalar(select(StepItem.result).where(StepItem.id == item_id)) or {}
    return {TRIES: before.get(TRIES, 0) + 1, SINCE: before.get(SINCE) or utcnow().isoformat()}
