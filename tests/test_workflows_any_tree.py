"""Any tree, with errors and deaths anywhere, bells repeated and out of order, and a clock that jumps, ends as it does
undisturbed: each effect once, each sending at most once, and once unless somebody had to say what became of it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask, current_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update
from sqlalchemy.orm import Session

from models import Outgoing, Run, SignInAttempt, Staff, Step, StepItem, Task
from models.clock import utcnow
from services import Refused
from services.workflows import Definition, publish
from workflows import STEPS, channels, clock, definitions, engine, runs
from workflows.channels import Driver
from workflows.lists import LISTS
from workflows.steps import Call, Effects, Facts, Item, ListKind, Options, Planned, Send, StepKind
from workflows.tasks import decide_task

pytestmark = pytest.mark.slow
ENDED = ("done", "partly_failed")


class Killed(BaseException):
    """What a death looks like from inside: nothing below is told and nothing is written."""


class Trouble:
    """Errors and deaths by chance, at most so many of them, wherever the engine is at work."""

    chance = random.Random(0)
    left = 0
    at_work = False
    healed = False  # what failed by itself does so no more

    @classmethod
    def strike(cls, *_at: object) -> None:
        if cls.at_work and cls.left and cls.chance.random() < 0.12:
            cls.left -= 1
            raise Killed if cls.chance.random() < 0.6 else ConnectionError("trouble")


class Some(Options):
    """Which node it is, how many items it has by itself, and what fails."""

    name: str = ""
    items: int = 0
    bad: int = -1
    refuse: bool = False


def write(session: Session, names: Sequence[str]) -> dict[str, int]:
    Trouble.strike()
    session.add_all(SignInAttempt(account_key=name, address_key="ledger", at=utcnow()) for name in names)
    session.flush()
    return {"noted": len(names)}


def plan_some(session: Session, options: Some, facts: Facts) -> Planned:
    def items() -> Iterator[dict[str, Any]]:
        for one in facts["each"]["items"] if "each" in facts else [{"n": n} for n in range(options.items)]:
            Trouble.strike()
            yield {**one, "name": f"{facts['run']['id']}/{options.name}/{one['n']}"}

    return Planned(items())


def some(options: Some, facts: Facts, items: Sequence[Item]) -> Effects:
    Trouble.strike()
    if options.refuse and not Trouble.healed:
        raise Refused("不做。")
    results = [{"error": "坏"} if item["n"] == options.bad and not Trouble.healed else {} for item in items]
    good = [item["name"] for item, result in zip(items, results, strict=True) if not result]
    return Effects([Call(write, {"names": good})], results=results)


def post(options: Some, facts: Facts, items: Sequence[Item]) -> Effects:
    return Effects(sends=[Send("gate", item["name"], {"to": item["name"]}) for item in items])


class Gate:
    """What went out; a death may come before or after, and nobody can ask it which."""

    out: Counter[str] = Counter()

    @classmethod
    def send(cls, payload: Mapping[str, Any]) -> str:
        Trouble.strike()
        cls.out[payload["to"]] += 1
        Trouble.strike()
        return "ok"


def numbers(session: Session, facts: Facts, of: str | None) -> Iterator[Item]:
    outer = facts["each"]["items"] if "each" in facts else [{"n": 0}]
    for one in outer:
        for number in range(5):
            Trouble.strike()
            yield {"n": 10 * one["n"] + number, "odd": number % 2}


POLICY = st.sampled_from(["stop", "go_on", "branch"])
STEP = st.builds(
    lambda key, items, bad, refuse, policy: {
        "step": key,
        "options": {"items": items, "bad": bad, "refuse": refuse and key == "some"},
        **({"on_failure": policy} if policy != "stop" else {}),
        **({"failed": [{"step": "some", "options": {"items": 1}}]} if policy == "branch" else {}),
    },
    st.sampled_from(["some", "some", "post"]),
    st.integers(0, 5),
    st.integers(-1, 4),
    st.booleans(),
    POLICY,
)
WAIT = st.just({"wait": {"when": {"field": "run.id", "op": "gt", "value": 0}}})
CHOICES = [{"code": "yes", "label": "是"}, {"code": "no", "label": "否"}]
PERSON = st.just({"person": {"title": "办", "permission": "notices.review", "choices": CHOICES}})
LEAF = st.one_of(STEP, STEP, STEP, WAIT, PERSON)


def deeper(inner: Any) -> Any:
    """A branch, a list or lanes around nodes."""
    nodes = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.builds(
            lambda op, yes, no: {"branch": {"field": "run.id", "op": op, "value": 0}, "yes": yes, "no": no},
            st.sampled_from(["gt", "lt"]),
            nodes,
            nodes,
        ),
        st.builds(
            lambda size, do: {"each": {"list": "numbers", "size": size}, "do": do},
            st.sampled_from([1, 2, 4]),
            nodes,
        ),
        st.builds(lambda one, two: {"parallel": {}, "lanes": [{"nodes": one}, {"nodes": two}]}, nodes, nodes),
    )


TREES = st.lists(deeper(deeper(st.one_of(LEAF, deeper(LEAF)))) | deeper(LEAF) | LEAF, min_size=1, max_size=2)


def named(
    nodes: Sequence[dict[str, Any]], prefix: str = "n", *, listed: bool = False
) -> list[dict[str, Any]]:
    """The same nodes with ids, made legal: no lanes in lists, items told apart in them, nothing that stops the run."""
    made: list[dict[str, Any]] = []
    for place, node in enumerate(nodes):
        name = f"{prefix}_{place}"
        if "parallel" in node and listed:
            made += named([one for lane in node["lanes"] for one in lane["nodes"]], name, listed=True)
            continue
        here = {**node, "id": name}
        if "step" in node:
            refuse = node["options"].get("refuse", False) and (listed or "on_failure" in node)
            here["options"] = {**node["options"], "name": name, "refuse": refuse}
        if "branch" in node and listed:
            here["branch"] = {"field": "item.odd", "op": "eq", "value": 1}
        for arm in ("yes", "no", "do", "failed"):
            if arm in node:
                here[arm] = named(node[arm], f"{name}_{arm}", listed=listed or arm == "do")
        if "lanes" in node:
            here["lanes"] = [
                {"nodes": named(lane["nodes"], f"{name}_{n}")} for n, lane in enumerate(node["lanes"])
            ]
        made.append(here)
    return made


def start(session: Session, shell: Staff, tree: list[dict[str, Any]]) -> int:
    publish(session, Definition("any", "任意", "", "workflows.start", tree, ""), shell)
    run_id = runs.start(session, "any", {}, shell).id
    session.commit()
    return run_id


def help_on(session: Session, shell: Staff, run_id: int, chance: random.Random) -> None:
    """Decide what waits for a person; what the dead held is free again, as late or as early as the clock jumps."""
    for task in session.scalars(
        select(Task).where(Task.run_id == run_id, Task.step_id.is_not(None), Task.state == "open")
    ):
        decide_task(session, task, shell, "yes")
    for outgoing in session.scalars(select(Outgoing).where(Outgoing.state == "unknown")):
        runs.settle_sending(session, outgoing, went_out=bool(Gate.out[outgoing.key]))
    jump = chance.choice((timedelta(seconds=-1), timedelta(days=-1), timedelta(days=1)))
    session.execute(update(Step).where(Step.state == "leased").values(lease_until=utcnow() + jump))
    session.commit()


def go(session: Session, shell: Staff, run_id: int, chance: random.Random) -> None:
    """Ring for the run's steps in any order, some more than once, until the run has ended."""
    for _round in range(600):
        open_ = select(Step.id).where(Step.run_id == run_id)
        ids = [*session.scalars(open_.where(Step.state != "done")), *session.scalars(open_.limit(2))]
        session.rollback()
        for step_id in chance.choices(ids, k=len(ids) + 2):
            Trouble.at_work = True
            current_app.config["WORKFLOW_TIMES"]["carry"] = chance.choice((0.0, 1.0))
            try:
                engine.run_step(step_id)
            except (Killed, ConnectionError):
                continue
            finally:
                Trouble.at_work = False
        help_on(session, shell, run_id, chance)
        if session.scalars(select(Run.ended_at).where(Run.id == run_id)).one() is not None:
            return
    raise AssertionError("the run does not end")


