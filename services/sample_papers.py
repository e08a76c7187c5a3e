"""What the sheets and pages of a sample say: plain values gathered in a transaction, laid out outside of it."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import AuditItem, ContactKind, Customer, Sample, SampledCustomer, Staff, Trace, Unit
from models.clock import ZONE, today
from models.quality_words import ACCURACY_WAYS, AUDIT_VERDICTS, SAMPLE_METHODS
from models.scope import ALL, working_as
from models.words import COHORTS, CUSTOMER_CLASSES, INTERVALS
from paper import audits as worksheets
from paper import samples as announcements
from paper.figures import Rate, month
from quality.area_codes import split_national
from services import accuracy, audit_facts, audits, traces


@dataclass(frozen=True)
class StratumResult:
    """One stratum (or all, with `name` empty): its customers, its items by verdict, and its figure of accuracy."""

    name: str
    population: int
    drawn: int
    verdicts: Counter[str]
    figure: dict[str, Any]

    @property
    def items(self) -> int:
        """All values to be checked."""
        return sum(self.verdicts.values())

    @property
    def rate(self) -> Rate:
        """Found right of audited, with its interval."""
        extra = self.figure["extra"]
        bounds = (extra.get("low"), extra.get("high"), extra.get("weighted"), extra.get("interval", ""))
        return Rate(self.figure["numerator"], self.figure["denominator"], *bounds)


def results(session: Session, sample: Sample) -> list[StratumResult]:
    """The whole sample first, then its strata; meter books have no strata of their own."""
    with working_as(session, ALL):
        units = dict(session.execute(select(Unit.code, Unit.id)).tuples().all())
        audit = audit_facts.audit_of(session, sample, units)
        verdicts = _verdicts(session, sample)
        drawn = _drawn(session, sample)
    whole = StratumResult("", sample.population, sum(drawn.values()), sum(verdicts.values(), Counter()), {})
    found = [_with(whole, accuracy.of_whole(audit))]
    if sample.method == "pps":
        return found
    for row in sample.strata:
        name = row["stratum"]
        one = StratumResult(name, row["population"], drawn[name], verdicts.get(name, Counter()), {})
        found.append(_with(one, accuracy.of_stratum(audit, name)))
    return found


def strata_text(session: Session, sample: Sample) -> str:
    """The strata as CSV: what the script of the manual reads beside the members."""
    rows = [(row["stratum"], row["population"], row["size"]) for row in sample.strata]
    return _csv([("stratum", "population", "size"), *rows])


def drawn_text(session: Session, sample: Sample) -> str:
    """The drawn customers as CSV: account, stratum, rank, weight."""
    columns = (Customer.account_no, SampledCustomer.stratum, SampledCustomer.rank, SampledCustomer.weight)
    query = select(*columns).join(Customer, Customer.id == SampledCustomer.customer_id)
    query = query.where(SampledCustomer.sample_id == sample.id).order_by(SampledCustomer.id)
    with working_as(session, ALL):
        rows = session.execute(query).tuples().all()
    return _csv([("account", "stratum", "rank", "weight"), *((*row[:3], f"{row[3]:.6f}") for row in rows)])


def announcement(session: Session, sample: Sample) -> announcements.Announcement:
    """Everything that may be put up, before the draw and after it."""
    names = dict(session.execute(select(Unit.code, Unit.name)).tuples().all())
    is_shared = sample.method == "stratified"
    strata = tuple(_announced(row, names, is_shared=is_shared) for row in sample.strata)
    return announcements.Announcement(
        unit=sample.unit.name, unit_code=sample.unit.code, period=sample.period, population=sample.population,
        size=sample.size, method=SAMPLE_METHODS[sample.method], counted_by=ACCURACY_WAYS[sample.counted_by],
        interval=INTERVALS[sample.interval],
        strata=strata, seed_sha256=sample.seed_sha256, frame_sha256=sample.frame_sha256,
        deadline=sample.deadline.astimezone(ZONE), committed_by=_name(sample.committed_by),
        committed_at=sample.committed_at.astimezone(ZONE), public_source=sample.public_source,
        fingerprint=sample.fingerprint, seed=sample.seed, public_number=sample.public_number,
        drawn_by=_name(sample.drawn_by), drawn_at=sample.drawn_at.astimezone(ZONE) if sample.drawn_at else None,
    )  # fmt: skip


def worksheet(session: Session, sample: Sample, auditor: Staff | None) -> worksheets.Worksheet:
    """The sheet of one auditor, or of the whole sample; its print is traced and numbered as a further copy."""
    items = [
        one for one in audits.items_of(session, sample) if auditor is None or one.auditor_id == auditor.id
    ]
    kinds = dict(session.execute(select(ContactKind.code, ContactKind.label)).tuples().all())
    names = dict(session.execute(select(Unit.code, Unit.name)).tuples().all())
    rows = tuple(_item(one, kinds, names) for one in items)
    copy = 1 + _copies(session, sample)
    details = {"items": len(rows), "auditor": auditor.id if auditor else None, "copy": copy}
    traces.record(session, "audit.printed", sample, details=details)
    return worksheets.Worksheet(
        f"{sample.period}-{sample.unit.code}", sample.unit.name, month(sample.period), _name(auditor), today(session),
        rows, tuple(_line(one, names) for one in results(session, sample)), copy, traces.fingerprint(session),
    )  # fmt: skip


def stratum_words(name: str, names: dict[str, str]) -> str:
    """A stratum in words: unit, cohort and class; a meter book as unit and book."""
    parts = name.rsplit("|", 2)
    if len(parts) < 3 or parts[1] not in COHORTS:
        code, _bar, book = name.partition("|")
        return f"{names.get(code, code)} {book}".strip()
    code, cohort, customer_class = parts
    return f"{names.get(code, code)} {COHORTS[cohort]} {CUSTOMER_CLASSES.get(customer_class, customer_class)}"


def _with(one: StratumResult, figure: dict[str, Any]) -> StratumResult:
    return StratumResult(one.name, one.population, one.drawn, one.verdicts, figure)


def _verdicts(session: Session, sample: Sample) -> dict[str, Counter[str]]:
    columns = (SampledCustomer.stratum, AuditItem.verdict)
    query = select(*columns, func.count()).join(AuditItem.sampled).group_by(*columns)
    found: dict[str, Counter[str]] = {}
    for stratum, verdict, number in session.execute(query.where(SampledCustomer.sample_id == sample.id)):
        found.setdefault(stratum, Counter())[verdict] = number
    return found


def _drawn(session: Session, sample: Sample) -> Counter[str]:
    query = select(SampledCustomer.stratum, func.count()).group_by(SampledCustomer.stratum)
    rows = session.execute(query.where(SampledCustomer.sample_id == sample.id)).tuples().all()
    return Counter(dict(rows))


def _announced(row: dict[str, Any], names: dict[str, str], *, is_shared: bool) -> announcements.Stratum:
    code, cohort, customer_class = row["stratum"].rsplit("|", 2)
    word = CUSTOMER_CLASSES.get(customer_class, customer_class)
    size = row["size"] if is_shared else None
    return announcements.Stratum(names.get(code, code), COHORTS[cohort], word, row["population"], size)


def _item(item: AuditItem, kinds: dict[str, str], names: dict[str, str]) -> worksheets.Item:
    stratum = item.sampled.stratum if item.sampled else ""
    customer = item.customer
    words = stratum_words(stratum, names)
    value = _dialled(item.kind, item.value)
    return worksheets.Item(words, customer.account_no, customer.name, kinds.get(item.kind, item.kind), value)


def _dialled(kind: str, value: str) -> str:
    """A Chinese number as it is dialled here; other values as they stand."""
    national = value.removeprefix("+86")
    if kind not in ("mobile", "landline") or national == value:
        return value
    area, local = split_national(national) if kind == "landline" else ("", national)
    return f"{area}-{local}" if area else national


def _line(one: StratumResult, names: dict[str, str]) -> worksheets.Line:
    counts = {verdict: one.verdicts[verdict] for verdict in AUDIT_VERDICTS}
    name = stratum_words(one.name, names) if one.name else "合计"
    return worksheets.Line(name=name, drawn=one.drawn, items=one.items, rate=one.rate, **counts)


def _copies(session: Session, sample: Sample) -> int:
    query = (
        select(func.count()).select_from(Trace).where(Trace.object == "samples", Trace.object_id == sample.id)
    )
    with working_as(session, ALL):
        return session.scalar(query.where(Trace.action == "audit.printed")) or 0


def _name(staff: Staff | None) -> str:
    return staff.name if staff else ""


def _csv(rows: Sequence[Sequence[object]]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return "\ufeff" + text.getvalue()
