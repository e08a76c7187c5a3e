"""Events are written with the change, start each subscription at most once, and never go round for ever."""

from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_letter, make_staff, make_unit
from sqlalchemy import select

from models import Event, EventStart, ImportBatch, Run, Workflow
from models.clock import move_to, now, utcnow
from services import Refused, contacts, imports, proposals, tasks
from services import events as kept
from services.contacts import Draft
from services.events import Written
from services.undelivered import record_undelivered
from services.workflows import Definition, publish
from workflows import STEPS, engine, events, runs
from workflows.steps import Call, Effects, Planned, StepKind
from workflows.times import Times

MOST_DEPTH = int(Times.depth)
WAIT = {"id": "wait", "wait": {"days": 1}}


@pytest.fixture
def listening(session, shell, root):
    """A workflow, and a maker of subscriptions to it."""
    publish(session, Definition("test", "试验", "", "workflows.start", [WAIT], ""), shell)

    def subscribe(event, unit=root, **facts):
        row = events.save(session, Written("听着", event, "test", {}, unit.id, **facts), shell)
        session.commit()
        return row

    return subscribe


def started(session):
    session.commit()
    events.dispatch()
    session.expire_all()
    return session.scalars(select(Run).where(Run.workflow_key == "test").order_by(Run.id)).all()


def batch(session, root):
    row = ImportBatch(file_name="a.csv", unit_id=root.id, mode="insert", state="running", created_at=utcnow())
    session.add(row)
    session.flush()
    return row


def test_a_finished_import_starts_what_listens_once(session, root, listening):
    listening("import_finished")
    row = batch(session, root)
    imports.finish(session, row, None)
    (run,) = started(session)
    assert (run.facts["run"]["event"], run.facts["run"]["batch_id"]) == ("import_finished", row.id)
    assert len(started(session)) == 1 and session.scalars(select(EventStart.state)).all() == ["started"]
    assert session.scalars(select(Event.handled_at)).one() is not None


def test_an_event_is_rolled_back_with_its_change(session, root, listening):
    listening("import_finished")
    row = batch(session, root)
    session.commit()
    imports.finish(session, row, None)
    session.rollback()
    assert session.scalars(select(Event)).all() == [] and started(session) == []


def test_facts_of_the_event_are_put_into_the_start_form(session, shell, root):
    nodes = [{"id": "clean", "step": "import_file", "options": {}}]
    publish(session, Definition("test", "试验", "", "workflows.start", nodes, ""), shell)
    written = Written("听着", "import_finished", "test", {"clean.batch": "{batch_id}"}, root.id)
    events.save(session, written, shell)
    row = batch(session, root)
    imports.finish(session, row, None)
    (run,) = started(session)
    assert run.tree[0]["options"]["batch"] == row.id


def test_only_what_happens_below_starts(session, shell, listening):
    here, there = make_unit(session), make_unit(session)
    listening("letter_undelivered", here)
    clerk = make_staff(session, "clerk")
    for unit in (here, there):
        letter = make_letter(session, make_customer(session, unit))
        record_undelivered(session, letter.token, "moved", staff=clerk)
    (run,) = started(session)
    found = session.scalars(select(Event).where(Event.unit_id == here.id)).one()
    assert (
        run.facts["run"]["customer_ids"] == found.facts["customer_ids"]
        and len(found.facts["customer_ids"]) == 1
    )
    assert session.scalars(select(Event.handled_at)).all().count(None) == 0


@pytest.mark.parametrize(("reason", "number"), [("moved", 1), ("refused", 0), ("", 1)])
def test_a_subscription_is_narrowed_by_a_reason(session, shell, listening, reason, number):
    listening("letter_undelivered", reason=reason)
    letter = make_letter(session, make_customer(session))
    record_undelivered(session, letter.token, "moved", staff=make_staff(session, "clerk"))
    assert len(started(session)) == number


def test_a_bulk_refusal_is_one_event_a_unit(session, root, listening):
    listening("proposal_refused")
    steward, other = make_staff(session, "data_steward"), make_staff(session, "clerk")
    units = [root, root, make_unit(session)]
    session.info["actor_id"] = other.id
    drafts = []
    for unit in units:
        customer = make_customer(session, unit)
        make_contact(session, customer)
        drafts.append(
            Draft(customer.id, unit.id, "mobile", "13900001111", "+8613900001111", "valid", "cleanup")
        )
    ids = contacts.record(session, drafts).ids
    session.info["actor_id"] = steward.id
    proposals.refuse(session, ids, staff=steward, reason="bad_format")
    found = session.scalars(select(Event).order_by(Event.unit_id)).all()
    assert [len(event.facts["customer_ids"]) for event in found] == [2, 1]
    assert {event.facts["reason"] for event in found} == {"bad_format"} and len(started(session)) == 2


def test_an_event_that_cannot_be_acted_on_waits_for_a_person(session, root, listening, monkeypatch):
    listening("import_finished")
    imports.finish(session, batch(session, root), None)
    monkeypatch.setattr(kept, "_pause", lambda _attempts: timedelta(0))
    monkeypatch.setattr(kept, "subscribers", lambda *_: 1 / 0)
    for _time in range(kept.ATTEMPTS):
        assert not started(session)
    (event,) = kept.given_up(session)
    assert (event.attempts, event.error, list(kept.waiting(session))) == (kept.ATTEMPTS, "ZeroDivisionError", [])
    assert (kept.count_given_up(session, most=9), kept.count_given_up(session, most=0)) == (1, 0)
    monkeypatch.undo()
    assert kept.settle(session, [event.id], again=True) == 1
    assert len(started(session)) == 1 and not kept.given_up(session)


