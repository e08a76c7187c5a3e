"""Returned forms: what is confirmed, proposed, wished and handed to the counter; duplicates, late answers, undo."""

from datetime import timedelta

import pytest
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff, make_unit
from sqlalchemy import func, select

from models import (
    Competition,
    Confirmation,
    Consent,
    Contact,
    Division,
    DivisionUnit,
    Keying,
    Preference,
    Recipient,
    ScoreEntry,
    Task,
    Trace,
    Visit,
)
from models.clock import today, utcnow
from models.contacts import latest_confirmations
from models.scope import Scope, set_scope
from paper.codes import check_characters
from services import Refused
from services.balances import balance
from services.form_ticks import Ticks
from services.return_undos import undo_last_return
from services.returns import Form, Line, key_return
from services.undelivered import record_undelivered

NEW_MOBILE = "13902800241"


@pytest.fixture
def clerk(session):
    staff = make_staff(session, "clerk")
    session.info["actor_id"] = staff.id
    return staff


@pytest.fixture
def letter(session):
    manager = make_staff(session, "account_manager")
    customer = make_customer(session, manager_id=manager.id)
    make_contact(session, customer, "mobile")
    make_contact(session, customer, "person", raw="李四", value="李四")
    return make_letter(session, customer)


def changed(*lines, **facts):
    return Form(lines=tuple(Line(*line) for line in lines), **facts)


def current(session, letter, kind="mobile", purpose=""):
    query = select(Contact).where(Contact.customer_id == letter.customer_id, Contact.kind == kind)
    return session.scalars(query.where(Contact.state == "current", Contact.purpose == purpose)).all()


def outcome(session, letter):
    return session.get_one(Recipient, letter.recipient_id).outcome


def known(session, letter):
    found = latest_confirmations(session, [letter.customer_id])
    return {(kind, row.value): row.result for (_customer, kind, _value), row in found.items()}


def test_all_same_and_signed_confirms_what_was_printed(session, clerk, letter):
    done = key_return(session, letter.token, Form(all_same=True), staff=clerk)
    assert (done.outcome, letter.state, outcome(session, letter)) == ("confirmed", "answered", "confirmed")
    assert known(session, letter) == {("mobile", "+8613800001111"): "confirmed", ("person", "李四"): "confirmed"}
    row = session.scalars(select(Confirmation)).first()
    assert (row.method, row.staff_id, row.credited_id) == ("signed_form", clerk.id, letter.customer.manager_id)


def test_unsigned_is_accepted_without_confirmation(session, clerk, letter):
    done = key_return(session, letter.token, changed(("mobile", "new", NEW_MOBILE), signed=False), staff=clerk)
    assert done.outcome == "changed" and known(session, letter) == {}
    assert [row.value for row in current(session, letter)] == ["+8613902800241"]


def test_a_new_value_replaces_is_confirmed_and_keeps_its_relation(session, clerk, letter):
    old = current(session, letter)[0]
    form = changed(("mobile", "new", NEW_MOBILE), ("person", "same"), relation="tenant")
    done = key_return(session, letter.token, form, staff=clerk)
    new = current(session, letter)[0]
    assert (new.replaces_id, new.relation, new.source, new.recorder_id) == (old.id, "tenant", "returned_form", clerk.id)
    assert done.outcome == "changed" and new.evidence == f"letter:{letter.token}"
    assert known(session, letter)["mobile", new.value] == "confirmed"
    assert ("mobile", old.value) not in known(session, letter)


def test_a_bad_value_waits_for_a_person(session, clerk, letter):
    done = key_return(session, letter.token, changed(("mobile", "new", "1380000")), staff=clerk)
    assert done.applied.waiting and not done.applied.settled and done.outcome == "changed"
    assert [row.value for row in current(session, letter)] == ["+8613800001111"]


def test_the_printed_version_is_confirmed_not_a_newer_one(session, clerk, letter):
    newer = make_contact(session, letter.customer, "mobile", raw=NEW_MOBILE, value="+8613902800241", preferred=True)
    key_return(session, letter.token, changed(("mobile", "same")), staff=clerk)
    assert ("mobile", newer.value) not in known(session, letter)
    assert known(session, letter)["mobile", "+8613800001111"] == "confirmed"


