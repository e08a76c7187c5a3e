"""The figures of a kept trial added up: over all nodes as likely as each is, by unit and class, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from workflows.forecasts import FIGURES, NEVER_MADE
from workflows.trial_rows import number as whole

COUNTED_BY_UNIT = ("customers", "letters", "messages", "emails", "visits")
Result = Mapping[str, Any]


def totals(result: Result) -> dict[str, float]:
    """Each figure over all nodes, weighted by how likely the node is reached; in the order of FIGURES."""
    found: Counter[str] = Counter()
    for node in result["nodes"]:
        for name, number in node["figures"].items():
            found[name] += number * node["share"]
    return {name: whole(found[name]) for name in FIGURES if name in found and name != NEVER_MADE}


def exclusions(result: Result, *, of: Collection[str] = FIGURES) -> dict[str, float]:
    """Who would be left out, by reason, largest first; `of`: of which figures only."""
    found: Counter[str] = Counter()
    for node in result["nodes"]:
        for what, reason, _unit, _class, number in node["groups"]:
            if reason and what in of:
                found[reason] += number * node["share"]
    return {reason: whole(number) for reason, number in found.most_common()}


def by_unit(result: Result) -> dict[tuple[int, str], dict[str, float]]:
    """What would be made for the customers of each unit and class."""
    found: dict[tuple[int, str], Counter[str]] = {}
    for node in result["nodes"]:
        for what, exclusion, unit_id, customer_class, number in node["groups"]:
            if not exclusion and what in COUNTED_BY_UNIT and unit_id:
                found.setdefault((unit_id, customer_class), Counter())[what] += number * node["share"]
    return {
        key: {what: whole(number) for what, number in counted.items()} for key, counted in found.items()
    }


def columns(rows: Iterable[Mapping[str, float]]) -> list[str]:
    """Which of the figures by unit were made at all, in their order."""
    made = {what for row in rows for what in row}
    return [what for what in COUNTED_BY_UNIT if what in made]
