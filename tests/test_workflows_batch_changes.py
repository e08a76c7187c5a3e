"""Batch changes carried by the engine: chunk by chunk, each part once, whoever decided named on the versions."""

from __future__ import annotations

import pytest
from changing import lines_of
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import BatchChange, Contact
from services import batch_change_plans, batch_changes
from services.batch_changes import Beginning, Choice
from workflows import batch_changes as steps
from workflows import engine, runs
from workflows.batch_changes import OfChange


def carried(session, change, staff):
    values = {"change.change": change.id, "change.name": change.title}
    run = runs.start(session, "change_in_batch", values, staff)
    session.commit()
    engine.drain()
    session.expire_all()
    return run


def dirty(session, number):
    unit = make_unit(session)
    for place in range(number):
        text = f"138274651{place:02}"
        facts = {"raw": f"手机{text}", "value": f"+86{text}", "verdict": "repairable", "reasons": "label"}
        make_contact(session, make_customer(session, unit), **facts)


@pytest.mark.slow
def test_a_change_runs_from_trial_to_effect_in_chunks(session, root, monkeypatch):
    monkeypatch.setattr(batch_changes, "CHUNK", 2)
    steward, head = make_staff(session, "data_steward"), make_staff(session, "station_head")
    dirty(session, 5)
    change = batch_changes.begin(session, Beginning("cleanup", root), steward)
    run = carried(session, change, steward)
    assert (run.state, change.state, change.total, change.done) == ("done", "planned", 3, 3)
    batch_changes.submit(session, change, steward)
    carried(session, change, steward)
    batch_changes.approve(session, change, Choice(), head)
    run = carried(session, change, head)
    assert change.state == "applied" and {line[0] for line in lines_of(session, change)} == {"applied"}
    decided = session.scalars(select(Contact.decided_by_id).where(Contact.source == "cleanup")).all()
    assert decided == [head.id] * 5


def test_a_part_that_is_done_twice_changes_nothing_more(session, root, shell):
    head = make_staff(session, "station_head")
    dirty(session, 3)
    change = batch_changes.begin(session, Beginning("cleanup", root), shell)
    carried(session, change, shell)
    batch_changes.submit(session, change, shell)
    carried(session, change, shell)
    batch_changes.approve(session, change, Choice(), head)
    session.commit()
    parts = list(steps.plan_change_in_batch(session, OfChange(change=change.id), {}).items)
    for item in [*parts[:-1], *parts]:
        for call in steps.change_in_batch(OfChange(change=change.id), {}, [item]).calls:
            call.service(session, **call.kwargs)
            session.commit()
    assert session.query(Contact).filter_by(source="cleanup", state="current").count() == 3
    assert session.get_one(BatchChange, change.id).state == "applied"


def test_an_import_is_cleaned_by_its_own_customers_only(session, root, shell):
    dirty(session, 2)
    change = batch_changes.begin(session, Beginning("cleanup", root, options={"batch": 99}), shell)
    assert list(batch_change_plans.spans(session, change, 10)) == []
