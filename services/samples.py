"""Samples: a frame frozen and a seed promised before the deadline, drawn once after it with the public number."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Select, case, func, select
from sqlalchemy.orm import Session

from models import Customer, Sample, SampledCustomer, Staff, Unit
from models.bulk import insert_rows
from models.clock import ZONE, end_of_day, now, period_days
from models.home import home_path, load_secrets
from models.quality_words import ACCURACY_WAYS, SAMPLE_METHODS
from models.scope import ALL, working_as
from models.words import INTERVAL_METHODS
from quality import sampling
from services import Refused, audit_items, files, traces
from services.drawing import Drawn, Member, drawn_of, read_members
from services.people import in_scope_units, require

CHUNK = 500
RUN = "samples.run"
SEPARATORS = str.maketrans({"|": "_", "\r": "_", "\n": "_"})


@dataclass(frozen=True)
class Wanted:
    """What is committed: the month, how many, by which method; `clusters` is how many meter books PPS draws.

    `public_source` names the public draw whose number will be taken; `counted_by` is how accuracy is counted,
    `interval` how its interval is found.
    """

    period: str
    size: int
    method: str = "stratified"
    clusters: int = 0
    public_source: str = ""
    counted_by: str = "item"
    interval: str = "wilson"


def commit(session: Session, unit: Unit, wanted: Wanted, *, staff: Staff) -> Sample:
    """Freeze the frame and promise the seed, once a period and unit and before its deadline.

    The seed itself stays sealed: no screen, trace or log has it before the draw. A size of all customers or more is a
    census.
    """
    _check(session, unit, wanted, staff)
    first, last = period_days(wanted.period)
    members = frame_of(session, unit, first, last)
    if not members:
        raise Refused("单位「%(unit)s」没有在用的客户，不能抽样。", unit=unit.name)
    seed, size = secrets.token_hex(32), min(wanted.size, len(members))
    sample = Sample(period=wanted.period, unit_id=unit.id, method=wanted.method, size=size)
    sample.counted_by, sample.clusters, sample.interval = wanted.counted_by, wanted.clusters, wanted.interval
    sample.population, sample.strata = len(members), strata_of(members, size)
    sample.frame_sha256, sample.members_sha256 = _keep_frame(session, sample, members)
    sample.seed_sha256 = sampling.commitment(seed)
    sample.sealed_seed = _sealed(sample, seed)
    sample.public_source, sample.deadline = wanted.public_source.strip()[:200], end_of_day(last)
    sample.state, sample.committed_at, sample.committed_by_id = "committed", now(session), staff.id
    sample.fingerprint = traces.fingerprint(session)
    session.add(sample)
    shown = {"period": sample.period, "size": size, "population": sample.population}
    promised = {"seed_sha256": sample.seed_sha256, "frame_sha256": sample.frame_sha256}
    traces.record(session, "sample.committed", sample, details=shown | promised)
    return sample


def draw(session: Session, sample: Sample, public_number: str, *, staff: Staff) -> Sequence[SampledCustomer]:
    """Draw once, after the deadline, with the public number as typed; reveals the seed and makes the audit items."""
    require(staff, RUN)
    sample = session.scalars(select(Sample).where(Sample.id == sample.id).with_for_update()).one()
    _check_reach(session, sample.unit)
    _check_draw(session, sample, public_number)
    seed = _opened(sample)
    drawn = list(drawn_of(sample, _members(sample), sampling.draw_key(seed, public_number)))
    sample.seed, sample.public_number, sample.state = seed, public_number, "drawn"
    sample.drawn_at, sample.drawn_by_id = now(session), staff.id
    with working_as(session, ALL):
        rows = _keep_drawn(session, sample, drawn)
        items = audit_items.make_items(session, sample, rows)
    details = {"period": sample.period, "drawn": len(rows), "items": items, "seed": seed}
    traces.record(session, "sample.drawn", sample, details=details | {"public_number": public_number})
    return rows


def one(session: Session, period: str, unit: Unit) -> Sample:
    """The sample of a period and unit; refused where nobody committed one."""
    found = session.scalar(select(Sample).where(Sample.period == period, Sample.unit_id == unit.id))
    if found is None:
        raise Refused(
            "单位「%(unit)s」%(period)s 还没有抽样承诺。请在截止时点之前先执行 sample commit。",
            unit=unit.name, period=period,
        )  # fmt: skip
    return found


def frame_of(session: Session, unit: Unit, first: date, last: date) -> list[Member]:
    """Every customer of a unit and below that is open now, sorted by account number; new ones opened in the period."""
    columns = (
        Customer.account_no,
        Unit.code,
        _cohort(first, last),
        Customer.customer_class,
        Customer.meter_book,
    )
    query = _open_in(session, select(*columns), unit, last)
    rows = (
        session.connection().execute(query).all()
    )  # past the session, which costs as much again for each row
    found = (
        Member(account, code, cohort, kind, book.translate(SEPARATORS))
        for account, code, cohort, kind, book in rows
    )
    return sorted(found)


def populations(session: Session, unit: Unit, period: str) -> dict[str, int]:
    """How many customers each stratum of a unit would hold if its frame were frozen now; counted, not loaded."""
    first, last = _days(period)
    columns = (Unit.code, _cohort(first, last), Customer.customer_class)
    query = _open_in(session, select(*columns, func.count()), unit, last).group_by(*columns)
    with working_as(session, ALL):
        return {"|".join(row[:3]): row[3] for row in session.execute(query).tuples()}


def _cohort(first: date, last: date) -> Any:
    return case((Customer.opened_on.between(first, last), "new"), else_="existing")


def _open_in(session: Session, query: Select[Any], unit: Unit, last: date) -> Select[Any]:
    inside = select(Unit.id).where(Unit.path.startswith(unit.path))
    query = query.join(Unit, Unit.id == Customer.unit_id).where(Customer.unit_id.in_(inside))
    query = query.where((Customer.closed_on.is_(None)) | (Customer.closed_on > now(session).date()))
    return query.where((Customer.opened_on.is_(None)) | (Customer.opened_on <= last))


def strata_of(members: Sequence[Member], size: int) -> list[dict[str, Any]]:
    """The strata by name with how many they hold, and the places of each in proportion."""
    held = Counter(member.stratum for member in members)
    places = sampling.allocate(held, min(size, len(members)))
    return [{"stratum": name, "population": held[name], "size": places[name]} for name in sorted(held)]


def is_due(session: Session, sample: Sample) -> bool:
    """Whether the deadline is over, so that the public number may be typed in."""
    return now(session) >= sample.deadline


def _check(session: Session, unit: Unit, wanted: Wanted, staff: Staff) -> None:
    require(staff, RUN)
    _check_reach(session, unit)
    known = session.scalar(select(Sample).where(Sample.period == wanted.period, Sample.unit_id == unit.id))
    if known is not None:
        raise Refused(
            "单位「%(unit)s」%(period)s 已由%(person)s于 %(when)s 承诺过抽样，一期一单位只能承诺一次。",
            unit=unit.name, period=wanted.period, person=known.committed_by.name if known.committed_by else "—",
            when=f"{known.committed_at.astimezone(ZONE):%Y-%m-%d %H:%M}",
        )  # fmt: skip
    _check_period(session, wanted.period)
    if wanted.size < 1:
        raise Refused("样本量至少为 1。要全部核查（数据普查），请填不小于客户数的数字。")
    known_ways = wanted.counted_by in ACCURACY_WAYS and wanted.interval in INTERVAL_METHODS
    if wanted.method not in SAMPLE_METHODS or not known_ways:
        raise Refused("没有这种抽样方法、准确率口径或区间算法。请刷新页面后重新选择。")
    if wanted.method == "pps" and not 0 < wanted.clusters <= wanted.size:
        raise Refused("按册不等概率抽样要先定抽几册（1 到样本量之间），每册再抽样本量除以册数的客户。")


def _check_period(session: Session, period: str) -> None:
    first, last = _days(period)
    moment = now(session)
    if moment.date() < first:
        raise Refused("考核期 %(period)s 还没有开始，客户总体还定不下来。", period=period)
    if moment >= end_of_day(last):
        raise Refused(
            "考核期 %(period)s 已经截止。抽样承诺必须在截止之前作出，才没有人能挑样本。", period=period
        )


def _days(period: str) -> tuple[date, date]:
    try:
        return period_days(period)
    except ValueError:
        raise Refused("考核期「%(period)s」无法识别，请写成 2026-11 这样的年月。", period=period) from None


def _check_reach(session: Session, unit: Unit) -> None:
    if session.scalar(select(Unit.id).where(Unit.id == unit.id, in_scope_units(session))) is None:
        raise Refused("单位「%(unit)s」不在您的管辖范围内。", unit=unit.name)


def _check_draw(session: Session, sample: Sample, public_number: str) -> None:
    if sample.state != "committed":
        raise Refused("这个样本已经抽取过，一个承诺只抽一次；结果和种子已经公布。")
    if not is_due(session, sample):
        raise Refused(
            "截止时点 %(when)s 还没有到，公开号码要在截止以后产生，到时再抽取。",
            when=f"{sample.deadline.astimezone(ZONE):%Y-%m-%d %H:%M}",
        )
    if not public_number or public_number != public_number.strip() or len(public_number.splitlines()) > 1:
        raise Refused("请照原样填写公开号码：不能空着，首尾没有空格，只有一行。")
    if len(public_number) > 100:
        raise Refused("公开号码最多 100 个字。")


def _keep_frame(session: Session, sample: Sample, members: Sequence[Member]) -> tuple[str, str]:
    """Freeze the frame as files: as promised, and with unit and meter book for whoever draws again."""
    name = f"sample-{sample.period}-{sample.unit_id}"
    frame = _keep_text(session, f"{name}-frame.txt", (member.frame_line for member in members))
    return frame, _keep_text(session, f"{name}-members.txt", (member.line for member in members))


def _keep_text(session: Session, name: str, lines: Iterator[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="sample-") as folder:
        path = Path(folder) / name
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.writelines(f"{line}\n" for line in lines)
        return files.store(session, path, name, "text/plain; charset=utf-8").sha256


def _members(sample: Sample) -> Iterator[Member]:
    """The frozen frame; refused where a file is gone or is not the one that was promised."""
    for digest in (sample.frame_sha256, sample.members_sha256):
        path = files.location(digest)
        if not path.exists() or files.sha256_of(path) != digest:
            raise Refused(
                "冻结的总体文件缺失或被改动（%(digest)s），不能抽取。请从备份恢复。", digest=digest[:12]
            )
    return read_members(files.location(sample.members_sha256))


def _keep_drawn(session: Session, sample: Sample, drawn: Sequence[Drawn]) -> Sequence[SampledCustomer]:
    units = {row.code: row.id for row in session.execute(select(Unit.code, Unit.id))}
    for place in range(0, len(drawn), CHUNK):
        chunk = drawn[place : place + CHUNK]
        found = _customers(session, [one.member.account for one in chunk])
        rows = [_row(sample, one, found[one.member.account], units) for one in chunk]
        insert_rows(session, SampledCustomer.__table__, rows)
    query = select(SampledCustomer).where(SampledCustomer.sample_id == sample.id)
    return session.scalars(query.order_by(SampledCustomer.id)).all()


def _customers(session: Session, accounts: Sequence[str]) -> dict[str, Any]:
    columns = (Customer.id, Customer.account_no, Customer.unit_id, Customer.manager_id)
    rows = session.execute(select(*columns).where(Customer.account_no.in_(accounts)))
    found = {row.account_no: row for row in rows}
    missing = [account for account in accounts if account not in found]
    if missing:
        raise Refused(
            "总体中的户号 %(account)s 已不在系统里，不能抽取。请从备份恢复客户。", account=missing[0]
        )
    return found


def _row(sample: Sample, one: Drawn, customer: Any, units: dict[str, int]) -> dict[str, Any]:
    return {
        "sample_id": sample.id,
        "customer_id": customer.id,
        "unit_id": units.get(one.member.unit, customer.unit_id),
        "cohort": one.member.cohort,
        "stratum": one.stratum,
        "rank": one.rank,
        "weight": one.weight,
        "manager_id": customer.manager_id,
    }


def _sealed(sample: Sample, seed: str) -> str:
    """A seed covered with a pad that only the home's secret file can make; the same call opens it again."""
    key = bytes.fromhex(load_secrets(home_path())["SAMPLE_KEY"])
    pad = hmac.new(
        key, f"{sample.period}|{sample.unit_id}|{sample.seed_sha256}".encode(), hashlib.sha256
    ).digest()
    return bytes(a ^ b for a, b in zip(bytes.fromhex(seed), pad, strict=True)).hex()


def _opened(sample: Sample) -> str:
    seed = _sealed(sample, sample.sealed_seed)
    if sampling.commitment(seed) != sample.seed_sha256:
        raise Refused("封存的种子与承诺值对不上：密钥文件 secrets.json 换过了。请从备份恢复后再抽取。")
    return seed
