"""Accuracy: what audits found right of what they could check, by unit, person and cohort, weighted, with intervals.

Whoever was not reached is left out of the rate and stands beside it; the strict rate counts them against.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from models import Sample, Unit
from quality.intervals import METHODS, Cluster, Interval, of_unit, weighted
from services.audit_facts import Audit, Drawn, Stratum, facts
from services.measure_results import Result

UNKNOWN = 10**9  # clusters of a population that the frame does not count
Key = tuple[str, int, int | None, str]


def sample_of(session: Session, period: str, unit: Unit) -> Sample | None:
    """The drawn sample that speaks for a unit: the nearest of its own or above, else the first one below it."""
    audits = _speaking(facts(session, period, unit.path), unit.path)
    return session.get(Sample, audits[0].sample_id) if audits else None


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
    """Numerator, denominator and `extra` of each figure: low, high, interval, weighted, unreached, open, counted_by."""
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
        extra |= _told(METHODS[_chosen(parts)](numerator, denominator))
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


def _interval(parts: Sequence[Audit], numerator: int, denominator: int) -> dict[str, Any]:
    """The estimate and the interval that belongs to it."""
    exact = _exact(parts, numerator, denominator)
    if exact is not None:
        return {"weighted": numerator / denominator} | _told(exact)
    clusters: list[Cluster] = []
    drawn: dict[str, tuple[int, int]] = {}
    for part in parts:
        found = [*_primary(part), *_unknown(part)]
        clusters += [replace(cluster, stratum=f"{part.sample_id}|{cluster.stratum}") for cluster in found]
        drawn |= {f"{part.sample_id}|{name}": numbers for name, numbers in _numbers(part).items()}
    estimate = weighted(clusters, drawn, method=_chosen(parts))
    if estimate is None:
        return {}
    return {"weighted": estimate.rate} | _told(estimate.interval)


def _chosen(parts: Sequence[Audit]) -> str:
    """The kind of interval that was promised with the sample; of several samples the wider one."""
    return "exact" if any(part.interval == "exact" for part in parts) else "wilson"


def _told(interval: Interval) -> dict[str, Any]:
    return {"low": interval.low, "high": interval.high, "interval": interval.method}


def _exact(parts: Sequence[Audit], numerator: int, denominator: int) -> Interval | None:
    """The exact interval of one unit by accounts, where all who were drawn stand for equally many."""
    weights = [row.weight for part in parts for row in part.rows]
    by_account = all(part.counted_by == "account" and part.method != "pps" for part in parts)
    if not by_account or max(weights) > 1.1 * min(weights):
        return None
    population = sum(one.population for part in parts for one in part.strata)
    return of_unit(numerator, denominator, population, method=_chosen(parts))


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
