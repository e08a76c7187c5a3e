"""The rows behind a monthly report: what its months, marks, meter books, issues and sources were counted from.

They are kept with the report as one zip of tables, so that an outsider can count the report again from a publication's
package. Customers and values stand in them by id; the package gives them other keys.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import case, select

from models import Assessment, Contact, Issue, Unit
from models.clock import period_days, today
from models.issues import PENDING
from models.scope import ALL, working_as
from services import figures, files, gaps, yields
from services.figures import COHORTS, Figure
from services.packages import put_table, table_rows
from services.report_tables import BY, MONTH, YEAR, Basis

CHUNK = 5000
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Rows:
    """One table: its name, its columns, and what fills it; columns named `customer` and `value` hold ids."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[Basis], Iterator[Row]]


def put(basis: Basis) -> str:
    """Keep the rows of a report that is being gathered; returns the sha256 of their file."""
    with tempfile.TemporaryDirectory(prefix="report-") as folder:
        path = Path(folder) / "rows.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
            for table in TABLES:
                put_table(package, f"{table.name}.csv", table.columns, table.rows(basis))
        return files.put(path)


def read(digest: str, name: str) -> Iterator[dict[str, str]]:
    """The rows of one table of a report."""
    with zipfile.ZipFile(files.location(digest)) as package:
        yield from table_rows(package, f"{name}.csv")


def _months(basis: Basis) -> Iterator[Row]:
    """The unit's figures of its months, and those of the units below in the months that it is compared with."""
    for cohort, points in basis.months.items():
        for point in points:
            about = (point.period, point.run_id, point.published, basis.unit.code, cohort)
            yield from (_figure(about, name, figure) for name, figure in point.figures.items())
    for run in filter(None, map(basis.run_before, (MONTH, YEAR))):
        yield from _below(basis, run)


def _below(basis: Basis, run: Assessment) -> Iterator[Row]:
    """What the units right below had in an earlier run."""
    for cohort in (*COHORTS, "all"):
        for line in figures.lines(basis.session, run, cohort, unit=basis.unit):
            if line.unit_id != basis.unit.id:
                about = (run.period, run.id, "", line.code, cohort)
                yield from (_figure(about, name, figure) for name, figure in line.measures.items())


def _figure(about: Row, name: str, figure: Figure) -> Row:
    bounds = ("" if bound is None else repr(bound) for bound in (figure.low, figure.high, figure.estimate))
    return (*about, name, figure.numerator, figure.denominator, *bounds)


def _marks(basis: Basis) -> Iterator[Row]:
    """The marks that held when the report was made."""
    for (name, cohort), row in sorted(figures.targets(basis.session).items()):
        yield name, cohort, row.floor, row.target, row.stretch


def _lacks(basis: Basis) -> Iterator[Row]:
    """Every missing or unusable item of a meter book, grouped as customers stood when the report was made."""
    with working_as(basis.session, ALL):
        codes = dict(basis.session.execute(select(Unit.id, Unit.code)).tuples().all())
    for lack in gaps.lacks(basis.session, basis.run, basis.unit, by=BY):
        yield lack.customer_id, codes[lack.unit_id], lack.group, lack.kind, lack.what


def _issues(basis: Basis) -> Iterator[Row]:
    """Every issue of the unit: its state, whether it was late or new, and the value that this run found wrong."""
    day, run = today(basis.session), basis.run
    late = case((Issue.due_on < day, 1), else_=0)
    new = case((Issue.opened_run_id == run.id, 1), else_=0)
    found = (Issue.last_run_id == run.id) & Issue.state.in_(PENDING) & (Contact.reasons != "")
    told = [case((found, column), else_=other) for column, other in _TOLD]
    query = select(Issue.rule_code, Issue.state, late, new, Issue.severity, *told)
    query = query.outerjoin(Contact, Contact.id == Issue.contact_id).where(Issue.unit_id.in_(basis.units()))
    yield from map(tuple, basis.session.execute(query.order_by(Issue.id).execution_options(yield_per=CHUNK)))


_TOLD: tuple[tuple[Any, Any], ...] = ((Contact.id, None), (Contact.kind, ""), (Contact.reasons, ""))


def _gained(basis: Basis) -> Iterator[Row]:
    """Every value that the month brought, and in which figures of its source it counts."""
    first, last = period_days(basis.period)
    asked = yields.Asked(first, last, basis.unit.id)
    parts = [case((yields.figure(basis.session, name, asked), 1), else_=0) for name in FOUND]
    query = select(Contact.id, Contact.source, *parts).where(yields.gained(basis.session, asked))
    yield from map(
        tuple, basis.session.execute(query.order_by(Contact.id).execution_options(yield_per=CHUNK))
    )


BOUNDS = ("low", "high", "weighted")
FOUND = ("proved", "refuted", "old", "kept")
TABLES = (
    Rows(
        "months",
        (*("period", "run", "published", "unit", "cohort", "name", "numerator", "denominator"), *BOUNDS),
        _months,
    ),
    Rows("marks", ("measure", "cohort", "floor", "target", "stretch"), _marks),
    Rows("lacks", ("customer", "unit", "book", "kind", "what"), _lacks),
    Rows("issues", ("rule", "state", "late", "new", "severity", "value", "kind", "reasons"), _issues),
    Rows("gained", ("value", "source", *FOUND), _gained),
)