def complete(session: Session, shell: Staff, run_id: int, chance: random.Random) -> None:
    """Try again what failed of a run: once is enough."""
    run = session.get_one(Run, run_id, populate_existing=True)
    if run.state != "done":
        runs.retry(session, run)
        session.commit()
        go(session, shell, run_id, chance)
        session.expire_all()


def ending(session: Session, run_id: int) -> Any:
    """How a run ended, without its own numbers."""
    run = session.get_one(Run, run_id)
    steps = session.execute(
        select(Step.path, Step.turn, Step.state, Step.items_done).where(Step.run_id == run_id)
    ).all()
    items = session.execute(
        select(Step.path, Step.turn, StepItem.position, StepItem.item, StepItem.state)
        .join(Step, Step.id == StepItem.step_id)
        .where(Step.run_id == run_id)
    ).all()
    ledger = session.scalars(
        select(SignInAttempt.account_key).where(SignInAttempt.account_key.startswith(f"{run_id}/"))
    )
    effects = [*ledger.all(), *(key for key in Gate.out.elements() if key.startswith(f"{run_id}/"))]
    assert len(effects) == len(set(effects))
    facts = {
        node: {name: value for name, value in result.items() if name in ("noted", "failed", "items", "done")}
        for node, result in run.facts.items()
        if node != "run"
    }
    made = sorted(key.partition("/")[2] for key in effects)
    return run.state, sorted(map(str, steps)), sorted(map(str, items)), made, facts


