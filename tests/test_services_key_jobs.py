"""Keying from pictures: who gets which sheet, what is opened next, and what the finished form becomes."""

from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_letter, make_staff
from sheet_making import make_sheet
from sqlalchemy import func, select

from models import Confirmation, Contact, Keying, KeyJob, Task
from models.clock import utcnow
from services import Refused, key_leases
from services.key_jobs import key, next_job, open_jobs
from services.key_undos import undo_last
from services.return_undos import undo_last_return
from services.returns import Form, key_return

MOBILE, PRINTED = "13902800241", "+8613800001111"
DOOR = "广东省佛山市南海区桂城街道南海大道12号3栋2单元501室"


@pytest.fixture
def people(session):
    """Three clerks, and a team leader."""
    return [*(make_staff(session, "clerk") for _ in range(3)), make_staff(session, "team_leader")]


@pytest.fixture
def letter(session):
    customer = make_customer(session)
    make_contact(session, customer, "mobile")
    make_contact(session, customer, "person", raw="李四", value="李四")
    return make_letter(session, customer)


def keys(session, staff, queue, *answers):
    """This person keys what is next in a queue, answer by answer; returns the fields."""
    found = []
    for answer in answers:
        job = next_job(session, staff, queue)
        found.append(job.field)
        key(session, job, *answer, staff=staff)
    return found


def waiting(session):
    return {queue: number for queue, number in key_leases.remaining(session).items() if number}


def value_of(session, letter, kind="mobile", state="current"):
    query = select(Contact).where(Contact.customer_id == letter.customer_id, Contact.kind == kind)
    return session.scalars(query.where(Contact.state == state).order_by(Contact.id.desc())).first()


def test_handwriting_is_opened_for_as_many_as_it_needs(session, letter):
    sheet = make_sheet(session, letter, on=("mobile.2", "postcode", "person", "postal_address.1", "signature"))
    assert open_jobs(session, [sheet]) == 6
    assert open_jobs(session, [sheet]) == 0
    assert waiting(session) == {"first": 4, "once": 2}


def test_two_people_who_agree_settle_a_number(session, people, letter):
    sheet = make_sheet(session, letter, on=("mobile.1", "person.same", "outage.sms", "signature"))
    open_jobs(session, [sheet])
    keys(session, people[0], "first", ("value", MOBILE))
    assert next_job(session, people[0], "first") is None  # the second keyer is not the first
    keys(session, people[1], "first", ("value", "139 0280 0241"))
    keying = session.get_one(Keying, sheet.keying_id)
    assert (sheet.state, keying.keyed_by_id, keying.results["outcome"]) == ("keyed", people[1].id, "changed")
    row = value_of(session, letter)
    assert (row.value, row.source) == (f"+86{MOBILE}", "returned_form")
    assert row.evidence == f"letter:{letter.token} sheet:{sheet.id}/mobile"
    confirmed = session.scalars(select(Confirmation.kind).where(Confirmation.result == "confirmed")).all()
    assert sorted(confirmed) == ["mobile", "person"]


def test_where_two_differ_a_third_decides(session, people, letter):
    sheet = make_sheet(session, letter, on=("mobile.1",))
    open_jobs(session, [sheet])
    keys(session, people[0], "first", ("value", MOBILE))
    keys(session, people[1], "first", ("value", "13902800247"))
    assert waiting(session) == {"arbitrate": 1}
    assert next_job(session, people[0], "arbitrate") is None
    assert next_job(session, people[1], "arbitrate") is None
    keys(session, people[2], "arbitrate", ("value", MOBILE))
    assert (sheet.state, value_of(session, letter).value) == ("keyed", f"+86{MOBILE}")


def test_an_address_short_of_the_door_is_keyed_again(session, people, letter):
    sheet = make_sheet(session, letter, on=("postal_address.1",))
    open_jobs(session, [sheet])
    keys(session, people[0], "once", ("value", "广东省佛山市南海区"))
    assert next_job(session, people[0], "once") is None
    keys(session, people[1], "once", ("value", DOOR))
    keys(session, people[2], "arbitrate", ("value", DOOR))
    assert sheet.state == "keyed"


def test_what_only_the_leader_can_tell_goes_to_the_leader(session, people, letter):
    sheet = make_sheet(session, letter, on=("person",))
    open_jobs(session, [sheet])
    keys(session, people[0], "once", ("leader",))
    with pytest.raises(Refused, match="权限"):
        next_job(session, people[0], "leader")
    keys(session, people[3], "leader", ("value", "王五"))
    assert (sheet.state, session.get_one(Keying, sheet.keying_id).answers["lines"][0]["text"]) == ("keyed", "王五")


