"""Print runs of which nothing is left to post: they end as spoiled, so that nobody waits for them any more."""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Letter, PrintRun
from models.clock import now
from models.letters import GONE
from models.words import N_
from services import traces

WAITING = ("composed", "printing", "printed")
NOTHING_LEFT = N_("没有要寄的函件了：都已补打、作废或撤回")


def end_spent(session: Session, campaign_id: int, *, reason: str = NOTHING_LEFT) -> int:
    """End a campaign's runs of which every letter was spoiled, withdrawn or printed again before the run was posted,
    or became silent with the end of the campaign. Returns how many."""
    left = select(Letter.id).where(Letter.print_run_id == PrintRun.id, Letter.state.not_in((*GONE, "silent")))
    query = select(PrintRun).where(PrintRun.campaign_id == campaign_id, PrintRun.state.in_(WAITING))
    spent = session.scalars(query.where(~left.exists())).all()
    for run in spent:
        end(session, run, reason=reason)
    return len(spent)


def end(session: Session, run: PrintRun, *, reason: str) -> None:
    """End one run: nothing of it goes to the post."""
    query = update(PrintRun).where(PrintRun.id == run.id, PrintRun.state.in_(WAITING))
    values = {"spoiled_at": now(session), "spoiled_by_id": traces.actor_id(session), "spoiled_reason": reason}
    session.execute(query.values(state="spoiled", **values), execution_options={"synchronize_session": "fetch"})
    traces.record(session, "print_run.ended", run, details={"reason": reason})
