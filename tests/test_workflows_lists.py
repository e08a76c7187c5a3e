"""What an each may work through, read from the database, and steps that take their items from it."""

from __future__ import annotations

from typing import Any

import pytest
from factories import make_customer, make_unit
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Recipient, Run, Staff, Unit, Visit
from models.clock import utcnow
from services import Refused, saved_segments
from services.workflows import Definition, publish
from workflows import definitions, engine, runs
from workflows.lists import LISTS

RUN = {"id": 1, "unit_id": 0, "campaign_id": None}


def listed(session: Session, name: str, of: str | None = None, **facts: Any) -> list[dict[str, Any]]:
    run = RUN | facts.pop("run", {})
    return [dict(item) for item in LISTS[name].find(session, {"run": run, **facts}, of)]


def test_units_are_ones_own_and_all_below(session: Session, root: Unit) -> None:
    station = make_unit(session)
    found = listed(session, "units", run={"unit_id": root.id})
    assert {"unit_id": station.id, "code": station.code, "name": station.name, "kind": station.kind} in found
    assert [one["unit_id"] for one in listed(session, "units", run={"unit_id": station.id})] == [station.id]


def test_recipients_are_those_not_left_out(session: Session, root: Unit) -> None:
    campaign = Campaign(code="HD-1", name="核对", unit_id=root.id, state="frozen", created_at=utcnow())
    session.add(campaign)
    session.flush()
    kept, left = make_customer(session, root, sensitivity="high"), make_customer(session, root)
    for customer, reason in ((kept, ""), (left, "opted_out")):
        session.add(
            Recipient(campaign_id=campaign.id, customer_id=customer.id, unit_id=root.id, exclusion=reason)
        )
    session.flush()
    (found,) = listed(session, "recipients", run={"campaign_id": campaign.id})
    assert (found["customer_id"], found["sensitivity"]) == (kept.id, "high")


def test_customers_of_a_segment_are_listed_as_they_are_now(
    session: Session, shell: Staff, root: Unit
) -> None:
    wanted = {"field": "sensitivity", "op": "eq", "value": "high"}
    row = saved_segments.keep(session, None, {"code": "high", "name": "敏感客户", "condition": wanted}, shell)
    kept = make_customer(session, root, sensitivity="high")
    make_customer(session, root)
    (found,) = listed(session, "segment", row.code)
    assert found == {"customer_id": kept.id, "unit_id": root.id, "sensitivity": "high",
                     "customer_class": kept.customer_class}  # fmt: skip


def test_visitors_are_those_with_doors(session: Session, shell: Staff, root: Unit) -> None:
    customer = make_customer(session, root)
    for token in ("a", "b"):
        session.add(
            Visit(customer_id=customer.id, unit_id=root.id, staff_id=shell.id, token=token, origin="silent",
                  state="assigned", created_at=utcnow())
        )  # fmt: skip
    session.flush()
    assert listed(session, "visitors") == [{"staff_id": shell.id, "unit_id": shell.unit_id, "doors": 2}]


def test_a_list_that_a_node_has_left_is_worked_through_by_value(session: Session) -> None:
    assert listed(session, "results", "a.files", a={"files": ["x", {"name": "y"}]}) == [
        {"value": "x"},
        {"name": "y"},
    ]
    with pytest.raises(Refused, match="「a.number」不是名单"):
        listed(session, "results", "a.number", a={"number": 3})


def test_a_workflow_is_started_for_every_unit(session: Session, shell: Staff) -> None:
    make_unit(session)
    wait = [{"id": "w", "wait": {"days": 1, "asked": True}}]
    publish(session, Definition("for_one", "单个", "", "workflows.start", wait, ""), shell)
    start = {"id": "s", "step": "start_workflow", "options": {"workflow": "for_one", "values": ["w.days=7"]}}
    tree = [{"id": "all", "each": {"list": "units", "size": 2}, "do": [start]}]
    assert not list(definitions.faults(tree))
    publish(session, Definition("for_all", "全部", "", "workflows.start", tree, ""), shell)
    run = runs.start(session, "for_all", {}, shell)
    session.commit()
    engine.drain()
    session.refresh(run)
    units = len(listed(session, "units", run={"unit_id": shell.unit_id}))
    started = session.scalars(select(Run).where(Run.parent_id == run.id)).all()
    assert (run.state, len(started), {one.tree[0]["wait"]["days"] for one in started}) == ("done", units, {7})
