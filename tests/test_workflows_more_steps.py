"""The steps around a mail-out: both halves by value and in a run."""

from datetime import timedelta

import pytest
from factories import ADDRESS, make_contact, make_customer, make_staff, make_unit
from flask import current_app
from running import begin
from sqlalchemy import select

from models import (
    Consent,
    Contact,
    Letter,
    Message,
    Outgoing,
    PrintRun,
    Recipient,
    Run,
    StoredFile,
    Trace,
)
from models.clock import move_to, now
from models.home import home_path
from services import contacts, recipients
from services.contacts import Draft, Finding
from services.recipients import Share
from services.workflows import Definition, publish
from workflows import engine, fact_texts, runs
from workflows.notes import Note, note, plan_note
from workflows.starts import StartWorkflow, plan_start_workflow, start_workflow
from workflows.steps import Start

SELECT = {"id": "select", "step": "select_customers", "options": {"name": "核对", "recent_days": 0}}
FREEZE = {"id": "freeze", "step": "freeze_recipients"}
RUN = {"run": {"id": 7, "key": "test", "owner_id": 1}, "freeze": {"recipients": 12}}


@pytest.fixture(autouse=True)
def by_day(session):
    """Ten in the morning, when messages may go out."""
    move_to(session, now(session).replace(hour=10, minute=0))
    session.commit()


def selected(session, number=1, **facts):
    """Customers whom the survey selects: no e-mail and no mobile number is recorded."""
    found = [make_customer(session, **facts) for _ in range(number)]
    for customer in found:
        make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
    return found


def exclusions(session):
    return dict(session.execute(select(Recipient.customer_id, Recipient.exclusion)).tuples().all())


def test_customers_are_left_out_with_their_reason(session, shell):
    kept, quiet, touchy = selected(session), selected(session), selected(session, sensitivity="high")
    facts = {"customer_id": quiet[0].id, "unit_id": quiet[0].unit_id, "purpose": "business", "channel": "sms"}
    session.add(Consent(**facts, granted=False, source="counter", since=now(session)))
    options = {"reasons": ["opted_out", "sensitive"], "channel": "sms"}
    run = begin(session, shell, SELECT, {"id": "out", "step": "exclude", "options": options}, FREEZE)
    assert (run.state, run.facts["out"]["excluded"], run.facts["freeze"]["recipients"]) == ("done", 2, 1)
    assert exclusions(session) == {kept[0].id: "", quiet[0].id: "opted_out", touchy[0].id: "sensitive"}


def test_who_got_a_message_lately_is_left_out(session, shell):
    told, kept = selected(session, 2)
    facts = {
        "customer_id": told.id,
        "unit_id": told.unit_id,
        "channel": "sms",
        "purpose": "outage",
        "key": "sms-1",
    }
    session.add(Message(**facts, state="sent", created_at=now(session) - timedelta(days=5)))
    out = {"id": "out", "step": "exclude", "options": {"reasons": ["recent"], "recent_days": 30}}
    begin(session, shell, SELECT, out, FREEZE)
    assert exclusions(session) == {told.id: "recent", kept.id: ""}


@pytest.mark.parametrize(
    ("share", "units", "drawn"),
    [
        (Share(number=3), [1] * 10, {1: 3}),
        (Share(number=30), [1] * 10, {1: 10}),
        (Share(percent=25), [1] * 10, {1: 3}),
        (Share(percent=100), [1] * 3, {1: 3}),
        (Share(percent=10, each_unit=True), [1] * 20 + [2] * 5, {1: 2, 2: 1}),
        (Share(number=2, each_unit=True), [1] * 20 + [2], {1: 2, 2: 1}),
    ],
)
def test_a_draw_takes_so_many(share, units, drawn):
    accounts = [(key, unit, f"{key:010}") for key, unit in enumerate(units, 1)]
    left = dict(recipients.not_drawn(iter(accounts), "sample-7", share))
    found = [unit for key, unit, _account in accounts if key not in left]
    assert {unit: found.count(unit) for unit in found} == drawn


def test_a_draw_comes_out_the_same_and_nobody_chooses_it():
    accounts = [(key, 1, f"{key:010}") for key in range(1, 101)]
    first, again, other = (
        dict(recipients.not_drawn(iter(rows), seed, Share(percent=10)))
        for rows, seed in ((accounts, "a"), (accounts[::-1], "a"), (accounts, "b"))
    )
    assert first == again != other


def test_a_sample_of_the_list_stays(session, shell):
    selected(session, 5)
    options = {"by": "number", "number": 2}
    run = begin(session, shell, SELECT, {"id": "draw", "step": "sample", "options": options}, FREEZE)
    assert (run.facts["draw"]["excluded"], run.facts["freeze"]["recipients"]) == (3, 2)
    assert sorted(exclusions(session).values()) == ["", "", "not_drawn", "not_drawn", "not_drawn"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("寄 {freeze.recipients} 户", "寄 12 户"),
        ("{freeze.none}{x.y}", ""),
        ("{freeze}", "{freeze}"),
        ("{A.b}", "{A.b}"),
    ],
)
def test_results_are_put_into_texts(text, said):
    assert fact_texts.filled(text, RUN) == said


