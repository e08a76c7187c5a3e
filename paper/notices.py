"""The bulletin to all units (考核通报) and the assessment notice to one (考核通知单)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from paper.figures import Fingerprint, Rate


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
