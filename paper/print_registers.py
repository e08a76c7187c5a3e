"""The print register (打印台账): what was printed, spoiled, printed again and posted, run by run."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single


@dataclass(frozen=True)
class RegisterLine:
    """One print run; moments as they are written, empty where it did not happen."""

    run: str
    kind: str
    form: str
    serials: str
    letters: int
    spoiled: int
    reprinted: int
    printer: str
    operator: str
    printed_at: str
    posted_at: str
    state: str
    note: str = ""


@dataclass(frozen=True)
class PrintRegister:
    """The runs of one campaign."""

    campaign: str
    code: str
    unit: str
    day: dt.date
    lines: tuple[RegisterLine, ...]

    def total(self, name: str) -> int:
        """The sum of a column."""
        return sum(getattr(line, name) for line in self.lines)


def print_register(facts: PrintRegister, letterhead: Letterhead) -> bytes:
    """A sheet across, with a column for whoever checks, and places to sign."""
    title = f"打印台账 {facts.code}"
    html = compose("print_register.html", letterhead, title=title, facts=facts)
    expected = Expected(title, 0, [("活动", printable(facts.code))])
    return single(html, About(title, facts.day), letterhead=letterhead, expected=[expected])