@pytest.fixture
def parts(core: Flask) -> Iterator[None]:
    """The test's steps, list and driver, and a death before or after any commit of the engine."""
    core.config["WORKFLOW_TIMES"] = {"attempts": 1000, "backoff": 0}
    STEPS["some"] = StepKind("一些", plan_some, some, Some, chunk=2, over=("number",))
    STEPS["post"] = StepKind("寄出", plan_some, post, Some, chunk=1, over=("number",))
    LISTS["numbers"] = ListKind("数", "number", numbers, {"n": "数", "odd": "单"})
    channels.DRIVERS["gate"] = Driver("试验通道", Gate.send, repeatable=False)
    for moment in ("before_commit", "after_commit"):
        event.listen(Session, moment, Trouble.strike)
    yield
    for moment in ("before_commit", "after_commit"):
        event.remove(Session, moment, Trouble.strike)
    STEPS.pop("some"), STEPS.pop("post"), LISTS.pop("numbers"), channels.DRIVERS.pop("gate")
    core.config.pop("WORKFLOW_TIMES")


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(nodes=TREES, seed=st.integers(0, 2**32))
def test_a_disturbed_run_ends_like_an_undisturbed_one(
    parts: None, session: Session, shell: Staff, nodes: list[dict[str, Any]], seed: int
) -> None:
    tree = named(nodes)
    assert not list(definitions.faults(tree))
    Trouble.chance, Trouble.left, Trouble.healed = random.Random(seed), 0, False
    calm = start(session, shell, tree)
    go(session, shell, calm, random.Random(1))
    Trouble.left = 25
    rough = start(session, shell, tree)
    go(session, shell, rough, Trouble.chance)
    assert ending(session, rough) == ending(session, calm)
    assert ending(session, calm)[0] in ENDED
    Trouble.healed, Trouble.left = True, 25
    for run_id in (calm, rough):
        complete(session, shell, run_id, Trouble.chance)
    assert ending(session, rough) == ending(session, calm)
    assert ending(session, calm)[0] == "done"
    session.rollback()
    assert clock.sweep() == 0
