from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import CustomerVersion, Issue, Rule, RuleResult
from models.clock import ZONE, move_to, now, utcnow
from models.rules import newest_rules, rules_at
from models.scope import working_as
from services import Refused, assessments, contacts, issue_decisions, issues, rule_versions
from services.contacts import Finding
from services.drill_downs import RuleAsked, rule_records
from services.people import scope_of
from services.rules import FUNCTIONS

GOOD = {"raw": "13800001112", "value": "+8613800001112"}


@pytest.fixture
def bureau(session, shell):
    """A bureau on 20 November 2026 with the seeded rules, a station, and somebody who may write rules."""
    move_to(session, datetime(2026, 11, 20, 12, tzinfo=ZONE))
    return session, make_unit(session), make_staff(session, "data_steward")


def customer(session, unit, **facts):
    row = make_customer(session, unit, **facts)
    version = {"customer_class": row.customer_class, "manager_id": row.manager_id, "opened_on": row.opened_on}
    session.add(CustomerVersion(customer_id=row.id, unit_id=unit.id, valid_from=utcnow(), **version))
    session.flush()
    return row


def assess(session, unit):
    asked = assessments.question(session, "2026-11", unit, allow_empty=True)
    run = assessments.keep(session, assessments.count(session, asked), staff_id=None)
    for _chunk in issues.follow(session, run):
        session.flush()
    return run


def figure(session, run, code, **asked):
    wanted = {"level": "unit", "cohort": "all", "unit_id": run.unit_id, **asked}
    query = select(RuleResult).filter_by(assessment_id=run.id).join(Rule, Rule.id == RuleResult.rule_id)
    rows = session.scalars(query.where(Rule.code == code)).all()
    (row,) = [row for row in rows if all(getattr(row, name) == value for name, value in wanted.items())]
    return row.numerator, row.denominator, row.grade


def by_rule(session):
    return {(one.rule_code, one.kind): one for one in session.scalars(select(Issue))}


def rule(session, code):
    return rule_versions.newest(session, code)


def test_every_seeded_rule_names_a_function_and_right_parameters(session):
    for one in newest_rules(session):
        FUNCTIONS[one.function].parameters.model_validate(one.parameters)
        assert not rule_versions._faults(session, rule_versions.draft_of(one)), one.code


def test_rules_count_what_they_look_at_and_grade_it(bureau):
    session, unit, _steward = bureau
    for number in range(3):
        make_contact(
            session, customer(session, unit), raw=f"1380000111{number}", value=f"+861380000111{number}"
        )
    make_contact(
        session, customer(session, unit), verdict="suspect", value="+8613800138000", reasons="known_dummy"
    )
    customer(session, unit)
    run = assess(session, unit)
    assert figure(session, run, "mobile_recorded") == (4, 5, 1)
    assert figure(session, run, "phone_format") == (3, 4, 1)
    assert figure(session, run, "no_made_up_numbers") == (1, 4, 1)
    assert figure(session, run, "one_number_one_customer") == (4, 4, 5)


def test_a_number_on_many_customers_fails_for_each(bureau):
    session, unit, _steward = bureau
    for _number in range(4):
        make_contact(session, customer(session, unit), **GOOD)
    run = assess(session, unit)
    assert figure(session, run, "one_number_one_customer")[:2] == (0, 4)


def test_a_confirmed_number_is_fresh_until_it_is_refuted(bureau):
    session, unit, _steward = bureau
    contact = make_contact(session, customer(session, unit), **GOOD)
    contacts.confirm(session, [Finding(contact.id, "confirmed", "call")])
    assert figure(session, assess(session, unit), "mobile_confirmed")[:2] == (1, 1)
    contacts.confirm(session, [Finding(contact.id, "refuted", "call")])
    assert figure(session, assess(session, unit), "mobile_confirmed")[:2] == (0, 1)


