"""What audits found, as plain facts: strata, drawn customers and their verdicts, kept with a run as one file.

Only `right` and `wrong` are audited; who was not reached, refused or could not be verified stands beside (`unreached`).
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import AuditItem, Sample, SampledCustomer, Unit
from models.scope import ALL, working_as
from services import files


@dataclass(frozen=True)
class Stratum:
    """One stratum of a sample: whose unit, which cohort, how many were drawn of how many."""

    name: str
    unit_id: int
    cohort: str
    drawn: int
    population: int


@dataclass(frozen=True)
class Drawn:
    """A drawn customer's values recorded by one person: how many right, wrong, unreached, still open."""

    customer_id: int
    unit_id: int
    cohort: str
    stratum: str
    weight: float
    staff_id: int | None
    right: int
    wrong: int
    unreached: int
    open: int


@dataclass(frozen=True)
class Audit:
    """One sample with everything found so far."""

    sample_id: int
    path: str
    method: str
    counted_by: str
    strata: tuple[Stratum, ...]
    rows: tuple[Drawn, ...]
    interval: str = "wilson"


def facts(session: Session, period: str, path: str) -> list[Audit]:
    """The drawn samples of a period that say something about a unit: its own, those above it and those below."""
    query = select(Sample).join(Unit, Unit.id == Sample.unit_id).where(Sample.period == period)
    query = query.where(Sample.state.in_(("drawn", "closed"))).order_by(Unit.path)
    with working_as(session, ALL):
        found = [one for one in session.scalars(query) if _related(one.unit.path, path)]
        units = dict(session.execute(select(Unit.code, Unit.id)).tuples().all())
        return [audit_of(session, sample, units) for sample in found]


def audit_of(session: Session, sample: Sample, units: Mapping[str, int]) -> Audit:
    """Everything found of one sample; one query over its items."""
    rows = tuple(_drawn(session, sample.id))
    number: dict[str, set[int]] = defaultdict(set)
    for customer_id, stratum in session.execute(
        select(SampledCustomer.customer_id, SampledCustomer.stratum).where(
            SampledCustomer.sample_id == sample.id
        )
    ):
        number[stratum].add(customer_id)
    strata = tuple(_stratum(row, units, len(number[row["stratum"]])) for row in sample.strata)
    facts = (sample.id, sample.unit.path, sample.method, sample.counted_by)
    return Audit(*facts, strata, rows, sample.interval)


def put(audits: Sequence[Audit]) -> str:
    """Keep the facts of a run as a file; equal facts give equal bytes. Returns its sha256."""
    text = json.dumps([asdict(one) for one in audits], sort_keys=True, separators=(",", ":"))
    with tempfile.TemporaryDirectory(prefix="accuracy-") as folder:
        path = Path(folder) / "audits.json.gz"
        with open(path, "wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
            packed.write(text.encode())
        return files.put(path)


def read(digest: str | None) -> list[Audit]:
    """The facts that a run was counted from; none where it had none."""
    if not digest:
        return []
    found = json.loads(gzip.decompress(files.location(digest).read_bytes()))
    return [
        Audit(
            **one
            | {
                "strata": tuple(Stratum(**s) for s in one["strata"]),
                "rows": tuple(Drawn(**r) for r in one["rows"]),
            }
        )
        for one in found
    ]


def _related(one: str, other: str) -> bool:
    return one.startswith(other) or other.startswith(one)


def _drawn(session: Session, sample_id: int) -> Iterator[Drawn]:
    def number(*verdicts: str) -> Any:
        return func.sum(case((AuditItem.verdict.in_(verdicts), 1), else_=0))

    drawn = SampledCustomer
    columns = (
        drawn.customer_id,
        drawn.unit_id,
        drawn.cohort,
        drawn.stratum,
        drawn.weight,
        AuditItem.recorder_id,
    )
    unreached = number("not_reached", "refused", "unverifiable")
    query = select(*columns, number("right"), number("wrong"), unreached, number(""))
    query = query.join(AuditItem, AuditItem.sampled_id == drawn.id).where(drawn.sample_id == sample_id)
    query = query.group_by(drawn.id, *columns).order_by(drawn.id, AuditItem.recorder_id)
    for row in session.execute(query).tuples():
        yield Drawn(*row[:6], *(int(count) for count in row[6:]))


def _stratum(row: Mapping[str, Any], units: Mapping[str, int], drawn: int) -> Stratum:
    code, cohort, _customer_class = row["stratum"].rsplit("|", 2)
    return Stratum(row["stratum"], units.get(code, 0), cohort, drawn, row["population"])
