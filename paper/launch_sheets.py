"""The launch sheet (启动预估单): what a workflow would do if started now, to be checked and approved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single


@dataclass(frozen=True)
class Count:
    """What, and how many as it is written; `code` names it for lists."""

    label: str
    number: str
    code: str = ""


@dataclass(frozen=True)
class LaunchNode:
    """One node: what it would make and leave out, from when until when; `share` where it is not sure to be reached."""

    path: str
    number: str
    title: str
    text: str
    when: str
    share: str = ""
    made: tuple[Count, ...] = ()
    excluded: tuple[Count, ...] = ()
    arms: tuple[Count, ...] = ()
    notes: tuple[str, ...] = ()
    problem: str = ""
    is_off: bool = False


@dataclass(frozen=True)
class Assumed:
    """What is assumed of the future: its value as a whole percentage or a number, and where that comes from."""

    name: str
    label: str
    value: str
    source: str


@dataclass(frozen=True)
class UnitLine:
    """What would be made for the customers of one class in one unit, in the order of the columns."""

    unit: str
    customer_class: str
    numbers: tuple[str, ...]


@dataclass(frozen=True)
class LaunchSheet:
    """What stands on the sheet; every figure is written as it is shown."""

    number: str
    title: str
    workflow: str
    version: str
    unit: str
    owner: str
    made_on: dt.date
    ends_on: dt.date
    subjects: tuple[Count, ...]
    totals: tuple[Count, ...]
    exclusions: tuple[Count, ...]
    nodes: tuple[LaunchNode, ...]
    columns: tuple[str, ...]
    units: tuple[UnitLine, ...]
    assumptions: tuple[Assumed, ...]
    calendar: tuple[Count, ...]
    risks: tuple[str, ...]
    notes: tuple[str, ...]
    printed_on: dt.date
    drafted_by: str = ""


def launch_sheet(facts: LaunchSheet, letterhead: Letterhead) -> bytes:
    """Totals, exclusions, every node, units and classes, assumptions, calendar, risks, and three places to sign."""
    title = f"启动预估单 {facts.number}"
    html = compose("launch_sheet.html", letterhead, title=title, facts=facts)
    expected = Expected(title, 0, [("编号", printable(facts.number)), ("名称", printable(facts.title))])
    return single(html, About(title, facts.printed_on), letterhead=letterhead, expected=[expected])
