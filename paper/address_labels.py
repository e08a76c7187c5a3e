"""Address labels (地址标签) for plain envelopes: 70 x 37 mm, three by eight on a sheet of A4."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead, local_address
from paper.letters import NO_NAME
from paper.lines import address_block
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected
from paper.single import single

COLUMNS, ROWS = 3, 8
WIDTH, HEIGHT, TOP = 70.0, 37.0, 0.5  # mm
TEXT_LEFT, TEXT_TOP, TEXT_WIDTH, PITCH = 5.0, 5.0, 46.0, 4.4  # mm
CODE_LEFT, CODE_TOP = 53.0, 11.0  # mm


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
        Expected(title, at, [("收件人", printable(one.lines[-1])) for one in page]) for at, page in enumerate(pages)
    ]
    about = About(title, facts.day)
    return single(html, about, letterhead=letterhead, expected=expected, pages=len(pages))


def _pages(facts: Labels, letterhead: Letterhead) -> list[list[SetLabel]]:
    found = [(label, _lines(label, letterhead)) for label in facts.labels]
    if unfit := [label.serial for label, lines in found if lines is None]:
        raise PaperError(f"函件{'、'.join(unfit[:5])}的地址太长，标签上放不下。请先把地址改短，或改用窗口信封。")
    pages: list[list[SetLabel]] = []
    for at, (label, lines) in enumerate(found, start=facts.skip):
        page, place = divmod(at, COLUMNS * ROWS)
        while len(pages) <= page:
            pages.append([])
        row, column = divmod(place, COLUMNS)
        text, size = lines or ((), 0.0)
        pages[page].append(SetLabel(label, column * WIDTH, TOP + row * HEIGHT, text, size))
    return pages


def _lines(label: Label, letterhead: Letterhead) -> tuple[tuple[str, ...], float] | None:
    folder = letterhead.font_folder
    texts = (local_address(label.address, letterhead), label.addressee.strip() or NO_NAME, label.postcode)
    address, addressee, postcode = (printable(text, folder=folder) for text in texts)
    block = address_block(address, addressee, postcode, folder=folder, width=TEXT_WIDTH)
    if block is None:
        return None
    return tuple(line for line in (block.postcode, *block.address, *block.addressee) if line), block.size
