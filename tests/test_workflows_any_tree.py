"""Any tree, with errors and deaths anywhere and bells repeated and out of order, ends as it does undisturbed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import Run, SignInAttempt, Staff, Step, StepItem, Task
from models.clock import utcnow
from services.workflows import Definition, publish
from workflows import STEPS, clock, engine, runs
from workflows.steps import Call, Effects, Facts, Options, Planned, StepKind
from workflows.tasks import decide_task

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """What a death looks like from inside: nothing below is told and nothing is written."""


class Trouble:
    """Errors and deaths by chance, at most so many of them."""

    chance = random.Random(0)
    left = 0

    @classmethod
    def strike(cls) -> None:
        if cls.left and cls.chance.random() < 0.35:
            cls.left -= 1
            raise Killed if cls.chance.random() < 0.5 else ConnectionError("trouble")


class Some(Options):
    """How many items the test step has."""

    items: int = 0


def write(session: Session, names: Sequence[str]) -> dict[str, int]:
    Trouble.strike()
    session.add_all(SignInAttempt(account_key=name, address_key="ledger", at=utcnow()) for name in names)
    session.flush()
    Trouble.strike()
    return {"noted": len(names)}


def plan_some(session: Session, options: Some, facts: Facts) -> Planned:
    def items() -> Iterator[dict[str, Any]]:
        for number in range(options.items):
            Trouble.strike()
            yield {"name": f"{facts['run']['id']}/{len(facts)}/{number}"}

    return Planned(items())


def some(options: Some, facts: Facts, items: Sequence[Any]) -> Effects:
    Trouble.strike()
    return Effects(
        [Call(write, {"names": [item["name"] for item in items]})], results=[{"ok": 1}] * len(items)
    )


STEP = st.builds(lambda items: {"step": "some", "options": {"items": items}}, st.integers(0, 5))
WAIT = st.just({"wait": {"when": {"field": "run.id", "op": "gt", "value": 0}}})
CHOICES = [{"code": "yes", "label": "是"}, {"code": "no", "label": "否"}]
PERSON = st.just({"person": {"title": "办", "permission": "notices.review", "choices": CHOICES}})
LEAF = st.one_of(STEP, WAIT, PERSON)
NODES = st.recursive(
    LEAF,
    lambda inner: st.builds(
        lambda op, yes, no: {"branch": {"field": "run.id", "op": op, "value": 0}, "yes": yes, "no": no},
        st.sampled_from(["gt", "lt"]),
        st.lists(inner, max_size=2),
        st.lists(inner, max_size=2),
    ),
    max_leaves=6,
)
TREES = st.lists(NODES, min_size=1, max_size=4)


def named(nodes: Sequence[dict[str, Any]], prefix: str = "n") -> list[dict[str, Any]]:
    """The same nodes with ids."""
    return [
        {**node, "id": f"{prefix}_{place}"}
        | {arm: named(node[arm], f"{prefix}_{place}_{arm}") for arm in ("yes", "no") if arm in node}
        for place, node in enumerate(nodes)
    ]


def start(session: Session, shell: Staff, tree: list[dict[str, Any]]) -> int:
    publish(session, Definition("any", "任意", "", "workflows.start", tree, ""), shell)
    run_id = runs.start(session, "any", {}, shell).id
    session.commit()
    return run_id


def help_on(session: Session, shell: Staff, run_id: int) -> None:
    """Decide what waits for a person; what was held by the dead is free again."""
    for task in session.scalars(select(Task).where(Task.run_id == run_id, Task.state == "open")):
        decide_task(session, task, shell, "yes" if task.id % 2 else "no")
    session.execute(
        update(Step).where(Step.state == "leased").values(lease_until=utcnow() - timedelta(seconds=1))
    )
    session.commit()


def go(session: Session, shell: Staff, run_id: int, chance: random.Random) -> None:
    """Ring for the run's steps in any order, some more than once, until the run has ended."""
    for _round in range(400):
        ids = list(session.scalars(select(Step.id).where(Step.run_id == run_id)))
        session.rollback()
        for step_id in chance.choices(ids, k=len(ids) + 2):
            try:
                engine.run_step(step_id)
            except Killed:
                continue
        help_on(session, shell, run_id)
        if session.scalars(select(Run.ended_at).where(Run.id == run_id)).one() is not None:
            return
    raise AssertionError("the run does not end")


def ending(session: Session, run_id: int) -> Any:
    """How a run ended, without its own numbers."""
    run = session.get_one(Run, run_id)
    steps = session.execute(select(Step.path, Step.state, Step.items_done).where(Step.run_id == run_id)).all()
    items = session.execute(
        select(Step.path, StepItem.position, StepItem.state).join(Step).where(Step.run_id == run_id)
    ).all()
    ledger = session.scalars(
        select(SignInAttempt.account_key).where(SignInAttempt.account_key.startswith(f"{run_id}/"))
    )
    facts = {node: result.get("noted") for node, result in run.facts.items() if node != "run"}
    return (
        run.state,
        sorted(steps),
        sorted(items),
        sorted(key.partition("/")[2] for key in ledger.all()),
        facts,
    )


@settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(nodes=TREES, seed=st.integers(0, 2**32))
def test_a_disturbed_run_ends_like_an_undisturbed_one(
    core: Flask, session: Session, shell: Staff, nodes: list[dict[str, Any]], seed: int
) -> None:
    core.config["WORKFLOW_TIMES"] = {"attempts": 1000, "backoff": 0}
    STEPS["some"] = StepKind("一些", plan_some, some, Some, chunk=2)
    try:
        tree = named(nodes)
        Trouble.chance, Trouble.left = random.Random(seed), 0
        calm = start(session, shell, tree)
        go(session, shell, calm, random.Random(1))
        Trouble.left = 12
        rough = start(session, shell, tree)
        go(session, shell, rough, Trouble.chance)
        assert ending(session, rough) == ending(session, calm)
        session.rollback()
        assert clock.sweep() == 0
    finally:
        STEPS.pop("some")
        core.config.pop("WORKFLOW_TIMES")
