"""What settles by itself and what waits for a person: the rows of `policies`, the first that fits decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Policy


@dataclass(frozen=True)
class Rule:
    """One policy row as a plain value; `*` fits all.

    `replaces` is what a new version meets: `nothing` of its kind, an `unusable` value, a `good` or a `confirmed` one.
    """

    source: str
    kind: str
    verdicts: frozenset[str]
    replaces: str
    settles: bool

    def fits(self, source: str, kind: str, verdict: str, replaces: str) -> bool:
        """Whether this row speaks of such a version."""
        return (
            self.source in ("*", source)
            and self.kind in ("*", kind)
            and ("*" in self.verdicts or verdict in self.verdicts)
            and self.replaces in ("*", replaces)
        )


def rules(session: Session) -> list[Rule]:
    """All policy rows in their order."""
    rows = session.scalars(select(Policy).order_by(Policy.position)).all()
    return [Rule(p.source, p.kind, frozenset(p.verdicts.split(",")), p.replaces, p.decision == "settle") for p in rows]


def settles(rows: Sequence[Rule], source: str, kind: str, verdict: str, *, replaces: str) -> bool:
    """Whether such a version settles by itself; what no row speaks of waits for a person."""
    for rule in rows:
        if rule.fits(source, kind, verdict, replaces):
            return rule.settles
    return False
