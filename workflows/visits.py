"""Steps about visits: made from failures, assigned by territory, walk lists printed, what is left closed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from models import Contact, Customer, Letter, Visit, WalkList
from models.words import N_, VISIT_ORIGINS
from paper.pdf import CHILDREN
from services import reasons, saved_segments, visits, walk_lists
from services.visits import OPEN, Need
from workflows.steps import Call, Effects, Facts, Item, Options, Planned, asked

Origin = Literal["undelivered", "silent", "invalid_contact"]


class MakeVisits(Options):
    """Which letters of the campaign make visits."""

    origins: tuple[Origin, ...] = asked(N_("哪些函件转走访"), ("undelivered", "silent"), labels=VISIT_ORIGINS)
    segment: str = asked(
        N_("客户群"), "", choices="segments", help=N_("只为这个客户群里的客户生成走访任务；不选为全部。")
    )
    limit: int = asked(N_("最多走访户数"), 5000, ge=1, le=100_000)


class CollectFailures(Options):
    """Which failures become a round of visits."""

    origins: tuple[Origin, ...] = asked(
        N_("汇集哪些客户"), ("undelivered", "silent", "invalid_contact"), labels=VISIT_ORIGINS
    )
    limit: int = asked(N_("最多走访户数"), 500, ge=1, le=100_000)


def plan_make_visits(session: Session, options: MakeVisits, facts: Facts) -> Planned:
    """The campaign's undelivered and silent letters that have no visit yet."""
    campaign_id = facts["run"].get("campaign_id")
    query = _failed(session, options.origins, campaign_id=campaign_id)
    if options.segment:
        query = query.join(Customer, Customer.id == Letter.customer_id)
        query = query.where(saved_segments.criterion_of(session, options.segment))
    numbers = {one["customer_id"]: one["item"] for one in facts["each"]["items"]} if "each" in facts else {}
    if "each" in facts:
        query = query.where(Letter.customer_id.in_(numbers))
    needs = _needs(session, query, options.limit)
    own = [{**need, "item": numbers[need["customer_id"]]} for need in needs] if numbers else needs
    return Planned(own, {"doors": len(needs)})


