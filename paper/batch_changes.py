"""The sheet on which a batch change is approved (批量变更审批单)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single


@dataclass(frozen=True)
class Tally:
    """One line of a table: what it is, and how many."""

    label: str
    number: int
    note: str = ""


@dataclass(frozen=True)
class Example:
    """One value before and after. The sheet stays in the house and shows them unmasked."""

    account_no: str
    kind: str
    before: str
    after: str


@dataclass(frozen=True)
class Decision:
    """Who proposed, approved or applied, and when; empty where it has not come to that."""

    label: str
    name: str = ""
    on: dt.date | None = None


@dataclass(frozen=True)
class Acceptance:
    """How many of the values are to be checked, and how many wrong ones still let the batch pass (GB/T 2828.1)."""

    size: int
    most_wrong: int
    aql: float


@dataclass(frozen=True)
class BatchChangeSheet:
    """What stands on the sheet."""

    number: str
    kind: str
    title: str
    unit: str
    document: str
    file_name: str
    effective_on: dt.date | None
    printed_on: dt.date
    total: int
    causes: tuple[Tally, ...]
    conflicts: tuple[Tally, ...]
    states: tuple[Tally, ...]
    examples: tuple[Example, ...]
    decisions: tuple[Decision, ...]
    acceptance: Acceptance | None = None
    printed_by: str = ""
    fingerprint: str = ""


def batch_change_sheet(facts: BatchChangeSheet, letterhead: Letterhead) -> bytes:
    """The basis, the counts by cause and conflict, ten examples, the sample check, and who decided."""
    title = f"批量变更审批单 {facts.number}"
    html = compose("batch_change_sheet.html", letterhead, title=title, facts=facts)
    expected = Expected(title, 0, [("编号", printable(facts.number)), ("单位", printable(facts.unit))])
    return single(html, About(title, facts.printed_on), letterhead=letterhead, expected=[expected])
