"""The step that starts another workflow: in the name of the run's owner, one level deeper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from models.words import N_
from services import Refused, workflows
from workflows.fact_texts import filled
from workflows.steps import Effects, Facts, Item, Options, Planned, Start, asked


class StartWorkflow(Options):
    """Which workflow, and with what."""

    workflow: str = asked(N_("流程"), min_length=1, max_length=60, choices="workflows")
    values: tuple[str, ...] = asked(
        N_("发起时填写的内容"),
        (),
        help=N_("每项写成 节点.选项=值，几项用逗号隔开；值里可以写前面节点的结果。"),
    )


def plan_start_workflow(session: Session, options: StartWorkflow, facts: Facts) -> Planned:
    """The workflow with its values, as its start form would take them; inside an each once for every item."""
    workflows.startable(session, options.workflow)
    values = dict(_pair(text) for text in options.values)
    if "each" not in facts:
        return Planned([_start(options.workflow, values, facts)])
    own = ({**facts, "item": item} for item in facts["each"]["items"])
    return Planned(_start(options.workflow, values, one) | {"item": one["item"]["item"]} for one in own)


def start_workflow(options: StartWorkflow, facts: Facts, items: Sequence[Item]) -> Effects:
    """Start it in the transaction that finishes the item, so that it starts once."""
    return Effects(starts=[Start(**item) for item in items])


def _start(workflow: str, values: dict[str, str], facts: Facts) -> dict[str, Any]:
    return {"workflow": workflow, "values": {name: filled(value, facts) for name, value in values.items()}}


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or "." not in name:
        raise Refused("「%(text)s」要写成 节点.选项=值。", text=text[:60])
    return name.strip(), value.strip()
