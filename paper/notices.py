"""The bulletin to all units (考核通报) and the assessment notice to one (考核通知单)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from paper.codes import Stamp, code_text
from paper.figures import Fingerprint, Rate
from paper.letterheads import Letterhead
from paper.lines import fitting_size
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import Box, Job, LaidOut, PaperError, lay_out
from paper.proofs import Expected
from paper.receipts import BOXES, CODE
from paper.single import finished

SIZES = ((12.0, 10.5), (9.5, 8.5, 7.5))  # pt: most notices fit at one of the first two
GRID_END, RECEIPT_UNIT = 170.0, 70.0  # mm


@dataclass(frozen=True)
class UnitResult:
    """One line of the main table; a measure that was not taken is None."""

    unit: str
    completeness: Rate
    timeliness: Rate | None = None
    validity: Rate | None = None
    accuracy: Rate | None = None
    target: float | None = None
    score: float | None = None
    rank: int | None = None
    tied: bool = False
    last_rank: int | None = None


@dataclass(frozen=True)
class PersonResult:
    name: str
    unit: str
    rate: Rate
    remark: str = ""


@dataclass(frozen=True)
class Total:
    """The whole bureau's figures of one cohort; change is against the month before, as a share."""

    cohort: str
    result: UnitResult
    change: float | None = None


@dataclass(frozen=True)
class Annex:
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Bulletin:
    """Figures and sentences of a bulletin; a section without content says so or is left out."""

    number: str
    title: str
    period: str
    cutoff: dt.date
    issued_on: dt.date
    basis: str
    addressees: tuple[str, ...]
    totals: tuple[Total, ...]
    new: tuple[UnitResult, ...] = ()
    existing: tuple[UnitResult, ...] = ()
    best_persons: tuple[PersonResult, ...] = ()
    persons_below: tuple[PersonResult, ...] = ()
    overall: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    rectification: tuple[str, ...] = ()
    opinions: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    annexes: tuple[Annex, ...] = ()
    objection_days: int = 3
    fingerprint: Fingerprint | None = None
    draft: bool = False
    copy: int = 1


@dataclass(frozen=True)
class Signature:
    """Who drafted, reviewed or approved, and when; the line to sign stays free."""

    name: str = ""
    on: dt.date | None = None


@dataclass(frozen=True)
class MeasureResult:
    measure: str
    definition: str
    rate: Rate
    floor: float | None = None
    target: float | None = None
    clause: str = ""
    points: float | None = None


@dataclass(frozen=True)
class AssessmentNotice:
    """A notice to one unit or person. Examples come masked."""

    number: str
    token: str
    unit: str
    period: str
    cutoff: dt.date
    run: str
    issued_on: dt.date
    measures: tuple[MeasureResult, ...]
    person: str = ""
    position: str = ""
    findings: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    opinion: str = ""
    points: float | None = None
    amount: Decimal | None = None
    grade: str = ""
    requirement: str = ""
    rectify_by: dt.date | None = None
    appeal_to: str = ""
    appeal_by: dt.date | None = None
    drafted: Signature = Signature()
    reviewed: Signature = Signature()
    approved: Signature = Signature()
    fingerprint: Fingerprint | None = None
    draft: bool = False
    copy: int = 1


def assessment_notice(facts: AssessmentNotice, letterhead: Letterhead) -> bytes:
    """The notice on one page, with the receipt to be signed below the cut line at 210 mm."""
    title = f"客户联系信息质量考核通知单 {facts.number}"
    laid_out, page = _fitted(facts, letterhead, title=title)
    texts = [("编号", printable(facts.number)), ("被考核单位", printable(facts.unit))]
    texts += [("指标", printable(line.measure)) for line in facts.measures]
    expected = Expected(title, 0, texts, [_stamp(facts, laid_out.anchors[page])])
    return finished(laid_out, About(title, facts.issued_on), pages=1, expected=[expected], only=page)


def _fitted(facts: AssessmentNotice, letterhead: Letterhead, *, title: str) -> tuple[LaidOut, int]:
    """Lay the notice out at several sizes at once; the largest whose grid ends above the seal is taken."""
    unit_size = fitting_size(facts.unit, RECEIPT_UNIT, largest=11, smallest=5, face="fangsong")
    signatures = list(
        zip(letterhead.signature_titles, (facts.drafted, facts.reviewed, facts.approved), strict=True)
    )
    for sizes in SIZES:
        html = compose(
            "assessment_notice.html",
            letterhead,
            title=title,
            facts=facts,
            sizes=sizes,
            ids=True,
            unit_size=unit_size,
            signatures=signatures,
            receipt={**CODE, "boxes": BOXES},
        )
        laid_out = lay_out(Job(html, title, folder=letterhead.font_folder))
        for page, anchors in enumerate(laid_out.anchors):
            sizes_here = {name.split("|")[-1] for name in anchors if name.startswith(("grid|", "end|"))}
            ends = [box[3] for name, box in anchors.items() if name.startswith("end|")]
            if len(sizes_here) == 1 and ends and ends[0] <= GRID_END:  # else it runs into the next page
                return laid_out, page
    raise PaperError(f"{title}：内容过长，一页排不下。请缩短事实依据、考核意见或整改要求，明细另附清单。")


def _stamp(facts: AssessmentNotice, anchors: dict[str, Box]) -> Stamp:
    text = code_text("N", facts.token, page=1, place="4")
    box = next(box for name, box in anchors.items() if name.startswith("code|4"))
    return Stamp(text, box[0], box[1], box[2] - box[0])
