"""What failed inside lists is tried again alone: passed over, listed anew, in lists within lists, few at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from running import begin, go_on
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from test_workflows_turns import ALL, BAD, PERSON, each, noted, noting, parts  # noqa: F401 a fixture

from models import Run, Staff, Step, StepItem, Task
from services import Refused
from workflows import STEPS, runs
from workflows.lists import LISTS
from workflows.steps import Effects, Facts, Item, ListKind, Options, Planned, StepKind
from workflows.tasks import decide_task

SHUT: set[str] = set()  # what cannot be planned or listed
ODD = {"field": "item.odd", "op": "eq", "value": 1}


def plan_shut(session: Session, options: Options, facts: Facts) -> Planned:
    if "plan" in SHUT:
        raise Refused("现在不能计划。")
    return Planned(facts["each"]["items"])


def everything(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    """A list that asks nothing of the items around it."""
    if "list" in SHUT:
        raise Refused("现在没有名单。")
    yield from ({"n": number, "odd": number % 2} for number in range(100, 103))


@pytest.fixture(autouse=True)
def shut(monkeypatch: pytest.MonkeyPatch, parts: None) -> None:  # noqa: F811 the fixture
    SHUT.clear()
    note = STEPS["note"]
    monkeypatch.setitem(STEPS, "shut", StepKind("关", plan_shut, note.do, note.options, over=("number",)))
    monkeypatch.setitem(LISTS, "everything", ListKind("全", "number", everything, {"n": "数", "odd": "单"}))


def shutting(name: str, **more: Any) -> dict[str, Any]:
    return {**noting(name, **more), "step": "shut"}


def again(session: Session, run: Run) -> Run:
    BAD.clear(), SHUT.clear()
    runs.retry(session, run)
    return go_on(session, run)


def payloads(session: Session, run: Run) -> list[Any]:
    """What is still known of items of lists that have gone through."""
    query = select(StepItem.payload).join(Step).where(Step.run_id == run.id, Step.kind == "each")
    return [one for one in session.scalars(query.where(StepItem.state == "done")) if one]


def test_items_passed_over_unplanned_are_done_there_later(session: Session, shell: Staff) -> None:
    SHUT.add("plan")
    run = begin(session, shell, each(shutting("a", on_failure="go_on"), noting("b")), noting("last"))
    assert (run.state, noted(session, run, "a"), noted(session, run, "b")) == ("partly_failed", [], ALL)
    assert len(payloads(session, run)) == len(ALL)
    assert again(session, run).state == "done"
    assert [noted(session, run, name) for name in ("a", "b", "last")] == [ALL, ALL, [0]]
    assert (payloads(session, run), run.facts["list"]["done"]) == ([], 7)
    assert session.scalars(select(Step.items_done).where(Step.path == "1")).all() == [7]


@pytest.mark.slow
def test_items_passed_over_keep_their_place_when_others_come_by(session: Session, shell: Staff) -> None:
    SHUT.add("plan")
    BAD["z"] = {2}
    run = begin(session, shell, each(noting("z"), shutting("a", on_failure="go_on"), noting("b")))
    SHUT.clear(), BAD.clear()
    late = session.scalars(select(StepItem.id).where(StepItem.state == "failed")).all()
    runs.retry_items(session, run, session.scalars(select(Step).where(Step.path == "1")).one(), late)
    assert (go_on(session, run).state, noted(session, run, "a")) == ("partly_failed", [2])
    assert (again(session, run).state, noted(session, run, "a"), noted(session, run, "b")) == (
        "done",
        ALL,
        ALL,
    )


def test_an_item_passed_over_and_failed_later_makes_good_both(session: Session, shell: Staff) -> None:
    BAD.update(a={2}, c={2, 3})
    nodes = noting("a", on_failure="go_on"), noting("b"), noting("c")
    run = begin(session, shell, each(*nodes))
    assert again(session, run).state == "done"
    assert [noted(session, run, name) for name in "abc"] == [ALL, ALL, ALL]


@pytest.mark.slow
def test_items_passed_over_at_a_branch_go_their_ways_later(session: Session, shell: Staff) -> None:
    fork = {"id": "fork", "branch": {"field": "gone", "op": "eq", "value": 1}, "on_failure": "go_on"}
    run = begin(session, shell, each({**fork, "yes": [noting("odd")], "no": [noting("even")]}, noting("b")))
    assert (run.state, noted(session, run, "b"), noted(session, run, "odd")) == ("partly_failed", ALL, [])
    run.tree = (each({**fork, "branch": ODD, "yes": [noting("odd")], "no": [noting("even")]}, noting("b")),)
    assert again(session, run).state == "done"
    assert noted(session, run, "odd") + noted(session, run, "even") == [1, 3, 5, 7, 2, 4, 6]
    assert noted(session, run, "b") == ALL


@pytest.mark.parametrize("policy", ["stop", "go_on"])
def test_a_person_whom_nobody_could_be_asked_is_asked_later(
    session: Session, shell: Staff, policy: str
) -> None:
    ask = {"id": "ask", "on_failure": policy, "person": {**PERSON, "to": "staff", "staff": ["nobody"]}}
    run = begin(session, shell, each(ask, noting("a"), size=7))
    assert (run.state, noted(session, run, "a")) == ("partly_failed", ALL if policy == "go_on" else [])
    run.tree = (each({**ask, "person": PERSON}, noting("a"), size=7),)
    assert again(session, run).state == "waiting"
    task = session.scalars(select(Task).where(Task.state == "open", Task.step_id.is_not(None))).one()
    decide_task(session, task, shell, "yes")
    assert (go_on(session, run).state, noted(session, run, "a")) == ("done", ALL)


@pytest.mark.parametrize("bad", [{"a": {2}}, {"a": {2}, "b": {101}}, {"b": {100, 102}, "c": {1}}])
def test_a_list_inside_a_list_is_never_listed_twice(
    session: Session, shell: Staff, bad: dict[str, set[int]]
) -> None:
    BAD.update(bad)
    inner = each(noting("b"), name="inner", listed="everything", size=2)
    run = begin(session, shell, each(noting("a"), inner, noting("c"), size=7))
    assert run.state == "partly_failed"
    assert again(session, run).state == "done"
    assert (noted(session, run, "a"), noted(session, run, "c")) == (ALL, ALL)
    assert (noted(session, run, "b"), run.facts["b"]["noted"]) == ([100, 101, 102], 3)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["stop", "go_on"])
def test_a_list_inside_a_list_that_could_not_be_read_is_read_later(
    session: Session, shell: Staff, policy: str
) -> None:
    SHUT.add("list")
    inner = each(noting("b"), name="inner", listed="everything", size=2) | {"on_failure": policy}
    run = begin(session, shell, each(noting("a"), inner, noting("c"), size=4))
    assert (run.state, noted(session, run, "b")) == ("partly_failed", [])
    assert again(session, run).state == "done"
    assert noted(session, run, "b") == sorted([100, 101, 102] * 2)
    assert (noted(session, run, "a"), noted(session, run, "c")) == (ALL, ALL)


@pytest.mark.slow
def test_no_more_turns_are_tried_again_at_once_than_the_list_says(session: Session, shell: Staff) -> None:
    BAD["a"] = set(ALL)
    seen: list[int] = []

    def watching(options: Any, facts: Facts, items: Sequence[Item]) -> Effects:
        busy = select(func.count()).where(Step.turn != "", Step.state.in_(("ready", "leased")))
        seen.append(session.scalar(busy) or 0)
        session.rollback()
        return note.do(options, facts, items)

    run = begin(session, shell, each(noting("a"), noting("b"), size=1))
    note = STEPS["note"]
    STEPS["note"] = StepKind("记", note.plan, watching, note.options, over=("number",))
    assert (again(session, run).state, noted(session, run, "b")) == ("done", ALL)
    assert max(seen) == 2


@pytest.mark.slow
def test_what_still_fails_of_a_retry_stays_to_be_tried(session: Session, shell: Staff) -> None:
    SHUT.add("plan")
    run = begin(session, shell, each(shutting("a", on_failure="go_on"), noting("b")))
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "b")) == ("partly_failed", ALL)
    assert (again(session, run).state, noted(session, run, "a"), noted(session, run, "b")) == (
        "done",
        ALL,
        ALL,
    )


@pytest.mark.slow
def test_the_newest_version_plans_anew_what_was_passed_over(session: Session, shell: Staff) -> None:
    BAD["a"] = set()
    nodes = noting("a", on_failure="go_on", refuse=True), noting("b")
    run = begin(session, shell, each(*nodes))
    assert (run.state, noted(session, run, "a")) == ("partly_failed", [])
    BAD.clear()
    from_now_on = begin(session, shell, each(noting("a", on_failure="go_on"), noting("b")))
    runs.retry(session, run, newest=True)
    assert (go_on(session, run).version, run.state, from_now_on.state) == (2, "done", "done")
    assert (noted(session, run, "a"), noted(session, run, "b")) == (ALL, ALL)
