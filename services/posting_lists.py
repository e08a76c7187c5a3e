"""The posting list (交寄清单): pieces of a print run by the first three digits of their postcodes."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letter, PrintRun
from services.letters import GONE

PREFIX = 3


@dataclass(frozen=True)
class Bundle:
    """Pieces that go to one prefix; an empty one means that no postcode is known."""

    prefix: str
    pieces: int


def by_prefix(session: Session, run: PrintRun) -> list[Bundle]:
    """How many pieces go where, in the order of the prefixes; spoiled letters are not posted."""
    facts = session.scalars(
        select(Letter.facts).where(Letter.print_run_id == run.id, Letter.state.not_in(GONE)).order_by(Letter.serial)
    )
    counted = Counter(str(row["letter"]["postcode"])[:PREFIX] for row in facts)
    return [Bundle(prefix, pieces) for prefix, pieces in sorted(counted.items())]