def test_outage_contact_stands_beside_the_main_one(session, clerk, letter):
    form = changed(("outage_person", "new", "王五"), ("outage_mobile", "new", NEW_MOBILE))
    key_return(session, letter.token, form, staff=clerk)
    assert [row.value for row in current(session, letter, purpose="outage")] == ["+8613902800241"]
    assert [row.value for row in current(session, letter)] == ["+8613800001111"]


def test_ticks_become_preferences_consents_and_a_task(session, clerk, letter):
    ticks = Ticks((("outage", "sms"), ("billing", "email")), True, True, ("rented",), ("name",))
    done = key_return(session, letter.token, Form(all_same=True, ticks=ticks, note="想改名"), staff=clerk)
    wished = {(row.purpose, row.channel) for row in session.scalars(select(Preference))}
    assert wished == {("outage", "sms"), ("billing", "email")}
    agreed = {(row.purpose, row.channel) for row in session.scalars(select(Consent))}
    assert agreed == wished | {("business", "wechat")}
    task = session.get_one(Task, done.task_id)
    assert (task.kind, task.details["wishes"], task.customer_id) == ("counter_request", ["name"], letter.customer_id)
    assert "已出租" in task.title and done.outcome == "changed"


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (Form(), "还没有录入"),
        (changed(("mobile", "new", NEW_MOBILE), all_same=True), "只保留其中一种"),
        (changed(("mobile", "same", NEW_MOBILE)), "又填写了新内容"),
        (changed(("name", "new", "张四")), "表单里没有"),
        (Form(blank=True, all_same=True), "空白表"),
        (Form(all_same=True, relation="neighbour"), "不在选项里"),
        (Form(all_same=True, ticks=Ticks((("outage", "paper_bill"),))), "不在表上"),
    ],
)
def test_forms_that_contradict_themselves_are_refused(session, clerk, letter, form, message):
    with pytest.raises(Refused, match=message):
        key_return(session, letter.token, form, staff=clerk)
    assert letter.state == "posted" and session.scalar(select(func.count(Keying.id))) == 0


def test_a_blank_form_counts_as_refused(session, clerk, letter):
    assert key_return(session, letter.token, Form(blank=True, signed=False), staff=clerk).outcome == "refused"
    assert outcome(session, letter) == "refused" and known(session, letter) == {}


def test_a_second_form_is_kept_apart(session, clerk, letter):
    key_return(session, letter.token, Form(all_same=True), staff=clerk)
    again = key_return(session, letter.token, changed(("mobile", "new", NEW_MOBILE)), staff=clerk)
    assert again.duplicate and session.get_one(Keying, again.keying_id).answers["lines"][0]["text"] == NEW_MOBILE
    assert [row.value for row in current(session, letter)] == ["+8613800001111"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "不是函件的码"),
        ("0123456789", "没有这个查询码"),
        ("", "不是函件的码"),
        ("HD209901-01-00001", "不是函件的码"),
    ],
)
def test_wrong_codes_say_what_to_do(session, clerk, letter, text, message):
    with pytest.raises(Refused, match=message):
        key_return(session, text, Form(all_same=True), staff=clerk)


def test_a_visit_s_code_and_a_spoiled_letter_are_told_apart(session, clerk, letter):
    from_visit = "V1.ABCDEFGHJK.1.{}.1"
    letter.state = "spoiled"
    with pytest.raises(Refused, match="已作废"):
        key_return(session, letter.token, Form(all_same=True), staff=clerk)
    with pytest.raises(Refused, match="走访任务"):
        key_return(session, from_visit.format(check_characters("V1ABCDEFGHJK1")), Form(all_same=True), staff=clerk)


def test_the_letter_number_does_as_well_as_its_code(session, clerk, letter):
    number = f"{letter.campaign.code}-{letter.serial:05}".lower()
    assert key_return(session, number, Form(all_same=True), staff=clerk).letter is letter


def test_another_unit_s_letter_is_not_to_be_seen(session, letter):
    unit = make_unit(session)
    staff = make_staff(session, "clerk", unit)
    set_scope(session, Scope(path=unit.path))
    with pytest.raises(Refused, match="不在您的单位范围内"):
        key_return(session, letter.token, Form(all_same=True), staff=staff)


def test_an_agent_may_not_key_returns(session, letter):
    with pytest.raises(Refused, match="没有这项操作的权限"):
        key_return(session, letter.token, Form(all_same=True), staff=make_staff(session, "agent"))