def test_nobody_alone_calls_a_field_unreadable(session, people, letter):
    sheet = make_sheet(session, letter, on=("email", "mobile.same", "signature"))
    open_jobs(session, [sheet])
    keys(session, people[0], "once", ("unreadable",))
    keys(session, people[1], "once", ("unreadable",))
    keying = session.get_one(Keying, sheet.keying_id)
    assert (keying.results["unreadable"], keying.results["outcome"]) == (["email"], "confirmed")
    task = session.scalars(select(Task)).one()
    assert (task.customer_id, task.state, "电子邮箱" in task.title) == (letter.customer_id, "open", True)
    undo_last(session, people[1])
    assert task.state == "cancelled"


@pytest.mark.parametrize(
    ("word", "text", "outcome"),
    [("written", f"+86{MOBILE}", "changed"), ("ticks", PRINTED, "confirmed"), ("blank", PRINTED, "refused")],
)
def test_a_contradiction_waits_for_the_leaders_word(session, people, letter, word, text, outcome):
    sheet = make_sheet(session, letter, on=("mobile.1", "mobile.same", "signature"))
    open_jobs(session, [sheet])
    keys(session, people[0], "first", ("value", MOBILE))
    keys(session, people[1], "first", ("value", MOBILE))
    assert (sheet.state, waiting(session)) == ("to_key", {"leader": 1})
    job = next_job(session, people[3], "leader")
    with pytest.raises(Refused, match="既勾选"), session.begin_nested():
        key(session, job, "value", "right", staff=people[3])
    key(session, job, "value", word, staff=people[3])
    assert (sheet.state, value_of(session, letter).value) == ("keyed", text)
    assert session.get_one(Keying, sheet.keying_id).results["outcome"] == outcome


def test_the_leader_may_point_to_what_the_desk_keyed(session, people, letter):
    sheet = make_sheet(session, letter, on=())
    assert open_jobs(session, [sheet]) == 1  # it says nothing
    job = next_job(session, people[3], "leader")
    with pytest.raises(Refused, match="还没有"), session.begin_nested():
        key(session, job, "value", "desk", staff=people[3])
    done = key_return(session, letter.token, Form(all_same=True), staff=people[0])
    key(session, job, "value", "desk", staff=people[3])
    assert (sheet.state, sheet.keying_id) == ("keyed", done.keying_id)
    undo_last_return(session, staff=people[0])
    assert (sheet.state, sheet.keying_id, waiting(session)) == ("review", None, {"leader": 1})


def test_a_desk_keying_taken_back_leaves_the_keyed_fields_and_asks_the_leader_again(session, people, letter):
    sheet = make_sheet(session, letter, on=("mobile.1", "mobile.same"))
    open_jobs(session, [sheet])
    for who in people[:2]:
        keys(session, who, "first", ("value", MOBILE))
    key_return(session, letter.token, Form(all_same=True), staff=people[0])
    keys(session, people[3], "leader", ("value", "desk"))
    undo_last_return(session, staff=people[0])
    assert (sheet.state, waiting(session)) == ("to_key", {"leader": 1})
    keys(session, people[3], "leader", ("value", "written"))
    assert (sheet.state, value_of(session, letter).value) == ("keyed", f"+86{MOBILE}")


def test_doubtful_ticks_are_reviewed_before_the_handwriting(session, people, letter):
    on = ("mobile.1", "relation.self", "relation.family", "outage.sms")
    sheet = make_sheet(session, letter, "review", on=on, doubtful=("outage.sms",))
    assert open_jobs(session, [sheet]) == 3
    fields = keys(session, people[0], "review", ("blank",), ("value", "1"), ("blank",))
    assert fields == ["outage.sms", "relation.self", "relation.family"]
    assert (sheet.state, sheet.decided_by_id, waiting(session)) == ("to_key", people[0].id, {"first": 2})
    keys(session, people[0], "first", ("value", MOBILE))
    keys(session, people[1], "first", ("value", MOBILE))
    answers = session.get_one(Keying, sheet.keying_id).answers
    assert (answers["relation"], answers["ticks"]["channels"]) == ("self", [])


