"""The step that writes a note into the run's history: what was decided, counted or noticed on the way."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from models import Run
from models.words import N_
from services import traces
from workflows.fact_texts import filled
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class Note(Options):
    """What the note says."""

    text: str = asked(
        N_("说明"),
        min_length=1,
        max_length=500,
        form="long",
        help=N_("可以写上前面节点的结果，例如 {freeze.recipients}。"),
    )


def plan_note(session: Session, options: Note, facts: Facts) -> Planned:
    """The note with the results put in."""
    return Planned([{"text": filled(options.text, facts)}])


def note(options: Note, facts: Facts, items: Sequence[Item]) -> Effects:
    """Write it as a trace of the run."""
    run_id = facts["run"]["id"]
    calls = [Call(keep_note, {"run_id": run_id, "text": item["text"]}) for item in items]
    return Effects(calls=calls, summary={"text": items[0]["text"]})


def keep_note(session: Session, run_id: int, text: str) -> None:
    """One note."""
    traces.record(session, "run.noted", session.get_one(Run, run_id), details={"text": text})