def test_a_later_answer_beats_undelivered_and_ends_its_visit(session, clerk, letter):
    came_back = record_undelivered(session, letter.token, "unknown_person", staff=clerk)
    key_return(session, letter.token, Form(all_same=True), staff=clerk)
    assert (letter.state, outcome(session, letter)) == ("answered", "confirmed")
    assert session.get_one(Visit, came_back.visit.id, populate_existing=True).state == "cancelled"
    assert balance(session, letter.campaign_id).answered == 1


def open_competition(session, unit):
    row = Competition(code="c", name="竞赛", unit_id=unit.id, points={"mobile": 2}, state="open", created_at=utcnow())
    row.starts_on, row.ends_on = today(session), today(session) + timedelta(days=9)
    row.divisions = [Division(name="A", members=[DivisionUnit(unit_id=unit.id)])]
    session.add(row)
    session.flush()


def test_points_go_to_the_account_manager_and_back_on_undo(session, clerk, letter, root):
    open_competition(session, root)
    key_return(session, letter.token, changed(("mobile", "new", NEW_MOBILE)), staff=clerk)
    assert session.scalars(select(ScoreEntry.staff_id)).all() == [letter.customer.manager_id]
    undo_last_return(session, staff=clerk)
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 0


def test_undo_puts_everything_back(session, clerk, letter):
    make_contact(session, letter.customer, "email", raw="a@b.cn", value="a@b.cn")
    session.add(preference := preference_of(letter))
    came_back = record_undelivered(session, letter.token, "no_access", staff=clerk)
    ticks = Ticks((("outage", "wechat"),), wechat_bind=True, other=("rented",))
    lines = (("mobile", "new", NEW_MOBILE), ("postcode", "new", "528200"), ("email", "new", "bad"), ("person", "same"))
    done = key_return(session, letter.token, changed(*lines, ticks=ticks), staff=clerk)
    undo_last_return(session, staff=clerk)
    assert [row.value for row in current(session, letter)] == ["+8613800001111"]
    assert current(session, letter, "postcode") == []
    assert [row.value for row in current(session, letter, "email")] == ["a@b.cn"]
    assert set(known(session, letter).values()) == {"withdrawn"}
    assert session.scalars(select(Preference.channel)).all() == ["letter"] and preference.purpose == "outage"
    assert session.scalar(select(func.count(Consent.id))) == 0
    assert (letter.state, outcome(session, letter)) == ("undelivered", "undelivered")
    assert session.get_one(Task, done.task_id).state == "cancelled"
    assert session.get_one(Visit, came_back.visit.id, populate_existing=True).state in ("open", "assigned")


def preference_of(letter):
    facts = {"customer_id": letter.customer_id, "unit_id": letter.unit_id, "source": "counter", "since": utcnow()}
    return Preference(purpose="outage", channel="letter", **facts)


def test_a_form_can_be_keyed_again_after_undo(session, clerk, letter):
    key_return(session, letter.token, changed(("mobile", "new", NEW_MOBILE)), staff=clerk)
    undo_last_return(session, staff=clerk)
    again = key_return(session, letter.token, Form(all_same=True), staff=clerk)
    assert not again.duplicate and outcome(session, letter) == "confirmed"
    assert known(session, letter)["mobile", "+8613800001111"] == "confirmed"


def test_an_earlier_confirmation_comes_back_on_undo(session, clerk, letter):
    key_return(session, letter.token, Form(all_same=True), staff=clerk)
    second = make_letter(session, letter.customer, make_campaign(session))
    key_return(session, second.token, Form(all_same=True), staff=clerk)
    undo_last_return(session, staff=clerk)
    assert known(session, letter)["mobile", "+8613800001111"] == "confirmed"


def test_undo_takes_only_one_s_own(session, clerk, letter):
    key_return(session, letter.token, Form(all_same=True), staff=clerk)
    with pytest.raises(Refused, match="没有可以撤销"):
        undo_last_return(session, staff=make_staff(session, "clerk"))


def test_no_personal_data_in_the_traces(session, clerk, letter):
    key_return(session, letter.token, changed(("mobile", "new", NEW_MOBILE)), staff=clerk)
    assert not [row for row in session.scalars(select(Trace)) if "1390" in str(row.details)]
