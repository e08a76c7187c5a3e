"""Steps of tests with real processes: each leaves a mark and pauses wherever a death would hurt.

In `do`, in the write transaction, in a condition, before and after something leaves the house. A ledger row or line
written twice is found by the tests.
"""

from __future__ import annotations

import errno
import faulthandler
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting, SignInAttempt
from models.clock import utcnow
from workflows import STEPS, channels
from workflows.channels import Driver
from workflows.facts import FACTS
from workflows.lists import LISTS
from workflows.steps import Call, Effects, Fact, Facts, ListKind, Options, Planned, Send, StepKind

TREE: list[dict[str, Any]] = [
    {"id": "chunks", "step": "tally"},
    {
        "id": "branch",
        "branch": {"field": "slow_number", "op": "gt", "value": 0},
        "yes": [{"id": "inside", "step": "tally"}],
        "no": [{"id": "never", "step": "tally"}],
    },
    {"id": "wait", "wait": {"when": {"field": "may_go_on", "op": "eq", "value": 1}}},
    {
        "id": "person",
        "person": {
            "title": "办理",
            "permission": "notices.review",
            "unit": "slow_unit",
            "choices": [{"code": "yes", "label": "同意"}],
        },
    },
    {"id": "channel", "step": "post_it"},
    {"id": "last", "step": "tally"},
]
ITEMS = 12
LEDGER = "ledger"


class Place:
    """Where the processes of a test meet: a folder for marks, for how long a pause is, and for what went out."""

    folder: Path

    @classmethod
    def linger(cls, seconds: float) -> None:
        """From now on every process pauses this long at each mark."""
        draft = cls.folder / "pause.new"
        draft.write_text(str(seconds))
        draft.replace(cls.folder / "pause")

    @classmethod
    def mark(cls, name: str) -> None:
        """Say that something is being done, and take a while over it."""
        (cls.folder / f"{name}.{time.monotonic_ns()}").touch()
        time.sleep(float((cls.folder / "pause").read_text()))

    @classmethod
    def marks(cls, name: str) -> int:
        return len(list(cls.folder.glob(f"{name}.*")))


def write_ledger(session: Session, names: Sequence[str]) -> dict[str, int]:
    """One row a name, in a table that would take the same name twice."""
    session.add_all(SignInAttempt(account_key=name, address_key=LEDGER, at=utcnow()) for name in names)
    session.flush()
    Place.mark("in-transaction")
    return {"noted": len(names)}


def plan_tally(session: Session, options: Options, facts: Facts) -> Planned:
    node = next(node for node in ("last", "inside", "chunks") if node in facts)
    names = (f"{facts['run']['id']}-{node}-{number}" for number in range(ITEMS))
    return Planned([{"name": name} for name in names])


def tally(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    Place.mark("in-do")
    return Effects([Call(write_ledger, {"names": [item["name"] for item in items]})])


def numbers(session: Session, facts: Facts, of: str | None) -> Iterator[dict[str, int]]:
    yield from ({"n": number} for number in range(1, 41))


def plan_enter(session: Session, options: Options, facts: Facts) -> Planned:
    node = next((node for node in ("high", "low") if node in facts), "first")
    run = facts["run"]["id"]
    return Planned(
        [{"name": f"{run}-{node}-{one['n']}", "item": one["item"]} for one in facts["each"]["items"]]
    )


def enter(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    return tally(options, facts, items)


def plan_post_it(session: Session, options: Options, facts: Facts) -> Planned:
    return Planned([{"to": f"{facts['run']['id']}-{number}"} for number in range(3)])


def post_it(options: Options, facts: Facts, items: Sequence[Any]) -> Effects:
    return Effects(sends=[Send("gate", f"gate-{item['to']}", {"to": item["to"]}) for item in items])


def send_through_gate(payload: Mapping[str, Any]) -> str:
    """Something that cannot be asked afterwards whether it went out: a line in a file."""
    Place.mark("before-sending")
    with open(Place.folder / "gate.log", "a", encoding="utf-8") as file:
        file.write(f"{payload['to']}\n")
    Place.mark("after-sending")
    return "ok"


class Trouble(Options):
    """What a step does to its process the first time."""

    how: str


def plan_trouble(session: Session, options: Trouble, facts: Facts) -> Planned:
    return Planned([{"name": f"{facts['run']['id']}-{options.how}-{number}"} for number in range(2)])


def trouble(options: Trouble, facts: Facts, items: Sequence[Any]) -> Effects:
    """The first item goes well; the second one ruins the process once."""
    struck = Place.folder / f"struck-{facts['run']['id']}"
    if items[0]["name"].endswith("-1") and not struck.exists():
        struck.touch()
        RUIN[options.how]()
    return Effects([Call(write_ledger, {"names": [item["name"] for item in items]})])


def sleep_for_ever() -> None:
    """As a library may that swallows whatever is raised in it."""
    while True:
        with suppress(BaseException):
            time.sleep(1000)


def fill_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def segfault() -> None:
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


RUIN: dict[str, Callable[[], Any]] = {
    "segfault": segfault,
    "sleep": sleep_for_ever,
    "eat": lambda: bytearray(64 * 2**30),
    "fill": fill_disk,
}


def slow_number(session: Session, facts: Facts) -> int:
    Place.mark("in-branch")
    return 1


def may_go_on(session: Session, facts: Facts) -> int:
    Place.mark("in-wait")
    return int(session.scalar(select(Setting.value).where(Setting.key == "go")) or 0)


def slow_unit(session: Session, facts: Facts) -> int:
    Place.mark("in-person")
    return int(facts["run"]["unit_id"])


def register() -> None:
    """Put the test's steps, facts and driver into the tables of this process."""
    STEPS["tally"] = StepKind("记账", plan_tally, tally, chunk=5)
    STEPS["enter"] = StepKind("逐项记账", plan_enter, enter, chunk=3, over=("number",))
    LISTS["numbers"] = ListKind("数", "number", numbers, {"n": "数"})
    STEPS["trouble"] = StepKind("惹祸", plan_trouble, trouble, Trouble, chunk=1)
    STEPS["post_it"] = StepKind("发出", plan_post_it, post_it, chunk=1, queue="now")
    FACTS["slow_number"] = Fact("慢慢数", slow_number)
    FACTS["may_go_on"] = Fact("可以走", may_go_on)
    FACTS["slow_unit"] = Fact("慢慢找单位", slow_unit)
    channels.DRIVERS["gate"] = Driver("试验通道", send_through_gate, repeatable=False)


def unregister() -> None:
    """Take them out again."""
    for table, names in (
        (STEPS, ("tally", "post_it", "trouble", "enter")),
        (FACTS, ("slow_number", "may_go_on", "slow_unit")),
    ):
        for name in names:
            table.pop(name, None)  # type: ignore[attr-defined]
    LISTS.pop("numbers", None)
    channels.DRIVERS.pop("gate", None)
