"""The parts of a monthly report as plain values: tables of finished text, and the list that each figure opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Unit
from paper import figures as written
from paper.figures import NOTHING, Rate
from services import Refused
from services.figures import Figure
from services.trends import Point, earlier, trend

COHORTS = ("new", "existing", "all")
MONTH, YEAR, MONTHS = 1, 12, 36
BY = "meter_book"  # how what is missing is grouped
POINTS = "\n（百分点）"
AUDITED = {"numerator": "right", "denominator": "judged", "rest": "wrong"}
Opens = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Basis:
    """What a report stands on: the unit, the run that counts for it, and its months by cohort up to that run."""

    session: Session
    unit: Unit
    run: Assessment
    months: Mapping[str, Sequence[Point]]

    @property
    def period(self) -> str:
        """The month of the report."""
        return self.run.period

    def figure(self, name: str, cohort: str, *, back: int = 0) -> Figure | None:
        """A measure or rule of the unit some months before; None where it was not counted."""
        period = earlier(self.period, back)
        point = next((one for one in self.months[cohort] if one.period == period), None)
        found = point.figures.get(name) if point else None
        return found if found is not None and found.denominator else None

    def grade(self, name: str, cohort: str) -> int | None:
        """The grade of a rule."""
        return self.months[cohort][-1].grades.get(name)

    def run_before(self, back: int) -> Assessment | None:
        """The run that counts for the unit some months before."""
        period = earlier(self.period, back)
        found = next((one.run_id for one in self.months["all"] if one.period == period), None)
        return self.session.get(Assessment, found) if found else None

    def units(self) -> Any:
        """A select of the ids of the unit and all below it."""
        return select(Unit.id).where(Unit.path.startswith(self.unit.path))


@dataclass(frozen=True)
class Cell:
    """One finished cell, and the list that it opens."""

    text: str
    opens: Opens | None = None


@dataclass
class Sheet:
    """One table while it is made: `columns` are heading, width in mm and alignment."""

    caption: str
    columns: Sequence[tuple[str, float, str]]
    is_personal: bool = False
    rows: list[list[str]] = field(default_factory=list)
    opens: list[tuple[int, int, str, dict[str, Any]]] = field(default_factory=list)

    def add(self, *cells: Cell | str) -> None:
        """Put one row at the end."""
        at = len(self.rows)
        self.rows.append([cell.text if isinstance(cell, Cell) else cell for cell in cells])
        for column, cell in enumerate(cells):
            if isinstance(cell, Cell) and cell.opens is not None:
                self.opens.append((at, column, *cell.opens))

    def plain(self) -> dict[str, Any]:
        """The table as JSON, without columns that are empty in every row."""
        kept = [at for at in range(len(self.columns)) if self._says_something(at)]
        places = {column: at for at, column in enumerate(kept)}
        return {
            "caption": self.caption,
            "columns": [list(self.columns[at]) for at in kept],
            "rows": [[row[at] for at in kept] for row in self.rows],
            "opens": [
                [row, places[at], where, asked] for row, at, where, asked in self.opens if at in places
            ],
            "is_personal": self.is_personal,
        }

    def _says_something(self, column: int) -> bool:
        return not self.rows or any(row[column] != NOTHING for row in self.rows)


def basis(session: Session, unit: Unit, period: str) -> Basis:
    """What the report of a unit's month stands on; refused where no run has counted the month."""
    first = earlier(period, YEAR)
    found = {cohort: trend(session, unit, cohort=cohort, until=period) for cohort in COHORTS}
    months = {cohort: [one for one in points if one.period >= first] for cohort, points in found.items()}
    if not months["all"] or months["all"][-1].period != period:
        raise Refused(
            "%(unit)s 的 %(period)s 还没有质量评价，不能出月报。请先在“质量评价”里评价这个月。",
            unit=unit.name,
            period=period,
        )
    run = session.get_one(Assessment, months["all"][-1].run_id)
    return Basis(session, unit, run, months)


def assessed_months(session: Session) -> list[str]:
    """The months that were assessed, newest first."""
    query = select(Assessment.period).where(Assessment.state.in_(("done", "locked"))).distinct()
    return list(session.scalars(query.order_by(Assessment.period.desc()).limit(MONTHS)))


def rate_of(figure: Figure | None) -> Rate | None:
    """A figure as paper writes it."""
    return Rate(*astuple(figure)) if figure is not None else None


def both(figure: Figure | None) -> str:
    """A rate with its numerator and denominator: 98.40% 1230/1250."""
    rate = rate_of(figure)
    return (
        f"{written.rate(rate)} {written.fraction(rate)}" if rate is not None and rate.denominator else NOTHING
    )


def change(now: Figure | None, before: Figure | None) -> str:
    """By how many percentage points a rate moved: +0.35, −1.20."""
    if now is None or before is None or now.rate is None or before.rate is None:
        return NOTHING
    return written.points(now.rate - before.rate)


def marked(text: str, opens: Opens, figure: Figure | None) -> Cell:
    """A cell that opens its list only where something was counted."""
    return Cell(text, opens if figure is not None and figure.denominator else None)


def list_of(basis: Basis, name: str, cohort: str, part: str, *, unit_id: int = 0) -> Opens:
    """The list behind a part of a figure: the records of the run, or the items of the sample."""
    about = {"unit": unit_id or basis.unit.id, "cohort": cohort}
    if name == "accuracy":
        return "audits", about | {"period": basis.period, "state": AUDITED[part]}
    return "records", about | {"measure": name, "part": part}