def test_recounting_gives_the_same_digits_and_so_does_a_fresh_run(bureau):
    session, unit, _steward = bureau
    for _number in range(2):
        make_contact(session, customer(session, unit), **GOOD)
    first, second = assess(session, unit), assess(session, unit)
    assert first.rule_members_sha256 == second.rule_members_sha256
    make_contact(session, customer(session, unit), verdict="invalid", value="")
    kept = session.scalars(select(RuleResult).filter_by(assessment_id=first.id).order_by(RuleResult.id)).all()
    again = assessments.recount_rules(session, first)
    digits = [(one.rule_id, one.cohort, one.numerator, one.denominator, one.grade) for one in kept]
    assert digits == [(one.rule_id, one.cohort, one.numerator, one.denominator, one.grade) for one in again]


def test_a_rule_that_meets_nothing_stops_the_run_unless_allowed(bureau):
    session, unit, _steward = bureau
    with pytest.raises(Refused, match="手机已录入"):
        assessments.count(session, assessments.question(session, "2026-11", unit))
    assert assess(session, unit).settings["allow_empty"]


def test_a_change_is_a_new_version_and_old_months_keep_the_old_one(bureau):
    session, _unit, steward = bureau
    old = rule(session, "mobile_recorded")
    new = rule_versions.revise(
        session,
        old,
        replace(rule_versions.draft_of(old), target=0.97, active_from=date(2026, 11, 1)),
        staff=steward,
    )
    assert (new.version, old.target) == (2, 0.96)
    assert rule_versions.revise(session, new, rule_versions.draft_of(new), staff=steward) is new
    chosen = {
        day: {one.code: one.version for one in rules_at(session, day)}
        for day in (date(2026, 10, 31), date(2026, 11, 30))
    }
    assert [found["mobile_recorded"] for found in chosen.values()] == [1, 2]


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"label": " "}, "名称"),
        ({"function": "eval"}, "判断方法"),
        ({"kinds": ()}, "联系信息"),
        ({"kinds": ("email",)}, "联系信息"),
        ({"indicator": "9999"}, "国标"),
        ({"target": 0.1}, "基本值"),
        ({"parameters": {"most": "0"}}, "不能小于"),
        ({"parameters": {"code": "x"}}, "没有这个选项"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_is_wrong(bureau, changes, fault):
    session, _unit, steward = bureau
    old = rule(session, "one_number_one_customer")
    with pytest.raises(Refused, match=fault):
        rule_versions.revise(session, old, rule_versions.draft_of(old, **changes), staff=steward)


def test_a_rule_holds_for_its_unit_and_classes_only(bureau):
    session, unit, steward = bureau
    elsewhere = make_unit(session)
    old = rule(session, "mobile_recorded")
    rule_versions.revise(session, old, rule_versions.draft_of(old, scope_unit_id=elsewhere.id), staff=steward)
    customer(session, unit)
    codes = [entry["code"] for entry in assess(session, unit).settings["rules"]]
    assert "mobile_recorded" not in codes and "phone_format" in codes


def test_an_issue_opens_is_fixed_and_recurs(bureau):
    session, unit, _steward = bureau
    manager = make_staff(session, "account_manager", unit)
    row = customer(session, unit, manager_id=manager.id)
    assess(session, unit)
    found = by_rule(session)["mobile_recorded", "mobile"]
    assert (found.state, found.owner_id, found.fix, found.due_on) == (
        "open",
        manager.id,
        "supply",
        date(2026, 11, 27),
    )
    contact = make_contact(session, row, **GOOD)
    assess(session, unit)
    assert by_rule(session)["mobile_recorded", "mobile"].state == "fixed"
    contacts.end(session, [contact.id], "stopped", action="contact.stopped")
    move_to(session, now(session) + timedelta(hours=1))
    assess(session, unit)
    again = by_rule(session)["mobile_recorded", "mobile"]
    assert (again.state, again.times, again.id) == ("recurring", 2, found.id)


def test_following_a_run_twice_changes_nothing(bureau):
    session, unit, _steward = bureau
    customer(session, unit)
    run = assess(session, unit)
    before = {key: (one.id, one.state, one.times) for key, one in by_rule(session).items()}
    assert before and list(issues.follow(session, run))
    assert {key: (one.id, one.state, one.times) for key, one in by_rule(session).items()} == before


def test_a_rule_may_count_without_opening_issues(bureau):
    session, unit, steward = bureau
    customer(session, unit)
    old = rule(session, "mobile_recorded")
    rule_versions.revise(session, old, rule_versions.draft_of(old, opens_issues=False), staff=steward)
    run = assess(session, unit)
    assert figure(session, run, "mobile_recorded")[:2] == (0, 1)
    assert ("mobile_recorded", "mobile") not in by_rule(session)


def test_a_run_of_a_past_month_leaves_the_issues_alone(bureau):
    session, unit, _steward = bureau
    customer(session, unit)
    assess(session, unit)
    asked = assessments.question(session, "2026-10", unit, allow_empty=True)
    past = assessments.keep(session, assessments.count(session, asked), staff_id=None)
    assert list(issues.follow(session, past)) == []


def test_nobody_waives_or_clears_what_is_theirs_to_mend(bureau):
    session, unit, steward = bureau
    customer(session, unit, manager_id=steward.id)
    assess(session, unit)
    key = by_rule(session)["mobile_recorded", "mobile"].id
    with pytest.raises(Refused, match="自己"):
        issue_decisions.waive(session, [key], "refuses", staff=steward)
    other = make_staff(session, "station_head", unit)
    with pytest.raises(Refused, match="原因"):
        issue_decisions.waive(session, [key], "because", staff=other)
    with pytest.raises(Refused, match="仍有问题"):
        issue_decisions.clear(session, [key], staff=other)
    assert issue_decisions.waive(session, [key], "refuses", staff=other) == 1


def test_a_waived_record_counts_in_neither_number(bureau):
    session, unit, steward = bureau
    make_contact(session, customer(session, unit), **GOOD)
    customer(session, unit)
    assert figure(session, assess(session, unit), "mobile_recorded")[:2] == (1, 2)
    issue_decisions.waive(
        session, [by_rule(session)["mobile_recorded", "mobile"].id], "refuses", staff=steward
    )
    run = assess(session, unit)
    assert figure(session, run, "mobile_recorded")[:2] == (1, 1)
    assert by_rule(session)["mobile_recorded", "mobile"].state == "waived"
    asked = RuleAsked(rule(session, "mobile_recorded").id, "exempt", unit.id)
    assert len(rule_records(session, run, asked)[0]) == 1


def test_what_is_mended_is_found_so_at_once_and_cleared(bureau):
    session, unit, steward = bureau
    row = customer(session, unit)
    assess(session, unit)
    key = by_rule(session)["mobile_recorded", "mobile"].id
    assert issue_decisions.recheck(session, [key], staff=steward) == (0, 1)
    make_contact(session, row, **GOOD)
    assert issue_decisions.recheck(session, [key], staff=steward) == (1, 0)
    assert issue_decisions.clear(session, [key], staff=steward) == 1
    assert by_rule(session)["mobile_recorded", "mobile"].state == "cleared"


def test_a_check_counts_customers_that_the_owner_does_not_see(bureau):
    session, unit, _steward = bureau
    manager = make_staff(session, "account_manager", unit)
    make_contact(session, customer(session, unit, manager_id=manager.id), **GOOD)
    for _number in range(3):
        make_contact(session, customer(session, make_unit(session)), **GOOD)
    assess(session, unit)
    key = by_rule(session)["one_number_one_customer", "mobile"].id
    with working_as(session, scope_of(session, manager)):
        assert issue_decisions.recheck(session, [key], staff=manager) == (0, 1)
