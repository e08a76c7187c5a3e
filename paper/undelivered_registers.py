"""The register of undelivered letters (退信登记表): what came back on one day, why, and what was done."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.masks import mask_address
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single


@dataclass(frozen=True)
class UndeliveredLine:
    """One piece; `version` names the address version that it was sent to, `handling` what followed."""

    letter: str
    copy: int
    address: str
    version: int
    recorded_at: str
    reason: str
    handling: str
    person: str

    @property
    def shown_address(self) -> str:
        """The address without house and room."""
        return mask_address(self.address)


@dataclass(frozen=True)
class UndeliveredRegister:
    """The pieces of one day."""

    unit: str
    day: dt.date
    lines: tuple[UndeliveredLine, ...]


def undelivered_register(facts: UndeliveredRegister, letterhead: Letterhead) -> bytes:
    """A sheet across, with places to sign."""
    title = f"退信登记表 {facts.day:%Y-%m-%d}"
    html = compose("undelivered_register.html", letterhead, title=title, facts=facts)
    expected = Expected(title, 0, [("编号", printable(line.letter)) for line in facts.lines[:1]])
    return single(html, About(title, facts.day), letterhead=letterhead, expected=[expected])