def make_visits(options: MakeVisits, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make and assign the planned visits."""
    return Effects(calls=[Call(make_planned, {"items": items, "run_id": facts["run"]["id"]})])


def plan_collect_failures(session: Session, options: CollectFailures, facts: Facts) -> Planned:
    """Failed letters of every campaign, then customers whose only phones are invalid, that have no open visit yet."""
    needs = _needs(session, _failed(session, options.origins), options.limit)
    if "invalid_contact" in options.origins:
        needs += _unreachable(session, options.limit - len(needs), {need["customer_id"] for need in needs})
    return Planned(needs, {"doors": len(needs)})


def collect_failures(options: CollectFailures, facts: Facts, items: Sequence[Item]) -> Effects:
    """Make the round's visits."""
    return Effects(calls=[Call(make_planned, {"items": items, "run_id": facts["run"]["id"]})])


def plan_assign_visits(session: Session, options: Options, facts: Facts) -> Planned:
    """Everybody's doors that are on no list yet, with those that have nobody."""
    query = select(Visit.id).where(
        Visit.state.in_(("open", "assigned", "accepted", "not_met")), Visit.ended_at.is_(None)
    )
    ids = session.scalars(query.where(Visit.walk_list_id.is_(None)).order_by(Visit.id)).all()
    return Planned([{"visit_id": key} for key in ids], {"doors": len(ids)})


def assign_visits(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Assign by territory, put each person's doors into lists in walking order; the round waits for all of them."""
    ids = [item["visit_id"] for item in items]
    return Effects(calls=[Call(assign_and_list, {"visit_ids": ids, "run_id": facts["run"]["id"]})])


def plan_print_walk_lists(session: Session, options: Options, facts: Facts) -> Planned:
    """Lists that were not printed yet, each with what stands on it."""
    rows = session.scalars(select(WalkList).where(WalkList.sha256.is_(None)).order_by(WalkList.number)).all()
    return Planned(_list_items(session, rows), {"lists": len(rows)})


def print_walk_lists(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Lay each list out, on both cores, and keep it as a file."""
    with ThreadPoolExecutor(CHILDREN) as pool:
        paths = list(pool.map(_printed, items))
    made = [{"walk_list_id": item["id"], "path": path} for item, path in zip(items, paths, strict=True)]
    return Effects(calls=[Call(walk_lists.keep_print, kwargs) for kwargs in made])


def plan_close_visits(session: Session, options: Options, facts: Facts) -> Planned:
    """The round's visits that are still open."""
    query = select(Visit.id).where(Visit.run_id == facts["run"]["id"], Visit.ended_at.is_(None))
    return Planned([{"visit_id": key} for key in session.scalars(query.order_by(Visit.id))])


def close_visits(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Cancel what nobody went to in time."""
    return Effects(calls=[Call(close_planned, {"visit_ids": [item["visit_id"] for item in items]})])


def visits_open(session: Session, facts: Facts) -> int:
    """How many of the run's visits have not ended."""
    run = facts["run"]["id"]
    query = select(func.count()).select_from(Visit).where(Visit.run_id == run, Visit.ended_at.is_(None))
    return session.scalar(query.where(Visit.state.in_((*OPEN, "given_back")))) or 0


def make_planned(session: Session, items: Sequence[Item], run_id: int) -> dict[str, Any]:
    """Make the visits of one chunk of planned needs."""
    return {"visits": len(visits.make_visits(session, [Need(**item, run_id=run_id) for item in items]))}


def assign_and_list(session: Session, visit_ids: Sequence[int], run_id: int) -> dict[str, Any]:
    """Take one chunk of visits into the round, assign them, and make lists for the people who got doors."""
    session.execute(update(Visit).where(Visit.id.in_(visit_ids)).values(run_id=run_id))
    found = visits.assign_open(session, visit_ids)
    people = session.scalars(select(Visit.staff_id).where(Visit.id.in_(visit_ids)).distinct()).all()
    made = walk_lists.make_lists(session, [key for key in people if key is not None])
    return {"assigned": found, "lists": len(made)}


def close_planned(session: Session, visit_ids: Sequence[int]) -> dict[str, Any]:
    """Cancel one chunk of visits."""
    return {"cancelled": visits.close_open(session, visit_ids)}


def _failed(
    session: Session, origins: Sequence[str], campaign_id: int | None = None
) -> Select[tuple[Letter]]:
    """The failed letters that have no visit yet; of one campaign, or of all."""
    seen = select(Visit.id).where(Visit.letter_id == Letter.id).exists()
    query = select(Letter).where(Letter.state.in_([o for o in origins if o != "invalid_contact"]), ~seen)
    query = query.where(Letter.undelivered_reason.in_(["", *reasons.for_visit(session)]))
    return query.where(Letter.campaign_id == campaign_id) if campaign_id is not None else query


def _needs(session: Session, query: Select[tuple[Letter]], limit: int) -> list[dict[str, Any]]:
    rows = session.scalars(query.order_by(Letter.id).limit(limit)).all()
    return [_need(row.customer_id, row.unit_id, row.state) | _letter_facts(row) for row in rows]


def _letter_facts(letter: Letter) -> dict[str, Any]:
    return {"reason": letter.undelivered_reason, "campaign_id": letter.campaign_id, "letter_id": letter.id}


def _unreachable(session: Session, limit: int, besides: set[int]) -> list[dict[str, Any]]:
    """Customers with a recorded phone of which none is well formed, and no open visit."""
    phones = select(Contact.id).where(
        Contact.customer_id == Customer.id,
        Contact.state == "current",
        Contact.kind.in_(("mobile", "landline")),
    )
    good = phones.where(Contact.verdict.in_(("valid", "repairable")))
    waiting = select(Visit.id).where(Visit.customer_id == Customer.id, Visit.ended_at.is_(None))
    query = select(Customer.id, Customer.unit_id).where(phones.exists(), ~good.exists(), ~waiting.exists())
    rows = session.execute(
        query.where(Customer.closed_on.is_(None)).order_by(Customer.id).limit(max(limit, 0))
    ).all()
    return [_need(row.id, row.unit_id, "invalid_contact") for row in rows if row.id not in besides]


def _need(customer_id: int, unit_id: int, origin: str) -> dict[str, Any]:
    return {"customer_id": customer_id, "unit_id": unit_id, "origin": origin}


def _list_items(session: Session, rows: Sequence[WalkList]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield {"id": row.id, "facts": walk_lists.facts_of(session, row)}


def _printed(item: Item) -> str:
    folder = Path(tempfile.mkdtemp(prefix="walk-list-"))
    path = folder / "list.pdf"
    path.write_bytes(walk_lists.lay_out(item["facts"]))
    return str(path)
