"""How likely a trial comes to where it looks: conditions that are sure or not, and what one arm can see of another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from services.conditions import Condition, fields, holds

SURE = 0.9995
Chances = Mapping[str, float]


def certain(condition: Condition, find: Callable[[str], Any]) -> bool | None:
    """Whether a condition is true for sure, false for sure, or neither: it asks for what nobody knows yet."""
    if "not" in condition:
        inner = certain(condition["not"], find)
        return None if inner is None else not inner
    for joint, decisive in (("all", False), ("any", True)):
        if joint in condition:
            parts = [certain(part, find) for part in condition[joint]]
            return decisive if decisive in parts else None if None in parts else not decisive
    if any(find(name) is None for name in fields(condition)):
        return None
    return holds(condition, find)


def chance(condition: Condition, chances: Mapping[str, Chances]) -> float | None:
    """How likely a comparison with a person's choice is true; None for any other condition."""
    node_id, _dot, part = str(condition.get("field", "")).partition(".")
    if part != "choice" or node_id not in chances or condition["op"] not in ("eq", "ne", "in"):
        return None
    wanted = condition["value"] if condition["op"] == "in" else [condition["value"]]
    share = sum(share for code, share in chances[node_id].items() if code in wanted)
    return 1.0 - share if condition["op"] == "ne" else share


def is_sure(share: float) -> bool:
    return share >= SURE or share <= 1 - SURE


def narrowed(
    condition: Condition, arm: str, chances: Mapping[str, Chances]
) -> tuple[str, dict[str, float]] | None:
    """What a person may have chosen inside an arm, with how likely; None where the condition asks for other things."""
    person, _dot, part = str(condition.get("field", "")).partition(".")
    if part != "choice" or chance(condition, chances) is None:
        return None
    left = {
        code: share
        for code, share in chances[person].items()
        if holds(condition, lambda _name, code=code: code) == (arm == "yes")  # type: ignore[misc]
    }
    whole = sum(left.values())
    return (person, {code: share / whole for code, share in left.items()}) if whole else None


def choice_facts(chances: Mapping[str, float]) -> dict[str, Any]:
    sure = [code for code, share in chances.items() if share >= SURE]
    return {"choice": sure[0]} if sure else {}


def share_seen(shares: Mapping[str, float], made_at: str, seen_at: str) -> float:
    """How likely what was made at one path is there for a node at another: 0 from an arm beside its own."""
    made, seen = _arms_on(made_at), _arms_on(seen_at)
    if any(arm not in seen and _is_beside(arm, seen) for arm in made):
        return 0.0
    share = 1.0
    for arm in made:
        share *= shares.get(arm, 1.0) if arm not in seen else 1.0
    return share


def _arms_on(path: str) -> list[str]:
    """The arms that a path goes down: `3.yes` and `3.yes.2.no` for `3.yes.2.no.1`."""
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(2, len(parts), 2)]


def _is_beside(arm: str, others: list[str]) -> bool:
    return any(arm.rpartition(".")[0] == other.rpartition(".")[0] for other in others)
