"""Address labels (地址标签) for plain envelopes: 70 x 37 mm, three by eight on a sheet of A4."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.letters import window_block
from paper.lines import AddressBlock
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected
from paper.single import single

COLUMNS, ROWS = 3, 8
WIDTH, HEIGHT, TOP = 70.0, 37.0, 0.5  # mm
TEXT_WIDTH, PITCH = 46.0, 4.4  # mm


@dataclass(frozen=True)
class Label:
    """Where one letter goes: the same lines and the same code as in the window."""

    serial: str
    token: str
    address: str
    addressee: str
    postcode: str = ""


@dataclass(frozen=True)
class Labels:
    """The labels of one print run in the order of its letters; `skip` places of the first sheet are used already."""

    number: str
    day: dt.date
    labels: tuple[Label, ...]
    skip: int = 0


@dataclass(frozen=True)
class SetLabel:
    """A label ready to be set: its place, and its lines at one size."""

    facts: Label
    left: float
    top: float
    lines: tuple[str, ...]
    size: float


def address_labels(facts: Labels, letterhead: Letterhead) -> bytes:
    """As many sheets as the labels need; refused, with their numbers, where an address fits no label."""
    title = f"地址标签 {facts.number}"
    pages = _pages(facts, letterhead)
    html = compose("address_labels.html", letterhead, title=title, pages=pages, pitch=PITCH)
    expected = [
        Expected(title, at, [("收件人", printable(one.lines[-1])) for one in page])
        for at, page in enumerate(pages)
    ]
    about = About(title, facts.day)
    return single(html, about, letterhead=letterhead, expected=expected, pages=len(pages))


def _pages(facts: Labels, letterhead: Letterhead) -> list[list[SetLabel]]:
    found = [(label, _block(label, letterhead)) for label in facts.labels]
    if unfit := [label.serial for label, block in found if block is None]:
        raise PaperError(
            f"函件{'、'.join(unfit[:5])}的地址太长，标签上放不下。请先把地址改短，或改用窗口信封。"
        )
    pages: list[list[SetLabel]] = []
    fitting = ((label, block) for label, block in found if block is not None)
    for at, (label, block) in enumerate(fitting, start=facts.skip):
        page, place = divmod(at, COLUMNS * ROWS)
        while len(pages) <= page:
            pages.append([])
        row, column = divmod(place, COLUMNS)
        left, top = column * WIDTH, TOP + row * HEIGHT
        pages[page].append(SetLabel(label, left, top, block.lines, block.size))
    return pages


def _block(label: Label, letterhead: Letterhead) -> AddressBlock | None:
    return window_block(
        label.address, label.addressee, label.postcode, letterhead=letterhead, width=TEXT_WIDTH
    )
