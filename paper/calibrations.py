"""The calibration page (套打校准页): crosses and rulers in millimetres, to measure how far a printer is off."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single

CROSSES = ((20, 20), (190, 20), (105, 148.5), (20, 277), (190, 277))  # mm from the top left of the sheet


@dataclass(frozen=True)
class Calibration:
    """A printer with the offsets that the page is printed with, in 0.1 mm to the right and down."""

    printer: str
    offset_x: int
    offset_y: int
    day: dt.date


def calibration_page(facts: Calibration, letterhead: Letterhead) -> bytes:
    """One page, shifted by the printer's offsets: where they are right, every cross lies where its numbers say."""
    title = f"套打校准页 {facts.printer}"
    shown = {"x": facts.offset_x / 10, "y": facts.offset_y / 10, "crosses": CROSSES}
    html = compose("calibration_page.html", letterhead, title=title, facts=facts, **shown)
    expected = Expected(title, 0, [("打印机", printable(facts.printer))])
    return single(html, About(title, facts.day), letterhead=letterhead, expected=[expected], pages=1)
