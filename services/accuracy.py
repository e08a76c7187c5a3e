"""Accuracy: what audits found right of what they could check, by unit, person and cohort, weighted, with intervals.

Only `right` and `wrong` are audited; who was not reached, refused or could not be verified stands beside (`unreached`):
the strict rate counts them against. The facts of a run are kept as one file, so that it can be counted again.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models import AuditItem, Sample, SampledCustomer, Unit
from models.scope import ALL, working_as
from quality.intervals import Cluster, Interval, of_unit, weighted, wilson
from services import files
from services.measure_results import Result

AUDITED = ("right", "wrong")
UNKNOWN = 10**9  # clusters of a population that the frame does not count
Key = tuple[str, int, int | None, str]


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


def facts(session: Session, period: str, path: str) -> list[Audit]:
    """The drawn samples of a period that say something about a unit: its own, those above it and those below."""
    query = select(Sample).join(Unit, Unit.id == Sample.unit_id).where(Sample.period == period)
    query = query.where(Sample.state.in_(("drawn", "closed"))).order_by(Unit.path)
    with working_as(session, ALL):
        found = [one for one in session.scalars(query) if _related(one.unit.path, path)]
        units = dict(session.execute(select(Unit.code, Unit.id)).tuples().all())
        return [audit_of(session, sample, units) for sample in found]


def sample_of(session: Session, period: str, unit: Unit) -> Sample | None:
    """The drawn sample that speaks for a unit: the nearest of its own or above, else the first one below it."""
    audits = _speaking(facts(session, period, unit.path), unit.path)
    return session.get(Sample, audits[0].sample_id) if audits else None


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
    return Audit(sample.id, sample.unit.path, sample.method, sample.counted_by, strata, rows)


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


def with_accuracy(
    results: Iterable[Result], audits: Sequence[Audit], units: Sequence[tuple[int, str]]
) -> Iterator[Result]:
    """The results with the figures of accuracy put in; persons who were only audited are added."""
    found = audited(audits, units)
    for one in results:
        if one.measure != "accuracy":
            yield one
            continue
        figure = found.pop((one.level, one.unit_id, one.staff_id, one.cohort), None)
        yield replace(one, **figure) if figure else one
    for (level, unit_id, staff_id, cohort), figure in sorted(found.items(), key=lambda item: str(item[0])):
        yield Result("accuracy", unit_id, staff_id, level, cohort, **figure)


def audited(audits: Sequence[Audit], units: Sequence[tuple[int, str]]) -> dict[Key, dict[str, Any]]:
    """Numerator, denominator and `extra` (low, high, weighted, unreached, open, counted_by) of every figure."""
    paths = dict(units)
    found: dict[Key, dict[str, Any]] = {}
    for unit_id, path in units:
        chosen = _speaking(audits, path)
        for cohort in ("new", "existing", "all"):
            parts = [_part(audit, _inside(paths, path), cohort) for audit in chosen]
            if any(part.rows for part in parts):
                found["unit", unit_id, None, cohort] = _figure(parts)
            own = [_part(audit, {unit_id}, cohort) for audit in chosen]
            for staff_id in sorted({row.staff_id for part in own for row in part.rows if row.staff_id}):
                mine = [replace(p, rows=tuple(r for r in p.rows if r.staff_id == staff_id)) for p in own]
                found["person", unit_id, staff_id, cohort] = _of_person(mine)
    return found


def of_stratum(audit: Audit, name: str) -> dict[str, Any]:
    """The figure of one stratum of one sample."""
    strata = tuple(one for one in audit.strata if one.name == name)
    return _figure([replace(audit, strata=strata, rows=tuple(r for r in audit.rows if r.stratum == name))])


def of_whole(audit: Audit) -> dict[str, Any]:
    """The figure of a whole sample."""
    return _figure([audit])


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


def _speaking(audits: Sequence[Audit], path: str) -> list[Audit]:
    """The samples that speak for a unit: the nearest one of its own or above; else the topmost ones below it."""
    above = [one for one in audits if path.startswith(one.path)]
    if above:
        return [max(above, key=lambda one: len(one.path))]
    below = [one for one in audits if one.path.startswith(path)]
    return [one for one in below if not any(o is not one and one.path.startswith(o.path) for o in below)]


def _inside(paths: Mapping[int, str], path: str) -> set[int]:
    return {unit_id for unit_id, one in paths.items() if one.startswith(path)}


def _part(audit: Audit, units: set[int], cohort: str) -> Audit:
    """What a sample found in some units and one cohort."""

    def fits(one: Stratum | Drawn) -> bool:
        return one.unit_id in units and cohort in ("all", one.cohort)

    return replace(audit, strata=tuple(filter(fits, audit.strata)), rows=tuple(filter(fits, audit.rows)))


def _figure(parts: Sequence[Audit]) -> dict[str, Any]:
    numerator, denominator, extra = _counted(parts)
    if denominator:
        extra |= _interval(parts, numerator, denominator)
    return {"numerator": numerator, "denominator": denominator, "extra": extra}


def _of_person(parts: Sequence[Audit]) -> dict[str, Any]:
    numerator, denominator, extra = _counted(parts)
    if denominator:
        extra |= asdict(wilson(numerator, denominator))
    return {"numerator": numerator, "denominator": denominator, "extra": extra}


def _counted(parts: Sequence[Audit]) -> tuple[int, int, dict[str, Any]]:
    clusters = [cluster for part in parts for cluster in _clusters(part)]
    ways = {part.counted_by for part in parts}
    unreached = sum(row.unreached for part in parts for row in part.rows)
    waiting = sum(row.open for part in parts for row in part.rows)
    extra: dict[str, Any] = {"unreached": unreached, "open": waiting, "counted_by": "/".join(sorted(ways))}
    return sum(one.right for one in clusters), sum(one.audited for one in clusters), extra


def _clusters(part: Audit) -> list[Cluster]:
    """One cluster a drawn customer: items, or the customer as a whole, which is right when nothing in it is wrong."""
    customers: dict[int, list[Drawn]] = defaultdict(list)
    for row in part.rows:
        customers[row.customer_id].append(row)
    found = []
    for rows in customers.values():
        right, wrong = sum(row.right for row in rows), sum(row.wrong for row in rows)
        if part.counted_by == "account":
            right, wrong = int(right > 0 and not wrong), int(wrong > 0)
        found.append(Cluster(rows[0].stratum, rows[0].weight, right, right + wrong))
    return found


def _interval(parts: Sequence[Audit], numerator: int, denominator: int) -> dict[str, float]:
    clusters: list[Cluster] = []
    drawn: dict[str, tuple[int, int]] = {}
    for part in parts:
        found = [*_primary(part), *_unknown(part)]
        clusters += [replace(cluster, stratum=f"{part.sample_id}|{cluster.stratum}") for cluster in found]
        drawn |= {f"{part.sample_id}|{name}": numbers for name, numbers in _numbers(part).items()}
    estimate = weighted(clusters, drawn)
    rate = estimate.rate if estimate else numerator / denominator
    return {"weighted": rate} | asdict(_exact(parts, numerator, denominator) or estimate.interval)  # type: ignore[union-attr]


def _exact(parts: Sequence[Audit], numerator: int, denominator: int) -> Interval | None:
    """The exact interval of one unit by accounts, where all who were drawn stand for equally many."""
    weights = [row.weight for part in parts for row in part.rows]
    by_account = all(part.counted_by == "account" and part.method != "pps" for part in parts)
    if not by_account or max(weights) > 1.1 * min(weights):
        return None
    return of_unit(numerator, denominator, sum(one.population for part in parts for one in part.strata))


def _primary(part: Audit) -> list[Cluster]:
    """What was drawn first: customers, or meter books with all that was found in them."""
    clusters = _clusters(part)
    if part.method != "pps":
        return clusters
    books: dict[str, list[Cluster]] = defaultdict(list)
    for one in clusters:
        books[one.stratum].append(one)
    return [
        Cluster("", rows[0].weight, sum(one.right for one in rows), sum(one.audited for one in rows))
        for rows in books.values()
    ]


def _unknown(part: Audit) -> list[Cluster]:
    """Where values were not reached even a census leaves doubt: one cluster of which nothing is known."""
    gaps = [row for row in part.rows if row.unreached or row.open]
    return [Cluster("" if part.method == "pps" else row.stratum, row.weight, 0, 0) for row in gaps[:1]]


def _numbers(part: Audit) -> dict[str, tuple[int, int]]:
    """How many of each stratum were drawn, and how many there are."""
    if part.method == "pps":
        return {"": (len({row.stratum for row in part.rows}), UNKNOWN)}
    return {one.name: (one.drawn, one.population) for one in part.strata}
