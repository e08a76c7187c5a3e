"""`sample commit` and `sample draw`: promise a sample before the deadline, draw it once after it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, Sample, SampledCustomer, Staff, Unit
from models.people import unit_by_code_or_name
from models.quality_words import SAMPLE_METHODS
from models.words import INTERVAL_METHODS
from screens.commands import CreateApp, acts_as, working
from services import Refused, samples, traces

HELP = "抽样核查：截止前承诺（commit），截止后用公开号码抽取（draw）"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, then the period and the unit of both."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="commit|draw")
    commit = deeds.add_parser("commit", help="冻结总体，公布种子的承诺值")
    draw = deeds.add_parser("draw", help="填入公开号码，抽取并公布种子")
    for one in (commit, draw):
        one.add_argument("period", metavar="PERIOD", help="考核期，例如 2026-11")
        one.add_argument("--unit", metavar="CODE", required=True, help="单位编码或名称")
        one.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="只打印一个 JSON 对象"
        )
        acts_as(one)
    commit.add_argument("--size", metavar="N", type=int, required=True, help="样本量(户)；不小于客户数即普查")
    commit.add_argument("--method", choices=list(SAMPLE_METHODS), default="stratified", help="抽样方法")
    commit.add_argument("--books", metavar="M", type=int, default=0, help="pps 方法先抽几册抄表册")
    commit.add_argument("--public-source", metavar="TEXT", default="", help="将采用哪一个公开号码(事先写明)")
    commit.add_argument("--by", choices=["item", "account"], default="item", help="准确率按项或按户")
    commit.add_argument("--interval", choices=list(INTERVAL_METHODS), default="wilson", help="区间算法")
    draw.add_argument("--public", metavar="N", required=True, help="截止后产生的公开号码，照原样填写")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Commit or draw."""
    with working(create_app, args) as session:
        staff = session.get_one(Staff, traces.actor_id(session))
        unit = _unit(session, args.unit)
        if args.deed == "draw":
            sample = samples.one(session, args.period, unit)
            return _drawn(session, sample, samples.draw(session, sample, args.public, staff=staff))
        wanted = samples.Wanted(
            args.period,
            args.size,
            args.method,
            clusters=args.books,
            public_source=args.public_source,
            counted_by=args.by,
            interval=args.interval,
        )
        return _committed(samples.commit(session, unit, wanted, staff=staff))


def summary(result: Mapping[str, Any]) -> str:
    """What to publish now."""
    if "drawn" not in result:
        names = ("period", "unit", "population", "size", "seed_sha256", "frame_sha256", "deadline")
        return "\n".join(["抽样已承诺，请在截止前公布：", *(f"{name}: {result[name]}" for name in names)])
    lines = [f"{one['stratum']}\t{one['rank']}\t{one['account']}" for one in result["drawn"]]
    return "\n".join([f"已抽取 {len(lines)} 户，种子 {result['seed']}：", *lines])


def _committed(sample: Sample) -> dict[str, Any]:
    """What is promised: hashes, size, method and strata; never the seed."""
    names = (
        "period",
        "population",
        "size",
        "method",
        "interval",
        "seed_sha256",
        "frame_sha256",
        "members_sha256",
        "deadline",
    )
    facts = {name: getattr(sample, name) for name in names}
    return facts | {"unit": sample.unit.code, "strata": sample.strata}


def _drawn(session: Session, sample: Sample, rows: Any) -> dict[str, Any]:
    query = select(SampledCustomer.id, Customer.account_no).join(
        Customer, Customer.id == SampledCustomer.customer_id
    )
    accounts = dict(session.execute(query.where(SampledCustomer.sample_id == sample.id)).tuples().all())
    drawn = [{"account": accounts[row.id], "stratum": row.stratum, "rank": row.rank} for row in rows]
    promised = {"seed_sha256": sample.seed_sha256, "frame_sha256": sample.frame_sha256, "size": sample.size}
    return {"seed": sample.seed, "public": sample.public_number, **promised, "drawn": drawn}


def _unit(session: Session, text: str) -> Unit:
    found = unit_by_code_or_name(session, text)
    if found is None:
        raise Refused(
            "没有编码或名称为「%(text)s」的单位。请用 units import 导入单位，或核对 --unit。", text=text
        )
    return found
