"""Steps about competitions: opened, counted, frozen, made public, final."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models import Competition
from models.words import N_
from services import competitions
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked


class OpenCompetition(Options):
    """Which competition the run carries through."""

    competition: str = asked(N_("竞赛编码"), min_length=1, max_length=40)


def plan_open_competition(session: Session, options: OpenCompetition, facts: Facts) -> Planned:
    """The competition to be opened."""
    return Planned([{"competition_id": competitions.by_code(session, options.competition).id}])


def open_competition(options: OpenCompetition, facts: Facts, items: Sequence[Item]) -> Effects:
    """Open it, and count what was confirmed since its first day."""
    return _calls(open_one, items, run_id=facts["run"]["id"])


def plan_count_competition(session: Session, options: Options, facts: Facts) -> Planned:
    """The run's competition."""
    return _planned(facts)


def count_competition(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """End the scoring."""
    return _calls(count_one, items)


def plan_freeze_standings(session: Session, options: Options, facts: Facts) -> Planned:
    """The run's competition."""
    return _planned(facts)


def freeze_standings(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Store the standings as a numbered set."""
    return _calls(freeze_one, items)


def plan_publish_standings(session: Session, options: Options, facts: Facts) -> Planned:
    """The run's competition."""
    return _planned(facts)


def publish_standings(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Begin the publicity period."""
    return _calls(publish_one, items)


def plan_finish_competition(session: Session, options: Options, facts: Facts) -> Planned:
    """The run's competition."""
    return _planned(facts)


def finish_competition(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make the standings final."""
    return _calls(finish_one, items)


def open_one(session: Session, competition_id: int, run_id: int) -> dict[str, Any]:
    """Open one competition; its last day is what the run waits for."""
    row = session.get_one(Competition, competition_id)
    entries = competitions.open_competition(session, row, run_id=run_id)
    return {"competition_id": row.id, "ends_on": row.ends_on.isoformat(), "entries": entries}


def count_one(session: Session, competition_id: int) -> dict[str, Any]:
    """End the scoring of one competition."""
    competitions.start_counting(session, session.get_one(Competition, competition_id))
    return {"counted": 1}


def freeze_one(session: Session, competition_id: int) -> dict[str, Any]:
    """Freeze the standings of one competition."""
    found = competitions.freeze(session, session.get_one(Competition, competition_id))
    return {"standings": len(found.rows), "fingerprint": found.fingerprint[:8].upper()}


def publish_one(session: Session, competition_id: int) -> dict[str, Any]:
    """Make the standings of one competition public."""
    until = competitions.publish(session, session.get_one(Competition, competition_id))
    return {"publicity_until": until.isoformat()}


def finish_one(session: Session, competition_id: int) -> dict[str, Any]:
    """Make the standings of one competition final."""
    competitions.finish(session, session.get_one(Competition, competition_id))
    return {"final": 1}


def _planned(facts: Facts) -> Planned:
    return Planned([{"competition_id": facts["run"]["competition_id"]}])


def _calls(service: Any, items: Sequence[Item], **kwargs: Any) -> Effects:
    return Effects(
        calls=[Call(service, {"competition_id": item["competition_id"]} | kwargs) for item in items]
    )