def test_a_sheet_without_handwriting_is_written_at_once(session, letter):
    sheet = make_sheet(session, letter, "accepted", on=("all.same", "signature"))
    assert open_jobs(session, [sheet]) == 0
    keying = session.get_one(Keying, sheet.keying_id)
    assert (sheet.state, keying.keyed_by_id, keying.results["outcome"]) == ("accepted", None, "confirmed")
    assert open_jobs(session, [sheet]) == 0
    assert session.scalar(select(func.count(Keying.id))) == 1


def test_a_sheet_is_in_one_pair_of_hands_whatever_the_queue(session, people, letter):
    open_jobs(session, [make_sheet(session, letter, on=("mobile.1", "person"))])
    assert next_job(session, people[0], "first").field == "mobile"
    assert next_job(session, people[1], "once") is None
    assert key_leases.release(session, people[0]) == 1
    assert next_job(session, people[1], "once").field == "person"


def test_a_sheet_left_lying_goes_to_the_next(session, people, letter):
    open_jobs(session, [make_sheet(session, letter, on=("person",))])
    job = next_job(session, people[0], "once")
    job.held_until = utcnow() - timedelta(seconds=1)
    session.flush()
    assert next_job(session, people[1], "once").id == job.id
    with pytest.raises(Refused, match="不在您手上"):
        key(session, job, "value", "李四", staff=people[0])


@pytest.mark.slow
def test_undo_opens_the_last_field_and_takes_the_form_back(session, people, letter):
    sheet = make_sheet(session, letter, on=("mobile.1",))
    open_jobs(session, [sheet])
    keys(session, people[0], "first", ("value", MOBILE))
    keys(session, people[1], "first", ("value", MOBILE))
    first = session.get_one(Keying, sheet.keying_id)
    with pytest.raises(Refused, match="别人已经接着"):
        undo_last(session, people[0])
    assert undo_last(session, people[1]).turn == 2
    assert (sheet.state, sheet.keying_id, first.undone_at is None) == ("to_key", None, False)
    assert value_of(session, letter).value == PRINTED
    keys(session, people[1], "first", ("value", "13902800247"))
    assert waiting(session) == {"arbitrate": 1}
    undo_last(session, people[1])
    assert waiting(session) == {"first": 1}
    keys(session, people[1], "first", ("value", MOBILE))
    assert sheet.state == "keyed"


def test_a_poor_sheet_is_looked_at_as_a_whole_before_its_ticks(session, people, letter):
    on = ("mobile.1", "outage.sms")
    sheet = make_sheet(session, letter, "review", on=on, doubtful=("outage.sms",), reason="residual")
    assert open_jobs(session, [sheet]) == 2
    assert keys(session, people[0], "review", ("value", "blank")) == ["form"]
    assert (sheet.state, waiting(session)) == ("keyed", {})
    undo_last(session, people[0])
    assert (sheet.state, sheet.keying_id, waiting(session)) == ("review", None, {"review": 2})
    keys(session, people[0], "review", ("value", "right"), ("value", "1"))
    assert (sheet.state, waiting(session)) == ("to_key", {"first": 2})


def test_undo_of_a_review_brings_the_marks_back(session, people, letter):
    sheet = make_sheet(session, letter, "review", on=("mobile.1", "outage.sms"), doubtful=("outage.sms",))
    read = dict(sheet.marks["outage.sms"])
    open_jobs(session, [sheet])
    keys(session, people[0], "review", ("blank",))
    undo_last(session, people[0])
    assert (sheet.state, sheet.marks["outage.sms"], waiting(session)) == ("review", read, {"review": 1})
    assert session.scalars(select(KeyJob.field)).all() == ["outage.sms"]


@pytest.mark.parametrize(
    ("answer", "value", "message"),
    [("value", " ", "还没有录入"), ("guess", "x", "无法识别"), ("value", MOBILE, "已经录入过")],
)
def test_what_cannot_be_keyed_is_refused(session, people, letter, answer, value, message):
    open_jobs(session, [make_sheet(session, letter, on=("mobile.1",))])
    job = next_job(session, people[0], "first")
    if message == "已经录入过":
        key(session, job, "value", MOBILE, staff=people[0])
    with pytest.raises(Refused, match=message):
        key(session, job, answer, value, staff=people[0])


def test_pace_is_told_by_the_hour(session, people, letter):
    open_jobs(session, [make_sheet(session, letter, on=("person", "email"))])
    keys(session, people[0], "once", ("value", "李四"), ("value", "a@example.cn"))
    assert key_leases.pace(session, people[0]) == key_leases.Pace(today=2, an_hour=120)
    assert key_leases.pace(session, people[1]) == key_leases.Pace()