def test_a_note_is_planned_with_its_results_and_written_as_a_trace(session, shell):
    options = Note(text="寄 {freeze.recipients} 户")
    (item,) = plan_note(session, options, RUN).items
    assert item == {"text": "寄 12 户"}
    effects = note(options, RUN, [item])
    assert effects.summary == {"text": "寄 12 户"} and effects.calls[0].kwargs == {
        "run_id": 7,
        "text": "寄 12 户",
    }
    run = begin(session, shell, {"id": "n", "step": "note", "options": {"text": "第 {run.id} 次"}})
    trace = session.scalars(select(Trace).where(Trace.action == "run.noted")).one()
    assert (trace.object_id, trace.details["text"]) == (run.id, f"第 {run.id} 次") and run.state == "done"


def test_another_workflow_is_started_once_and_below(session, shell):
    nodes = [{"id": "w", "wait": {"days": 1, "asked": True}}]
    publish(session, Definition("other", "另一个", "", "workflows.start", nodes, ""), None)
    options = StartWorkflow(workflow="other", values=("w.days={freeze.recipients}",))
    (item,) = plan_start_workflow(session, options, RUN).items
    assert start_workflow(options, RUN, [item]).starts == [Start("other", {"w.days": "12"})]
    run = begin(session, shell, {"id": "s", "step": "start_workflow", "options": {"workflow": "other"}})
    below = session.scalars(select(Run).where(Run.workflow_key == "other")).one()
    assert (run.facts["s"]["started"], run.facts["s"]["run_id"], below.parent_id) == (1, below.id, run.id)
    assert (below.depth, below.owner_id) == (1, shell.id)


def test_workflows_that_start_each_other_come_to_an_end(session, shell):
    run = begin(session, shell, {"id": "s", "step": "start_workflow", "options": {"workflow": "test"}})
    found = session.scalars(select(Run).where(Run.workflow_key == "test").order_by(Run.id)).all()
    assert 3 < len(found) < 10 and run.id == found[0].id
    assert found[-1].state == "failed" and "互相发起" in found[-1].message


def test_a_value_that_is_not_written_as_one_is_refused(session, shell):
    options = {"workflow": "test", "values": ["days"]}
    run = begin(session, shell, {"id": "s", "step": "start_workflow", "options": options})
    assert run.state == "failed" and "节点.选项=值" in run.message


def test_only_allowed_addresses_are_called_and_once(session, shell, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "workflows.message_drivers.post", lambda url, body, headers, settings: asked.append((url, body))
    )
    call = {
        "id": "c",
        "step": "call_web_address",
        "options": {"url": "https://a.example/x", "values": ["n={run.id}"]},
    }
    run = begin(session, shell, call)
    assert run.state == "failed" and "不在允许的清单里" in run.message and asked == []
    monkeypatch.setitem(current_app.config, "CALL_ALLOWED", "https://a.example/x")
    again = begin(session, shell, call)
    assert again.state == "waiting"  # the answer was none that says what became of it
    assert [url for url, _body in asked] == [
        "https://a.example/x"
    ] and f'"n": "{again.id}"'.encode() in asked[0][1]
    assert session.scalars(select(Outgoing.state)).all() == ["unknown"]


def proposed(session, customer, staff, source="cleanup", value="+8613900001111"):
    session.info["actor_id"] = staff.id
    draft = Draft(customer.id, customer.unit_id, "mobile", value, value, "valid", source)
    return contacts.record(session, [draft]).ids[0]


def test_proposals_are_settled_in_the_owners_name_but_not_his_own(session, shell):
    owner, other = make_staff(session, "data_steward"), make_staff(session, "clerk")
    mine = proposed(session, selected(session)[0], owner)
    theirs = proposed(session, selected(session)[0], other)
    third = proposed(session, selected(session)[0], other, source="third_party")
    run = begin(session, owner, {"id": "s", "step": "settle_proposals"})
    states = dict(session.execute(select(Contact.id, Contact.state)).tuples().all())
    assert (run.state, run.facts["s"]["approved"]) == ("done", 1)
    assert (states[mine], states[theirs], states[third]) == ("proposed", "current", "proposed")
    assert session.get_one(Contact, theirs).decided_by_id == owner.id


