"""Judging in the light of a unit: its area code and region supply what a local leaves out."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Unit
from quality import judge
from quality.verdicts import Context, Verdict

PHONES = ("mobile", "landline")


def contact_kind(asked: str, found: str) -> str:
    """The contact kind of a judged value: what it is, among phones; where nothing is found, the column's (a mobile)."""
    if asked in (*PHONES, "phone") and found in PHONES:
        return found
    return "mobile" if asked == "phone" else asked


def contexts(session: Session) -> dict[int, Context]:
    """Area code and region of every unit, from the nearest unit above that states them."""
    found: dict[int, Context] = {}
    rows = session.execute(select(Unit.id, Unit.parent_id, Unit.area_code, Unit.region).order_by(Unit.path))
    for row in rows:
        above = found.get(row.parent_id, Context())
        found[row.id] = Context(area_code=row.area_code or above.area_code, region=row.region or above.region)
    return found


def judge_in(session: Session, unit_id: int, kind: str, text: str) -> Verdict:
    """Judge one value keyed for a customer of a unit; chunks take `contexts` once instead."""
    return judge(kind, text, contexts(session).get(unit_id, Context()))
