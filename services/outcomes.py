"""The one outcome of a targeted customer: the last decisive event wins, an answer beats a return."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Keying, Letter, Reason, Recipient, Reply, Visit
from models.clock import now

CHUNK = 1000

# Who was reached in person or answered has decided; a door that stayed shut says more than a letter that came back,
# and a letter that came back says more than silence. What left the mail-out takes no outcome any more.
STRENGTH = {
    "silent": 1,
    "undelivered": 2,
    "not_reached": 3,
    "visited": 4,
    "refused": 4,
    "confirmed": 4,
    "changed": 4,
    "withdrawn": 5,
    "excluded": 5,
}
FINAL = ("withdrawn", "excluded")


def outcome_after(events: Iterable[str]) -> str | None:
    """The outcome that events in the order of their happening leave."""
    found: str | None = None
    for event in events:
        if found is None or (found not in FINAL and STRENGTH[event] >= STRENGTH[found]):
            found = event
    return found


def decide(session: Session, campaign_id: int, customer_ids: Sequence[int], outcome: str) -> int:
    """Let an event decide for customers of a campaign; what says less than what is known changes nothing."""
    weaker = [
        name for name, strength in STRENGTH.items() if strength <= STRENGTH[outcome] and name not in FINAL
    ]
    open_to_it = Recipient.outcome.is_(None) | Recipient.outcome.in_(weaker)
    query = update(Recipient).where(Recipient.campaign_id == campaign_id, open_to_it)
    values = {"outcome": outcome, "decided_at": now(session)}
    changed = 0
    for start in range(0, len(customer_ids), CHUNK):
        chunk = query.where(Recipient.customer_id.in_(customer_ids[start : start + CHUNK]))
        changed += session.execute(
            chunk.values(**values), execution_options={"synchronize_session": "fetch"}
        ).rowcount  # type: ignore[attr-defined]
    return changed


def replay(session: Session, recipient: Recipient) -> str | None:
    """Decide anew from everything that stands: after an event was taken back."""
    if recipient.outcome in FINAL:
        return recipient.outcome
    session.flush()
    events = sorted(_events(session, recipient))
    recipient.outcome = outcome_after(name for _at, name in events)
    recipient.decided_at = events[-1][0] if events else None
    return recipient.outcome


def _events(session: Session, recipient: Recipient) -> list[tuple[datetime, str]]:
    letters = session.scalars(select(Letter).where(Letter.recipient_id == recipient.id)).all()
    found = [(row.undelivered_at, "undelivered") for row in letters if row.undelivered_at is not None]
    keyed = select(Keying).where(Keying.letter_id.in_([row.id for row in letters]))
    for keying in session.scalars(keyed.where(Keying.undone_at.is_(None), Keying.duplicate.is_(False))):
        found.append((keying.keyed_at, str(keying.results["outcome"])))
    online = select(Reply).where(Reply.letter_id.in_([row.id for row in letters]), Reply.duplicate.is_(False))
    found += [(reply.answered_at, str(reply.results["outcome"])) for reply in session.scalars(online)]
    moments = [row.posted_at or row.composed_at for row in letters if row.state == "silent"]
    return found + [(moment, "silent") for moment in moments] + _visited(session, recipient)


def _visited(session: Session, recipient: Recipient) -> list[tuple[datetime, str]]:
    reasons = select(Reason.code, Reason.consequences).where(Reason.list == "visit_result")
    outcomes = {code: consequences.get("outcome") for code, consequences in session.execute(reasons)}
    rows = session.execute(
        select(Visit.ended_at, Visit.result)
        .where(Visit.campaign_id == recipient.campaign_id, Visit.customer_id == recipient.customer_id)
        .where(Visit.ended_at.is_not(None), Visit.result != "")
    )
    return [(ended_at, str(outcomes[result])) for ended_at, result in rows if outcomes.get(result)]