def test_proposals_are_refused_with_a_reason(session, shell):
    owner, other = make_staff(session, "data_steward"), make_staff(session, "clerk")
    key = proposed(session, selected(session)[0], other)
    options = {"decision": "refuse", "reason": "no_evidence"}
    run = begin(session, owner, {"id": "s", "step": "settle_proposals", "options": options})
    assert (run.facts["s"]["refused"], session.get_one(Contact, key).refused_reason) == (1, "no_evidence")


def test_what_is_held_back_stays_and_is_counted(session, shell):
    owner, other = make_staff(session, "service_specialist"), make_staff(session, "clerk")
    key = proposed(session, selected(session)[0], other)
    run = begin(session, owner, {"id": "s", "step": "settle_proposals"})
    assert (run.facts["s"]["held"], session.get_one(Contact, key).state) == (1, "proposed")


@pytest.mark.slow
def test_the_list_is_exported_with_its_watermark(session, shell):
    selected(session, 2, name="张三丰")
    owner = make_staff(session, "service_specialist")
    out = {"id": "file", "step": "export_file", "options": {"kind": "csv", "reason": "交局领导审阅"}}
    run = begin(session, owner, SELECT, FREEZE, out)
    assert (run.state, run.facts["file"]["rows"]) == ("done", 2)
    text = (home_path() / "outbox" / run.facts["file"]["file"]).read_text("utf-8-sig")
    assert "用途：交局领导审阅" in text and "张*" in text and "张三丰" not in text
    assert session.scalars(select(StoredFile.name)).one() == run.facts["file"]["file"]
    assert session.scalars(select(Trace).where(Trace.action == "list.exported")).one().details["rows"] == 2


def changed(session, shell, source="counter"):
    customer = make_customer(session, name="张三丰")
    old = make_contact(session, customer)
    value = "+8613900002222"
    draft = Draft(customer.id, customer.unit_id, "mobile", value, value, "valid", source, replaces_id=old.id)
    ids = contacts.record(session, [draft]).ids
    contacts.settle(session, ids)
    return customer, old, session.get_one(Contact, ids[0])


def test_old_and_new_number_are_told_of_a_change_once(session, shell):
    customer, old, new = changed(session, shell)
    tell = {"id": "tell", "step": "tell_changes"}
    run = begin(session, shell, tell)
    assert (run.state, run.facts["tell"]["sent"]) == ("done", 2)
    rows = session.execute(select(Message.contact_id, Message.customer_id, Message.text, Message.state)).all()
    assert {(row.contact_id, row.customer_id, row.state) for row in rows} == {
        (old.id, customer.id, "sent"), (new.id, customer.id, "sent"),
    }  # fmt: skip
    assert all("手机" in row.text and "张三丰" not in row.text and "139" not in row.text for row in rows)
    assert begin(session, shell, tell).facts["tell"] == {"planned": {}}


def test_a_number_found_wrong_is_not_told_and_other_sources_neither(session, shell):
    _customer, old, new = changed(session, shell)
    contacts.confirm(session, [Finding(old.id, "refuted", "call", "")])
    changed(session, shell, source="import")
    begin(session, shell, {"id": "tell", "step": "tell_changes"})
    assert session.scalars(select(Message.contact_id)).all() == [new.id]


@pytest.mark.slow
def test_a_second_letter_goes_to_who_has_not_answered(session, shell):
    selected(session, 3)
    nodes = [SELECT, FREEZE, {"id": "print", "step": "print_letters"}, {"id": "post", "step": "post_letters"}]
    begin(session, shell, *nodes, {"id": "wait", "wait": {"days": 30}})
    session.scalars(select(Letter).order_by(Letter.serial)).first().state = "answered"
    move_to(session, now(session) + timedelta(days=11))
    run = session.scalars(select(Run)).one()
    seconds = {"id": "again", "step": "print_reminders"}
    publish(session, Definition("more", "试验", "", "workflows.start", [seconds], ""), None)
    other = runs.start(session, "more", {}, shell)
    other.facts = {"run": {**run.facts["run"], "id": other.id}}
    session.commit()
    engine.drain()
    session.expire_all()
    assert (other.state, other.facts["again"]["letters"]) == ("done", 2)
    found = session.execute(
        select(Letter.serial, Letter.copy, Letter.state).order_by(Letter.serial, Letter.copy)
    ).all()
    assert found == [
        (1, 1, "answered"),
        (2, 1, "reprinted"),
        (2, 2, "composed"),
        (3, 1, "reprinted"),
        (3, 2, "composed"),
    ]
    assert session.scalars(select(PrintRun.posted_at).order_by(PrintRun.id)).all()[-1] is None


def test_an_owner_sees_only_his_own_units_list(session, shell):
    here = make_unit(session)
    selected(session, 1, unit=here), selected(session, 1)
    owner = make_staff(session, "service_specialist", here)
    run = begin(session, owner, SELECT, {"id": "draw", "step": "sample", "options": {"percent": 100}}, FREEZE)
    assert run.facts["freeze"]["recipients"] == 1
