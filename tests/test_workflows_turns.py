"""Lists worked through in chunks, lanes side by side, and what becomes of what fails in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from running import begin, go_on
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import Run, SignInAttempt, Staff, Step, StepItem, Task
from models.clock import utcnow
from services import Refused
from workflows import STEPS, clock, runs
from workflows.lists import LISTS
from workflows.steps import Call, Effects, Facts, Item, ListKind, Options, Planned, StepKind
from workflows.tasks import decide_task

BAD: dict[str, set[int]] = {}  # the items that fail at a node
SEEN: list[tuple[str, int]] = []  # how many items came to a node in one chunk
NUMBER = 7


class Note(Options):
    """Which node notes, so that tests can tell."""

    name: str
    refuse: bool = False


def numbers(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    yield from ({"n": number, "odd": number % 2} for number in range(1, NUMBER + 1))


def letters(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    yield from ({"n": 10 * item["n"] + place} for item in facts["each"]["items"] for place in range(2))


def plan_note(session: Session, options: Note, facts: Facts) -> Planned:
    items = facts["each"]["items"] if "each" in facts else [{"n": 0}]
    return Planned(items, {"wanted": len(items)})


def note(options: Note, facts: Facts, items: Sequence[Item]) -> Effects:
    SEEN.append((options.name, len(items)))
    if options.refuse and options.name in BAD:
        raise Refused("机器坏了。")
    bad = BAD.get(options.name, set())
    good = [f"{facts['run']['id']}/{options.name}/{item['n']}" for item in items if item["n"] not in bad]
    results = [{"error": "坏"} if item["n"] in bad else {} for item in items]
    return Effects([Call(write, {"names": good})], results=results)


def write(session: Session, names: Sequence[str]) -> dict[str, int]:
    session.add_all(SignInAttempt(account_key=name, address_key="note", at=utcnow()) for name in names)
    session.flush()
    return {"noted": len(names)}


@pytest.fixture(autouse=True)
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    BAD.clear()
    SEEN.clear()
    monkeypatch.setitem(STEPS, "note", StepKind("记", plan_note, note, Note, over=("number",)))
    monkeypatch.setitem(LISTS, "numbers", ListKind("数", "number", numbers, {"n": "数", "odd": "单"}))
    monkeypatch.setitem(LISTS, "letters", ListKind("字", "number", letters, {"n": "数"}))


def noting(name: str, **more: Any) -> dict[str, Any]:
    options = {"name": name, "refuse": more.pop("refuse", False)}
    return {"id": name, "step": "note", "options": options, **more}


def each(
    *nodes: dict[str, Any], size: int = 3, name: str = "list", listed: str = "numbers"
) -> dict[str, Any]:
    return {"id": name, "each": {"list": listed, "size": size}, "do": list(nodes)}


def lanes(*nodes: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": "lanes", "parallel": {}, "lanes": [{"nodes": one} for one in nodes]}


ODD = {"field": "item.odd", "op": "eq", "value": 1}
PERSON = {"title": "办", "permission": "notices.review", "choices": [{"code": "yes", "label": "是"}]}


def noted(session: Session, run: Run, name: str) -> list[int]:
    """The items that a node has noted, each as often as it did."""
    keys = session.scalars(
        select(SignInAttempt.account_key).where(SignInAttempt.account_key.startswith(f"{run.id}/{name}/"))
    )
    return sorted(int(key.rpartition("/")[2]) for key in keys)


def states(session: Session, run: Run) -> dict[str, int]:
    query = select(StepItem.state, func.count()).join(Step).where(Step.run_id == run.id, Step.kind == "each")
    return dict(session.execute(query.group_by(StepItem.state)).tuples().all())


ALL = list(range(1, NUMBER + 1))


def test_a_list_is_worked_through_in_chunks(session: Session, shell: Staff) -> None:
    run = begin(session, shell, each(noting("a"), noting("b")), noting("last"))
    assert (run.state, noted(session, run, "a"), noted(session, run, "b")) == ("done", ALL, ALL)
    assert sorted(SEEN) == [("a", 1), ("a", 3), ("a", 3), ("b", 1), ("b", 3), ("b", 3), ("last", 1)]
    assert (run.facts["list"]["items"], run.facts["list"]["done"], run.facts["a"]["noted"]) == (7, 7, 7)
    assert states(session, run) == {"done": 7}


def test_an_empty_list_leads_on(session: Session, shell: Staff, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LISTS, "numbers", ListKind("空", "number", lambda *_: (), {}))
    run = begin(session, shell, each(noting("a")), noting("last"))
    assert (run.state, noted(session, run, "a"), noted(session, run, "last")) == ("done", [], [0])


def test_every_item_goes_its_own_way_at_a_branch(session: Session, shell: Staff) -> None:
    fork = {"id": "fork", "branch": ODD, "yes": [noting("odd")], "no": [noting("even")]}
    run = begin(session, shell, each(fork, noting("both")))
    assert (noted(session, run, "odd"), noted(session, run, "even")) == ([1, 3, 5, 7], [2, 4, 6])
    assert (run.state, noted(session, run, "both")) == ("done", ALL)


@pytest.mark.slow
def test_items_that_fail_stop_alone_and_are_completed_later(session: Session, shell: Staff) -> None:
    BAD.update(a={2}, b={2, 5})
    run = begin(session, shell, each(noting("a"), noting("b"), noting("c")), noting("last"))
    assert (run.state, run.facts["list"]["failed"], states(session, run)) == (
        "partly_failed",
        2,
        {"done": 5, "failed": 2},
    )
    assert (noted(session, run, "b"), noted(session, run, "c")) == ([1, 3, 4, 6, 7], [1, 3, 4, 6, 7])
    BAD.clear()
    runs.retry(session, run)
    go_on(session, run)
    assert [noted(session, run, name) for name in "abc"] == [ALL] * 3
    assert (run.state, noted(session, run, "last"), run.facts["c"]["noted"]) == ("done", [0], 7)
    assert "failed" not in run.facts["list"]


@pytest.mark.slow
def test_an_item_that_fails_again_is_tried_again_from_there(session: Session, shell: Staff) -> None:
    BAD.update(a={2}, b={2})
    run = begin(session, shell, each(noting("a"), noting("b")))
    BAD.pop("a")
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "a")) == ("partly_failed", ALL)
    BAD.clear()
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "b"), noted(session, run, "a")) == (
        "done",
        ALL,
        ALL,
    )


@pytest.mark.parametrize(
    ("policy", "state", "behind"),
    [("stop", "partly_failed", [1, 3, 4, 5, 6, 7]), ("go_on", "partly_failed", ALL), ("branch", "done", ALL)],
)
def test_a_node_says_what_items_do_that_fail(
    session: Session, shell: Staff, policy: str, state: str, behind: list[int]
) -> None:
    BAD["a"] = {2}
    more = {"failed": [noting("instead")]} if policy == "branch" else {}
    run = begin(session, shell, each(noting("a", on_failure=policy, **more), noting("b")))
    assert (run.state, noted(session, run, "b")) == (state, behind)
    assert noted(session, run, "instead") == ([2] if policy == "branch" else [])


def test_a_chunk_that_cannot_be_done_is_given_up_without_the_others(session: Session, shell: Staff) -> None:
    BAD["a"] = set()
    run = begin(session, shell, each(noting("a", refuse=True), noting("b")), noting("last"))
    assert (run.state, run.facts["list"]["failed"], noted(session, run, "last")) == ("partly_failed", 7, [0])
    assert session.scalars(select(Task.kind).where(Task.run_id == run.id)).all().count("failed_step") == 3
    BAD.clear()
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "a"), noted(session, run, "b")) == (
        "done",
        ALL,
        ALL,
    )


@pytest.mark.slow
def test_a_list_within_a_list_has_its_own_turns(session: Session, shell: Staff) -> None:
    BAD["b"] = {31}
    run = begin(
        session, shell, each(noting("a"), each(noting("b"), name="inner", listed="letters"), noting("c"))
    )
    wanted = sorted(10 * n + place for n in ALL for place in range(2))
    assert noted(session, run, "b") == [n for n in wanted if n != 31]
    assert (run.state, noted(session, run, "c")) == ("partly_failed", ALL)
    BAD.clear()
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "b")) == ("done", wanted)
    assert (noted(session, run, "a"), noted(session, run, "c"), run.facts["b"]["noted"]) == (ALL, ALL, 14)


@pytest.mark.slow
def test_each_item_may_wait_for_its_own_person(session: Session, shell: Staff) -> None:
    run = begin(session, shell, each({"id": "ask", "person": PERSON}, noting("a"), size=1))
    assert (run.state, session.scalar(select(func.count()).select_from(Task))) == ("waiting", 2)
    for _turn in range(NUMBER):
        task = session.scalars(select(Task).where(Task.state == "open").order_by(Task.id)).first()
        decide_task(session, task, shell, "yes")
        go_on(session, run)
    assert (run.state, noted(session, run, "a")) == ("done", ALL)


def test_lanes_run_side_by_side_and_are_joined(session: Session, shell: Staff) -> None:
    ask = {"id": "ask", "person": PERSON}
    run = begin(session, shell, lanes([noting("a"), noting("b")], [ask, noting("c")]), noting("last"))
    assert (run.state, noted(session, run, "b"), noted(session, run, "c")) == ("waiting", [0], [])
    decide_task(session, session.scalars(select(Task)).one(), shell, "yes")
    assert (go_on(session, run).state, noted(session, run, "c"), noted(session, run, "last")) == (
        "done",
        [0],
        [0],
    )
    assert run.facts["a"]["noted"] == run.facts["c"]["noted"] == 1


def test_a_lane_that_fails_keeps_the_run_from_going_on_until_it_is_done(
    session: Session, shell: Staff
) -> None:
    BAD["a"] = set()
    run = begin(session, shell, lanes([noting("a", refuse=True)], [noting("b"), noting("c")]), noting("last"))
    assert (run.state, noted(session, run, "last")) == ("failed", [])
    BAD.clear()
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "c"), noted(session, run, "last")) == (
        "done",
        [0],
        [0],
    )


def test_a_list_may_stand_in_a_lane_and_is_completed_there(session: Session, shell: Staff) -> None:
    BAD["a"] = {4}
    run = begin(session, shell, lanes([each(noting("a"))], [noting("b")]), noting("last"))
    assert run.state == "partly_failed"
    BAD.clear()
    runs.retry(session, run)
    assert (go_on(session, run).state, noted(session, run, "a"), noted(session, run, "last")) == (
        "done",
        ALL,
        [0],
    )


@pytest.mark.parametrize(("policy", "state"), [("go_on", "partly_failed"), ("branch", "done")])
def test_a_step_that_cannot_be_done_goes_the_way_its_node_says(
    session: Session, shell: Staff, policy: str, state: str
) -> None:
    BAD["a"] = set()
    more = {"failed": [noting("instead")]} if policy == "branch" else {}
    run = begin(session, shell, noting("a", refuse=True, on_failure=policy, **more), noting("last"))
    assert (run.state, run.facts["a"]["error"], noted(session, run, "last")) == (state, "机器坏了。", [0])
    assert noted(session, run, "instead") == ([0] if policy == "branch" else [])
    if policy == "go_on":
        BAD.clear()
        runs.retry(session, run)
        assert (go_on(session, run).state, noted(session, run, "a"), noted(session, run, "last")) == (
            "done",
            [0],
            [0],
        )


def test_a_wait_in_a_list_is_woken_by_the_clock(session: Session, shell: Staff) -> None:
    wait = {"id": "w", "wait": {"when": {"field": "item.n", "op": "gt", "value": 0}}}
    run = begin(session, shell, each(wait, noting("a"), size=1))
    clock.wake_met_waits()
    assert (go_on(session, run).state, noted(session, run, "a")) == ("done", ALL)
