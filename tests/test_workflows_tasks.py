"""People in runs: to whom a task goes, several who decide, and what one does with a task before it is decided."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from deciding import acts, person, sees, task_of
from factories import make_customer, make_staff, make_unit
from running import begin, go_on
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Role, Staff, Step, Task, Unit
from models.clock import ZONE, move_to, now, today
from services import Refused, delegations, task_acts, task_lists, tasks
from services.delegations import Away
from services.tasks import Decision
from workflows import STEPS, clock, persons, task_units
from workflows.lists import LISTS
from workflows.steps import Effects, Facts, ListKind, Options, Planned, StepKind
from workflows.tasks import answer_task, answer_tasks, decide_task, earlier_persons, send_back, withdraw

NOTED: list[str] = []


def plan_one(session: Session, options: Options, facts: Facts) -> Planned:
    return Planned([{"n": 1}])


def note_one(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    NOTED.append(str(facts["run"]["id"]))
    return Effects(summary={"done": len(items)})


@pytest.fixture(autouse=True)
def _noting(monkeypatch: pytest.MonkeyPatch) -> None:
    NOTED.clear()
    monkeypatch.setitem(STEPS, "note_one", StepKind("记一笔", plan_one, note_one))


@pytest.mark.parametrize(
    ("rule", "said", "outcome"),
    [
        ("any", ["return"], "return"),
        ("all", ["agree", "agree", "agree"], "agree"),
        ("all", ["agree", "return"], "return"),
        ("majority", ["return", "return"], "return"),
        ("majority", ["agree", "return", "agree"], "agree"),
    ],
)
def test_several_decide_by_the_rule_of_the_node(
    session: Session, shell: Staff, leaders: list[Staff], rule: str, said: list[str], outcome: str
) -> None:
    run = begin(session, shell, person("p", rule=rule))
    task = task_of(session, run)
    for leader, choice in zip(leaders, said, strict=False):
        assert (task.state, sees(session, leader)) == ("open", [task.id])
        decide_task(session, task, leader, choice)
    assert (task.state, go_on(session, run).facts["p"]["choice"]) == ("done", outcome)
    assert run.facts["p"].get("persons", [leaders[0].id]) == [one.id for one in leaders[: len(said)]]


def test_role_and_permission_may_come_from_different_roles(session: Session, shell: Staff) -> None:
    unit = make_unit(session)
    both, only = make_staff(session, "team_leader", unit), make_staff(session, "team_leader", unit)
    both.roles = [*both.roles, session.scalars(select(Role).where(Role.name == "clerk")).one()]
    asked = person("p", unit=f"unit:{unit.code}", permission="returns.key")  # which is the clerk's
    assert not task_units.unable(session, asked["person"], unit.id)
    for rule in ("any", "all"):
        task = task_of(session, begin(session, shell, {**asked, "person": {**asked["person"], "rule": rule}}))
        assert (task.id in sees(session, both), task.id in sees(session, only)) == (True, False)


def test_nobody_counts_twice_and_no_majority_takes_the_last_choice(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    named = [leader.username for leader in leaders[:2]]
    run = begin(session, shell, person("p", to="staff", staff=named, rule="majority", role=""))
    task = task_of(session, run)
    assert not sees(session, leaders[2])
    decide_task(session, task, leaders[0], "agree")
    for leader, reason in ((leaders[0], "已经办理过"), (leaders[2], "没有您")):
        with pytest.raises(Refused, match=reason):
            decide_task(session, task, leader, "agree")
    decide_task(session, task, leaders[1], "agree")
    assert go_on(session, run).facts["p"]["choice"] == "agree"


@pytest.mark.parametrize("to", ["owner", "starter"])
def test_a_task_goes_to_the_owner_or_the_starter(
    session: Session, shell: Staff, leaders: list[Staff], to: str
) -> None:
    run = begin(session, shell, person("p", to=to, role=""))
    assert task_of(session, run).staff_id == run.owner_id == shell.id
    with pytest.raises(Refused, match="由别人办理"):
        decide_task(session, task_of(session, run), leaders[0], "agree")


def test_an_items_task_goes_to_the_manager_of_its_customer(
    session: Session, shell: Staff, root: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager, gone = make_staff(session, "account_manager"), make_staff(session, active=False)
    ids = [make_customer(session, manager_id=one.id).id for one in (manager, gone)]
    found = [{"customer_id": one} for one in ids]
    monkeypatch.setitem(LISTS, "ours", ListKind("我们的", "customer", lambda session, facts, of: found, {}))
    inside = person("p", to="manager", role="")
    run = begin(session, shell, {"id": "all", "each": {"list": "ours", "size": 1}, "do": [inside]})
    rows = session.scalars(select(Task).where(Task.run_id == run.id).order_by(Task.customer_id)).all()
    assert [(row.staff_id, row.customer_id) for row in rows] == [(manager.id, ids[0]), (shell.id, ids[1])]
    assert sees(session, manager) == [rows[0].id]


def test_a_delegate_decides_in_the_name_of_who_is_away(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    clerk = make_staff(session, "clerk", make_unit(session))
    run = begin(session, shell, person("p"), person("q", not_by=["p"]))
    task, day = task_of(session, run), today(session)
    assert not sees(session, clerk)
    row = delegations.delegate(session, leaders[0], Away(clerk.id, day, day + timedelta(days=3), "休假"))
    assert sees(session, clerk) == [task.id] and task_lists.find(session, clerk, task.id) is task
    decide_task(session, task, clerk, "agree")
    done = tasks.acts_of(session, task)[0]
    assert (done.staff_id, done.for_id) == (clerk.id, leaders[0].id)
    second = task_of(session, go_on(session, run))
    assert second.not_by == sorted([clerk.id, leaders[0].id]) and not sees(session, clerk)
    delegations.end(session, row, leaders[0])
    assert not delegations.principals(session, clerk)


def test_what_a_delegate_decided_is_sent_back_to_who_was_away(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    clerk, day = make_staff(session, "clerk", make_unit(session)), today(session)
    run = begin(session, shell, person("p"), person("q"))
    row = delegations.delegate(session, leaders[0], Away(clerk.id, day, day, "休假"))
    first = task_of(session, run)
    decide_task(session, first, clerk, "agree")
    task = task_of(session, go_on(session, run))
    send_back(session, task, leaders[1], first.id, "请再核对")
    delegations.end(session, row, leaders[0])
    assert (first.staff_id, sees(session, clerk), sees(session, leaders[0])) == (
        leaders[0].id,
        [],
        [first.id],
    )
    decide_task(session, first, leaders[0], "agree")


def test_nobody_who_decides_no_tasks_stands_in(session: Session, leaders: list[Staff]) -> None:
    auditor, day = make_staff(session, "auditor"), today(session)
    assert leaders[1] in delegations.stand_ins(session, leaders[0])
    with pytest.raises(Refused, match="代办人"):
        delegations.delegate(session, leaders[0], Away(auditor.id, day, day))


def test_a_task_for_one_who_may_not_decide_it_fails_at_once(session: Session, shell: Staff) -> None:
    run = begin(session, shell, person("p", to="starter", role="", not_by=["start"]))
    assert run.state == "failed" and "不能办理" in run.message


def test_all_who_decided_in_a_list_are_barred_behind_it(
    session: Session, shell: Staff, leaders: list[Staff], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [{"n": 1}, {"n": 2}]
    monkeypatch.setitem(LISTS, "ours", ListKind("我们的", "number", lambda session, facts, of: found, {}))
    inside = {"id": "all", "each": {"list": "ours", "size": 1}, "do": [person("p")]}
    run = begin(session, shell, inside, person("q", not_by=["p"]))
    rows = session.scalars(select(Task).where(Task.run_id == run.id).order_by(Task.id)).all()
    for leader, task in zip(leaders, rows, strict=False):
        decide_task(session, task, leader, "agree")
    assert task_of(session, go_on(session, run)).not_by == [leaders[0].id, leaders[1].id]


def test_a_delegation_has_a_time_and_another_person(session: Session, leaders: list[Staff]) -> None:
    day = today(session)
    later = day + timedelta(days=2)
    for to_id, since, until in ((leaders[0].id, day, later), (leaders[1].id, later, day)):
        with pytest.raises(Refused):
            delegations.delegate(session, leaders[0], Away(to_id, since, until))
    delegations.delegate(session, leaders[0], Away(leaders[1].id, later, later))
    assert not delegations.principals(session, leaders[1])
    with pytest.raises(Refused, match="已经委托过"):
        delegations.delegate(session, leaders[0], Away(leaders[2].id, day, later))


def test_a_task_sent_back_lets_the_run_go_on_from_there(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    agreed = {"field": "first.choice", "op": "eq", "value": "agree"}
    fork = {
        "id": "fork",
        "branch": agreed,
        "yes": [person("second")],
        "no": [{"id": "other", "step": "note_one"}],
    }
    run = begin(session, shell, person("first"), {"id": "work", "step": "note_one"}, fork)
    decide_task(session, task_of(session, run), leaders[0], "agree")
    task = task_of(session, go_on(session, run))
    assert [one.title for one in earlier_persons(session, task)] == ["审核"] and len(NOTED) == 1
    first = earlier_persons(session, task)[0]
    send_back(session, task, leaders[1], first.id, "请再核对")
    assert (task.state, first.state, sees(session, leaders[0])) == ("sent_back", "open", [first.id])
    assert not sees(session, leaders[2]) and "first" not in go_on(session, run).facts
    decide_task(session, first, leaders[0], "agree")
    go_on(session, run)
    assert (task_of(session, run).id, len(NOTED), run.state) == (task.id, 1, "waiting")
    assert acts(session, task) == ["sent_back", "reopened"]
    send_back(session, task, leaders[1], first.id, "还是不对")
    decide_task(session, first, leaders[0], "return")
    assert (go_on(session, run).state, len(NOTED), run.facts["fork"]) == ("done", 2, {"arm": "no"})


def test_a_task_is_not_sent_back_without_a_reason_or_to_nobody(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    task = task_of(session, begin(session, shell, person("p")))
    for earlier, note, reason in ((1, " ", "原因"), (task.id, "再看", "不能退回")):
        with pytest.raises(Refused, match=reason):
            send_back(session, task, leaders[0], earlier, note)
    assert not earlier_persons(session, task)


def test_the_starter_takes_back_what_nobody_has_decided(session: Session, leaders: list[Staff]) -> None:
    starter = make_staff(session, "data_steward")
    run = begin(session, starter, person("p"), person("q"))
    task = task_of(session, run)
    with pytest.raises(Refused, match="发起人"):
        withdraw(session, task, leaders[0], "写错了")
    decide_task(session, task, leaders[0], "agree")
    go_on(session, run)
    with pytest.raises(Refused, match="已经有人办理"):
        withdraw(session, task_of(session, run), starter, "写错了")
    other = begin(session, starter, person("p"))
    task = task_of(session, other)
    withdraw(session, task, starter, "写错了")
    assert (other.state, task.state, acts(session, task)) == ("cancelled", "cancelled", ["withdrawn"])


def test_what_a_person_fills_in_is_asked_by_later_conditions(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    fields = [
        {"code": "doors", "label": "户数", "kind": "number", "required": True},
        {"code": "way", "label": "方式", "kind": "choice", "options": "上门，电话"},
    ]
    many = {"field": "p.doors", "op": "gt", "value": 10}
    fork = {"id": "fork", "branch": many, "yes": [{"id": "work", "step": "note_one"}]}
    run = begin(session, shell, person("p", fields=fields), fork)
    task = task_of(session, run)
    wrong = (({}, "请填写「户数」"), ({"doors": "x"}, "要填数字"), ({"doors": "1", "way": "信"}, "列出"))
    for answers, reason in wrong:
        with pytest.raises(Refused, match=reason):
            answer_task(session, task, leaders[0], Decision("agree", "", answers))
    answer_task(session, task, leaders[0], Decision("agree", "", {"doors": "12", "way": "电话"}))
    made = go_on(session, run).facts
    assert (made["p"]["doors"], made["p"]["way"], made["fork"]) == (12, "电话", {"arm": "yes"})


def test_alike_tasks_are_decided_together_each_by_itself(
    session: Session, shell: Staff, leaders: list[Staff]
) -> None:
    starter = shell
    rows = [task_of(session, begin(session, starter, person("p"))) for _number in range(3)]
    task_acts.claim(session, rows[1], leaders[2])
    left = answer_tasks(session, rows, leaders[1], Decision("agree"))
    assert [task.id for task, _reason in left] == [rows[1].id] and "由别人办理" in left[0][1]
    assert [row.state for row in rows] == ["done", "open", "done"]
    other = task_of(session, begin(session, starter, person("x", rule="all")))
    with pytest.raises(Refused, match="不是同一个"):
        answer_tasks(session, [rows[1], other], leaders[1], Decision("agree"))


def test_a_task_is_due_in_hours_and_reminded_of_in_working_time(session: Session, shell: Staff) -> None:
    move_to(session, now(session).replace(year=2027, month=3, day=1, hour=10, minute=0, second=0))  # a Monday
    node = person("p", due_hours=140, remind_hours=12, remind_every=1)
    task = task_of(session, begin(session, shell, node))
    assert task.due_at is not None and task.remind_at is not None
    assert f"{task.due_at.astimezone(ZONE):%m-%d %H}" == "03-07 06"  # a Sunday
    assert f"{task.remind_at.astimezone(ZONE):%m-%d %H:%M}" == "03-05 17:30"
    session.commit()
    assert clock.remind() == 0
    move_to(session, task.remind_at + timedelta(minutes=1))
    session.commit()
    assert (clock.remind(), clock.remind()) == (1, 0)
    session.refresh(task)
    assert (task.reminders, task.remind_at and task.remind_at.astimezone(ZONE).date()) == (
        1,
        date(2027, 3, 8),
    )
    assert acts(session, task) == ["reminded"]


def test_lists_tell_what_waits_and_what_was_done_and_started(session: Session, leaders: list[Staff]) -> None:
    starter = make_staff(session, "data_steward")
    task = task_of(session, begin(session, starter, person("p")))
    queries = (task_lists.waiting, task_lists.done)
    assert [task_lists.capped(session, find(session, leaders[0])) for find in queries] == [1, 0]
    decide_task(session, task, leaders[0], "agree")
    assert [task_lists.capped(session, find(session, leaders[0])) for find in queries] == [0, 1]
    assert task_lists.capped(session, task_lists.started(session, starter)) == 1
    assert task_lists.find(session, starter, task.id) is task and not task_lists.find(
        session, make_staff(session, "auditor"), task.id
    )


def test_a_steps_state_follows_its_task(session: Session, shell: Staff, leaders: list[Staff]) -> None:
    run = begin(session, shell, person("p"), person("q"))
    decide_task(session, task_of(session, run), leaders[0], "agree")
    task = task_of(session, go_on(session, run))
    send_back(session, task, leaders[1], earlier_persons(session, task)[0].id, "再看")
    states = dict(session.execute(select(Step.node, Step.state).where(Step.run_id == run.id)).tuples().all())
    assert states == {"p": "waiting", "q": "cancelled"}


def test_a_value_in_the_address_of_a_task_leads_nowhere_else() -> None:
    facts = {"run": {"title": "/elsewhere.example/?a=b", "campaign_id": 7}}
    assert persons._link("/{run.title}/{run.campaign_id}", facts) == "/%2Felsewhere.example%2F%3Fa%3Db/7"