def test_an_event_rests_between_its_attempts(session, root, listening, monkeypatch):
    listening("import_finished")
    imports.finish(session, batch(session, root), None)
    monkeypatch.setattr(kept, "subscribers", lambda *_: 1 / 0)
    assert not started(session) and not started(session)
    assert session.scalars(select(Event.attempts)).one() == 1


def test_a_task_late_from_the_start_or_after_the_clock_was_put_back_is_told_once(session, shell, root, listening):
    listening("task_overdue")
    moment = now(session)
    tasks.open_task(session, "workflow", "早过期", unit_id=root.id, due_at=moment - timedelta(days=1))
    session.commit()
    assert events.note_overdue() == 1
    move_to(session, moment - timedelta(days=2))
    session.commit()
    assert events.note_overdue() == 0
    move_to(session, moment + timedelta(days=2))
    session.commit()
    assert events.note_overdue() == 0


def test_a_task_that_is_late_is_told_once(session, shell, root, listening):
    listening("task_overdue")
    events.note_overdue()
    due = now(session) + timedelta(hours=1)
    task = tasks.open_task(session, "workflow", "审核", unit_id=root.id, due_at=due)
    tasks.open_task(session, "workflow", "已办", unit_id=root.id, due_at=due).state = "done"
    session.commit()
    assert events.note_overdue() == 0
    move_to(session, due + timedelta(minutes=1))
    session.commit()
    assert (events.note_overdue(), events.note_overdue()) == (1, 0)
    (run,) = started(session)
    assert run.facts["run"]["task_id"] == task.id


def test_a_chain_of_events_ends(session, shell, root, listening):
    """A run that causes the very event that started it."""
    listening("import_finished")
    row = batch(session, root)
    imports.finish(session, row, None)
    for depth in range(MOST_DEPTH + 1):
        newest = started(session)[-1]
        assert newest.depth == depth
        session.info["run_id"] = newest.id
        kept.happened(session, "import_finished", root.id, {"batch_id": row.id})
        session.info.pop("run_id")
    assert len(started(session)) == MOST_DEPTH + 1
    last = session.scalars(select(EventStart).order_by(EventStart.id.desc()).limit(1)).one()
    assert last.state == "refused" and "互相发起" in last.message


def test_what_a_step_writes_names_its_run_as_the_cause(session, shell, root, monkeypatch):
    def make(options, facts, items):
        kwargs = {"name": "import_finished", "unit_id": root_id, "facts": {}}
        return Effects(calls=[Call(kept.happened, kwargs)])

    root_id = root.id
    monkeypatch.setitem(STEPS, "make", StepKind("试", lambda *_facts: Planned([{"n": 1}]), make))
    publish(session, Definition("other", "试验", "", "workflows.start", [{"id": "m", "step": "make"}], ""), shell)
    runs.start(session, "other", {}, shell)
    session.commit()
    engine.drain()
    assert session.scalars(select(Event.depth)).one() == 1


def test_what_cannot_start_is_kept_with_the_reason(session, shell, root, listening):
    row = listening("import_finished")
    session.scalars(select(Workflow).where(Workflow.key == "test")).one().enabled = False
    imports.finish(session, batch(session, root), None)
    assert started(session) == []
    assert "已停用" in session.scalars(select(EventStart.message)).one()
    kept.switch(session, row, enabled=False)
    imports.finish(session, batch(session, root), None)
    assert started(session) == [] and len(session.scalars(select(EventStart)).all()) == 1


def test_one_event_that_fails_keeps_no_other_waiting(session, root, listening, monkeypatch):
    listening("import_finished")
    first, second = batch(session, root), batch(session, root)
    imports.finish(session, first, None), imports.finish(session, second, None)
    real = runs.start
    broken = iter([RuntimeError("once")])

    def sometimes(*args, **more):
        for error in broken:
            raise error
        return real(*args, **more)

    monkeypatch.setattr(runs, "start", sometimes)
    monkeypatch.setattr(kept, "_pause", lambda _attempts: timedelta(0))
    session.commit()
    assert (events.dispatch(), events.dispatch(), events.dispatch()) == (1, 1, 0)
    assert {event.handled_at is None for event in session.scalars(select(Event))} == {False}


def test_a_subscription_with_a_fault_is_not_kept(session, shell, root, listening):
    for written, fault in (
        (Written("", "import_finished", "test", {}, root.id), "填写名称"),
        (Written("我的", "no_such", "test", {}, root.id), "选择发生什么"),
        (Written("我的", "import_finished", "test", {"no.such": "1"}, root.id), "没有选项"),
        (Written("我的", "import_finished", "test", {"wait.days": "{period}"}, root.id), "可用的有 {batch_id}"),
    ):
        with pytest.raises(Refused, match=fault):
            events.save(session, written, shell)
    with pytest.raises(Refused, match="不能发起流程"):
        events.save(
            session,
            Written("我的", "import_finished", "test", {}, root.id),
            make_staff(session, "meter_reader"),
        )


def test_old_events_are_forgotten(session, root):
    kept.happened(session, "import_finished", root.id, {})
    session.flush()
    event = session.scalars(select(Event)).one()
    event.handled_at = utcnow() - timedelta(days=kept.KEPT_DAYS + 1)
    session.commit()
    assert events.forget_old() == 1
