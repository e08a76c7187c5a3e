"""Papers for the post office: posting list (交寄清单), and labels of trays and bundles (盘签、把签)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single

A_PAGE = 8  # labels of 100 x 60 mm: two by four on a sheet of A4


@dataclass(frozen=True)
class PostingLine:
    """Pieces of one weight and price to one beginning of postcodes (empty: none is known); money in yuan."""

    prefix: str
    local: bool
    pieces: int
    grams: float
    price: float
    trays: str = ""

    @property
    def weight(self) -> float:
        """All pieces together, in grams."""
        return self.pieces * self.grams

    @property
    def postage(self) -> float:
        """All pieces together, in yuan."""
        return self.pieces * self.price


@dataclass(frozen=True)
class PostedRun:
    """One print run of a posting: how many of its letters go, in how many trays."""

    number: str
    campaign: str
    serials: str
    pieces: int
    trays: int


@dataclass(frozen=True)
class PostingList:
    """What one unit hands to the post on one day."""

    unit: str
    day: dt.date
    kind: str
    source: str
    runs: tuple[PostedRun, ...]
    lines: tuple[PostingLine, ...]

    @property
    def pieces(self) -> int:
        """All pieces of the list."""
        return sum(line.pieces for line in self.lines)

    @property
    def weight(self) -> float:
        """The weight of all pieces in grams."""
        return sum(line.weight for line in self.lines)

    @property
    def postage(self) -> float:
        """What all pieces cost, in yuan."""
        return sum(line.postage for line in self.lines)


@dataclass(frozen=True)
class TrayLabel:
    """The label of a tray, or of a bundle in it (`bundle` n of m); its code says the same to a scanner."""

    prefix: str
    number: str
    tray: int
    trays: int
    pieces: int
    serials: str
    bundle: int = 0
    bundles: int = 0

    @property
    def text(self) -> str:
        """What the code says."""
        return f"{self.number}/{self.tray}" + (f"/{self.bundle}" if self.bundle else "")


@dataclass(frozen=True)
class TrayLabels:
    """All labels of one print run."""

    number: str
    unit: str
    day: dt.date
    labels: tuple[TrayLabel, ...]


def posting_list(facts: PostingList, letterhead: Letterhead) -> bytes:
    """Pieces, weight and postage per postcode prefix, with places for whoever hands over and whoever takes."""
    title = f"交寄清单 {facts.unit} {facts.day:%Y-%m-%d}"
    html = compose("posting_list.html", letterhead, title=title, facts=facts)
    expected = Expected(title, 0, [("批次", printable(run.number)) for run in facts.runs[:1]])
    return single(html, About(title, facts.day), letterhead=letterhead, expected=[expected])


def tray_labels(facts: TrayLabels, letterhead: Letterhead) -> bytes:
    """Labels to be cut out, eight on a sheet."""
    title = f"盘签和把签 {facts.number}"
    pages = [facts.labels[start : start + A_PAGE] for start in range(0, len(facts.labels), A_PAGE)]
    html = compose("tray_labels.html", letterhead, title=title, facts=facts, pages=pages)
    expected = [Expected(title, at, [("编号", page[0].serials)]) for at, page in enumerate(pages)]
    about = About(title, facts.day)
    return single(html, about, letterhead=letterhead, expected=expected, pages=len(pages))
