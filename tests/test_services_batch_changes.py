"""Batch changes: tried with their conflicts, approved by another person, applied, and taken back whole."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from changing import applied, carry_out, current, lines_of, submitted, taken_back, tried, write_list
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select, update

from models import BatchChangeLine, Contact, ContactCount, DoorPlate, Policy
from quality import judge
from quality.number_upgrades import UPGRADES
from quality.verdicts import Context
from services import Refused, batch_changes, contacts, proposals
from services.batch_changes import Choice
from services.contacts import Draft, Finding
from services.counts import recount

BEFORE, AFTER = datetime(2005, 1, 1, tzinfo=UTC), datetime(2015, 1, 1, tzinfo=UTC)
CHANGSHA = next(rule.key for rule in UPGRADES if rule.old_area == "0731")
KUNMING = next(rule.key for rule in UPGRADES if rule.old_area == "0871")
REGION = "广东省佛山市"
MOBILE = "13827465109"
PLATES = [{"原路名": "汾江南路", "原门牌号": "18", "新路名": "文昌路", "新门牌号": "20号"}]
ROAD = "广东省佛山市禅城区石湾镇街道汾江南路"


@pytest.fixture
def people(session):
    return make_staff(session, "data_steward"), make_staff(session, "station_head")


def phone(session, text, *, area="0731", **facts):
    unit = make_unit(session, area_code=area, region="湖南省长沙市")
    return with_value(session, unit, "landline", text, **facts)


def with_value(session, unit, kind, text, **facts):
    """A customer with one judged value."""
    verdict = judge(kind, text, Context(unit.area_code, unit.region))
    judged = {"raw": text, "value": verdict.value, "verdict": verdict.verdict, "reasons": ";".join(verdict.reasons)}
    customer = make_customer(session, unit)
    return make_contact(session, customer, kind, **judged | {"preferred": True, "recorded_at": BEFORE} | facts)


def address(session, text, **facts):
    unit = make_unit(session, region=REGION)
    return with_value(session, unit, "supply_address", text, **facts)


def plates(session, staff, tmp_path, rows=PLATES, **facts):
    path = write_list(tmp_path / "p.csv", rows)
    return {"path": path, "file_name": "p.csv", "effective_on": date(2010, 1, 1), **facts}


def test_a_number_before_its_upgrade_is_proposed_approved_and_replaced(session, people):
    old = phone(session, "0731-4187302")
    change = applied(session, *people, "number_upgrade", options={"rules": [CHANGSHA]})
    new = session.scalars(select(Contact).where(Contact.state == "current")).one()
    assert (change.state, new.value, new.raw) == ("applied", "+8673184187302", "0731-84187302")
    assert (new.source, new.evidence, new.verdict) == ("third_party", f"batch_change:{change.id}", "valid")
    assert (new.recorded_at, new.preferred, new.replaces_id, old.state) == (BEFORE, True, old.id, "superseded")
    assert (new.proposer_id, new.decided_by_id) == (people[0].id, people[1].id)


def test_a_merged_area_code_is_replaced_too(session, people):
    zhuzhou = next(rule.key for rule in UPGRADES if rule.old_area == "0733")
    phone(session, "0733-28187302"), phone(session, "0733-8187302")
    applied(session, *people, "number_upgrade", options={"rules": [zhuzhou]})
    values = session.scalars(select(Contact.raw).where(Contact.state == "current")).all()
    assert sorted(values) == ["0731-28187302", "0731-28187302"]


@pytest.mark.parametrize(
    ("facts", "conflict"),
    [({"recorded_at": AFTER}, "entered_after"), ({"recorded_at": None}, ""), ({"recorded_at": BEFORE}, "")],
)
def test_a_value_entered_after_the_date_is_not_touched(session, people, facts, conflict):
    old = phone(session, "0731-4187302", **facts)
    change = tried(session, people[0], "number_upgrade", options={"rules": [CHANGSHA]})
    assert [line[1] for line in lines_of(session, change)] == [conflict]
    assert (old.state, session.scalar(select(Contact.id).where(Contact.id > old.id))) == ("current", None)


def test_a_number_in_its_new_form_is_no_line_at_all(session, people):
    phone(session, "0731-84187302", recorded_at=AFTER)
    assert lines_of(session, tried(session, people[0], "number_upgrade", options={"rules": [CHANGSHA]})) == []


def test_unconfirmed_rules_need_a_tick_of_both_persons(session, people):
    phone(session, "0871-3187302", area="0871")
    with pytest.raises(Refused, match="尚未确认"):
        tried(session, people[0], "number_upgrade", options={"rules": [KUNMING]})
    options = {"rules": [KUNMING], "unconfirmed": True}
    change = submitted(session, people[0], "number_upgrade", options=options)
    with pytest.raises(Refused, match="核对文件依据"):
        batch_changes.approve(session, change, Choice(), people[1])
    assert batch_changes.approve(session, change, Choice(), people[1], checked=True) == 1


def test_plates_are_changed_where_the_old_plate_hangs_and_nowhere_else(session, people, tmp_path):
    hit = address(session, f"{ROAD}18号3座502房")
    for text in (f"{ROAD}18号之一502房", f"{ROAD}118号502房", f"{ROAD[:-4]}新汾江南路18号502房"):
        address(session, text)
    change = tried(session, people[0], "door_plate_change", **plates(session, people[0], tmp_path))
    assert lines_of(session, change) == [("planned", "", hit.value.replace("汾江南路18号", "文昌路20号"))]


def test_approved_plates_are_known_to_judging_until_the_change_is_taken_back(session, people, tmp_path):
    address(session, f"{ROAD}18号3座502房")
    change = applied(session, *people, "door_plate_change", **plates(session, people[0], tmp_path))
    plate = session.scalars(select(DoorPlate)).one()
    assert (plate.old_road, plate.old_number, plate.new_road, plate.new_number) == (
        "汾江南路", "18号", "文昌路", "20号",
    )  # fmt: skip
    assert (plate.changed_on, plate.withdrawn_at) == (date(2010, 1, 1), None)
    taken_back(session, change, people[0])
    session.refresh(plate)
    assert plate.withdrawn_at is not None


@pytest.mark.parametrize(
    "rows",
    [
        [*PLATES, PLATES[0] | {"新门牌号": "22号"}],
        [*PLATES, PLATES[0] | {"原门牌号": "16", "新路名": "汾江南路", "新门牌号": "18号"}],
    ],
    ids=["two new plates", "a street numbered anew"],
)
def test_what_may_mean_two_doors_is_left_to_people(session, people, tmp_path, rows):
    address(session, f"{ROAD}18号3座502房", recorded_at=None)
    change = tried(session, people[0], "door_plate_change", **plates(session, people[0], tmp_path, rows))
    assert [line[:2] for line in lines_of(session, change)] == [("conflict", "several_candidates")]


def test_whole_addresses_of_a_list_and_a_day_of_each_row_are_understood(session, people, tmp_path):
    address(session, f"{ROAD}18号3座502房", recorded_at=AFTER)
    rows = [{"原地址": "佛山市禅城区汾江南路18号", "新地址": "佛山市禅城区文昌路20号", "启用日期": "2020年3月1日"}]
    facts = plates(session, people[0], tmp_path, rows, effective_on=None)
    change = tried(session, people[0], "door_plate_change", **facts)
    assert [line[0] for line in lines_of(session, change)] == ["planned"]


def test_villages_are_renamed(session, people, tmp_path):
    hit = address(session, "广东省佛山市南海区西樵镇简村村委会东二组18号")
    rows = [{"原名称": "简村", "新名称": "简村社区", "镇街": "西樵镇"}]
    change = tried(session, people[0], "village_rename", **plates(session, people[0], tmp_path, rows))
    assert lines_of(session, change) == [("planned", "", hit.value.replace("简村村委会", "简村社区"))]


def test_postcodes_are_replaced_and_added_by_road(session, people, tmp_path):
    known, blank = (address(session, f"{ROAD}{number}号502房") for number in (18, 20))
    facts = {"raw": "528000", "value": "528000", "recorded_at": BEFORE, "preferred": True}
    make_contact(session, known.customer, "postcode", **facts)
    before = current(session)
    rows = [{"路名": "汾江南路", "邮政编码": "528051"}]
    change = applied(session, *people, "postcode_list", **plates(session, people[0], tmp_path, rows))
    query = select(Contact.value).where(Contact.kind == "postcode", Contact.state == "current")
    assert session.scalars(query).all() == ["528051", "528051"] and blank.customer_id
    taken_back(session, change, people[0])
    assert current(session) == before


def test_applying_and_taking_back_restores_every_current_value(session, people, tmp_path):
    for number in (16, 18, 18, 20):
        address(session, f"{ROAD}{number}号3座502房", recorder_id=people[0].id)
    before = current(session)
    change = applied(session, *people, "door_plate_change", **plates(session, people[0], tmp_path))
    assert current(session) != before
    taken_back(session, change, people[0])
    assert (current(session), change.state) == (before, "undone")
    counted = count_rows(session)
    recount(session)
    assert count_rows(session) == counted


def count_rows(session):
    rows = session.execute(select(ContactCount.unit_id, ContactCount.kind, ContactCount.verdict, ContactCount.number))
    return {tuple(row) for row in rows if row.number}


def test_what_went_on_since_is_kept_when_a_change_is_taken_back(session, people, tmp_path):
    old = address(session, f"{ROAD}18号3座502房")
    change = applied(session, *people, "door_plate_change", **plates(session, people[0], tmp_path))
    ours = session.scalars(select(Contact).where(Contact.state == "current")).one()
    text = f"{ROAD}99号"
    visit = Draft(old.customer_id, old.unit_id, "supply_address", text, text, "valid", "visit", replaces_id=ours.id)
    contacts.record(session, [visit])
    taken_back(session, change, people[0])
    assert [line[:2] for line in lines_of(session, change)] == [("kept", "changed_since")]
    assert session.scalars(select(Contact.raw).where(Contact.state == "current")).all() == [text]


def test_a_value_confirmed_while_it_waits_is_left_alone(session, people):
    old = phone(session, "0731-4187302")
    change = submitted(session, people[0], "number_upgrade", options={"rules": [CHANGSHA]})
    contacts.confirm(session, [Finding(old.id, "confirmed", "call")])
    batch_changes.approve(session, change, Choice(), people[1])
    carry_out(session, change)
    assert [line[:2] for line in lines_of(session, change)] == [("gone", "confirmed_since")]
    session.refresh(old)
    assert old.state == "current"


def test_another_proposal_that_waits_keeps_a_value_out(session, people):
    old = phone(session, "0731-4187302")
    text = "+8673184120000"
    draft = Draft(old.customer_id, old.unit_id, "landline", text, text, "valid", "self_service", replaces_id=old.id)
    contacts.record(session, [draft])
    change = tried(session, people[0], "number_upgrade", options={"rules": [CHANGSHA]})
    assert [line[1] for line in lines_of(session, change)] == ["other_proposal"]


def test_nobody_approves_their_own_change_nor_values_they_recorded(session, people):
    steward, other = people
    recorder = make_staff(session, "station_head")
    phone(session, "0731-4187302", recorder_id=recorder.id), phone(session, "0731-4187309")
    change = submitted(session, steward, "number_upgrade", options={"rules": [CHANGSHA]})
    with pytest.raises(Refused, match="自己提出"):
        batch_changes.approve(session, change, Choice(), steward)
    assert batch_changes.approve(session, change, Choice(), recorder) == 1
    carry_out(session, change)
    assert (change.state, [line[0] for line in lines_of(session, change)]) == ("waiting", ["waiting", "applied"])
    assert batch_changes.approve(session, change, Choice(), other) == 1


def test_clean_ups_are_grouped_by_reason_and_decided_by_group_or_singly(session, people):
    unit = make_unit(session)
    for text in (f"手机：{MOBILE}", "手机：13926148037", "13751920846（儿子）"):
        with_value(session, unit, "mobile", text)
    change = submitted(session, people[0], "cleanup")
    assert batch_changes.counts(session, change, BatchChangeLine.cause) == {"label": 2, "note": 1}
    assert batch_changes.approve(session, change, Choice(cause="label"), people[1]) == 2
    carry_out(session, change)
    (note,) = session.scalars(select(BatchChangeLine.id).where(BatchChangeLine.cause == "note"))
    batch_changes.refuse(session, change, Choice(ids=[note]), people[1], reason="no_evidence")
    carry_out(session, change)
    assert (change.state, [line[0] for line in lines_of(session, change)]) == (
        "applied", ["applied", "applied", "refused"],
    )  # fmt: skip
    refused = session.scalars(select(Contact).where(Contact.state == "refused")).one()
    assert (refused.refused_reason, refused.decided_by_id) == ("no_evidence", people[1].id)


def test_a_clean_up_leaves_an_old_number_that_was_entered_after_its_upgrade(session, people):
    for recorded in (BEFORE, AFTER):
        phone(session, "0731-4187302", recorded_at=recorded)
    change = tried(session, people[0], "cleanup")
    assert [line[:2] for line in lines_of(session, change)] == [("planned", ""), ("conflict", "entered_after")]


def test_a_policy_says_who_approves_a_change_too(session, people):
    phone(session, "0731-4187302")
    change = submitted(session, people[0], "number_upgrade", options={"rules": [CHANGSHA]})
    session.execute(update(Policy).where(Policy.position == 90).values(approver_role="department_head"))
    with pytest.raises(Refused, match="“营销部主任”审核"):
        batch_changes.approve(session, change, Choice(), people[1])
    assert batch_changes.approve(session, change, Choice(), make_staff(session, "department_head")) == 1


def test_lines_left_out_are_not_submitted(session, people):
    unit = make_unit(session)
    for text in (f"手机：{MOBILE}", "手机：13926148037"):
        with_value(session, unit, "mobile", text)
    change = tried(session, people[0], "cleanup")
    first = session.scalars(select(BatchChangeLine.id).order_by(BatchChangeLine.id)).first()
    assert batch_changes.leave(session, change, Choice(ids=[first]), people[0]) == 1
    batch_changes.submit(session, change, people[0])
    carry_out(session, change)
    assert [line[0] for line in lines_of(session, change)] == ["left", "waiting"]


def test_a_proposal_decided_in_the_list_counts_in_its_change(session, people):
    unit = make_unit(session)
    for text in (f"手机：{MOBILE}", "手机：13926148037"):
        with_value(session, unit, "mobile", text)
    change = submitted(session, people[0], "cleanup")
    first = session.scalars(select(Contact.id).where(Contact.state == "proposed")).first()
    proposals.approve(session, [first], staff=people[1])
    assert (change.state, [line[0] for line in lines_of(session, change)]) == ("waiting", ["applied", "waiting"])
    second = session.scalars(select(Contact.id).where(Contact.state == "proposed")).one()
    proposals.refuse(session, [second], staff=people[1], reason="no_evidence")
    assert (change.state, [line[0] for line in lines_of(session, change)]) == ("applied", ["applied", "refused"])
    taken_back(session, change, people[0])
    assert [line[0] for line in lines_of(session, change)] == ["restored", "refused"]


def test_a_change_stays_inside_its_unit(session, people):
    above = make_unit(session)
    for unit in (above, make_unit(session, above), make_unit(session)):
        with_value(session, unit, "mobile", f"手机：{MOBILE}")
    steward = make_staff(session, "data_steward", above)
    assert len(lines_of(session, tried(session, steward, "cleanup"))) == 2
    with pytest.raises(Refused, match="管辖范围"):
        tried(session, steward, "cleanup", unit=people[0].unit)


@pytest.mark.parametrize(
    ("kind", "facts", "said"),
    [
        ("number_upgrade", {"options": {"rules": []}}, "至少勾选"),
        ("number_upgrade", {"document": " "}, "文件依据"),
        ("door_plate_change", {}, "请选择要上传的清单"),
    ],
)
def test_what_a_change_needs_is_asked_for(session, people, kind, facts, said):
    with pytest.raises(Refused, match=said):
        tried(session, people[0], kind, **facts)


def test_a_list_without_its_columns_is_refused(session, people, tmp_path):
    facts = plates(session, people[0], tmp_path, [{"路": "汾江南路", "号": "18"}])
    with pytest.raises(Refused, match="原路名、原门牌号、新路名、新门牌号"):
        tried(session, people[0], "door_plate_change", **facts)


def test_rows_of_a_list_hold_for_the_unit_that_they_name(session, people, tmp_path):
    hit, other = (address(session, f"{ROAD}18号3座502房") for _time in range(2))
    unit = hit.customer.unit
    rows = [PLATES[0] | {"供电单位": unit.name}]
    change = tried(session, people[0], "door_plate_change", **plates(session, people[0], tmp_path, rows))
    lines = session.scalars(select(BatchChangeLine.customer_id).where(BatchChangeLine.change_id == change.id)).all()
    assert lines == [hit.customer_id] and other.customer_id not in lines
    with pytest.raises(Refused, match="第 2 行的供电单位「没有的所」"):
        rows = [PLATES[0] | {"供电单位": "没有的所"}]
        tried(session, people[0], "door_plate_change", **plates(session, people[0], tmp_path, rows))
