"""The package of a publication: from its files an outsider re-derives every published figure without this program."""

from __future__ import annotations

import csv
import hashlib
import heapq
import hmac
import zipfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Assessment, Customer, Publication, Staff, Unit
from models.home import home_path, load_secrets
from models.scope import ALL, working_as
from quality.measures import Bit, Member
from quality.rules import RuleMember
from services import Refused, audit_facts, files, publication_reports, traces
from services.assessments import rules_in
from services.audit_facts import Audit
from services.members import read_members, read_rule_members
from services.packages import put_file, put_table, put_text
from services.people import require
from services.publication_reports import pseudonym

WHOSE = ("key", "kind", "unit", "person", "cohort", "class")
BITS = ("required", "recorded", "good", "valid", "due", "in_time", "undated")
AUDITED = (
    "key",
    "sample",
    "unit",
    "person",
    "cohort",
    "stratum",
    "weight",
    "right",
    "wrong",
    "unreached",
    "open",
)
STRATA = (
    "sample",
    "method",
    "counted_by",
    "interval",
    "stratum",
    "unit",
    "cohort",
    "drawn",
    "population",
    "sample_unit",
)
CHUNK = 1000
Names = tuple[dict[int, str], dict[int, str]]
README = """发布 {number} 的数据包。怎样从这里重算每一个数字：

results.json     发布的结果（规范 JSON，sha256 = {sha256}）。measures 是指标，results 是规则；单位的数含下级单位。
units.csv        单位：code 编码，name 名称，parent 上级编码。一个单位的数 = 它和所有下级单位的行之和。
members.csv      指标明细，每行一个应录项：key 客户代号（只在本次发布内有效，不能还原户号），kind 种类，unit 单位，
                 person 责任人登录名，cohort 新装 new / 存量 existing，class 客户类别；其余各列 1 或 0。
                 完整率 = recorded / required；有效率 = good / recorded；
                 及时率 = in_time / due；results.json 的 timeliness 为 recorded 时，
                 分子、分母都只数 recorded 为 1 的行。
rule_members.csv 规则明细，每行一条记录；rule:<代码> 各列：1 符合，0 不符合，x 免考核（不计入），空 不适用。
                 越高越好（larger）：比率 = 1 的行数 / (1 和 0 的行数)；
                 越低越好（smaller）：比率 = 0 的行数 / (1 和 0 的行数)。
                 等级：达到挑战值 5，目标值 4，基本值 3；不低于 max(2×基本值-挑战值, 基本值/2) 为 2；更差 1。
                 越低越好的，比率和三个值都先换成 1 减去它。
targets          在 results.json 里，各指标的基本值 floor、目标值 target、挑战值 stretch。
                 得分 = 各指标得分的平均（两位小数）：达到目标值 100；基本值到目标值之间从 50 到 100、
                 基本值以下从 0 到 50，按直线计；没有目标值或分母为 0 的指标不计。
audits.csv       准确率的核查结果，每行一户由一人录入的各项：right 准确，wrong 不准确，unreached 未核到，open 待核查。
                 准确率 = right / (right + wrong)；strata.csv 的 counted_by 为 account 时按户，一户全对才算准确。
                 公布的 rate 是加权估计 weighted（low、high 是它的区间），numerator / denominator 是准确项和核查项。
strata.csv       抽样层：drawn 抽中户数，population 层内户数，sample_unit 样本属于哪个单位，interval 区间算法。
                 一个单位的准确率用本单位的样本，没有就用最近的上级的，再没有就用下级的。
                 区间和加权估计的算法：使用手册“发布结果”的程序。
reports.csv      这次评价已经生成的月报：folder 文件夹，unit 单位，digest 月报上“校验”的全文。words.csv 是月报上的用词。
                 各文件夹里是月报的明细：months.csv 本单位各月和下级单位上月、上年同月的指标；marks.csv 当时的基本值、
                 目标值、挑战值；lacks.csv 每行一个归到抄表册的缺失（missing）或不可用（unusable）的应录项；
                 issues.csv 每行一条问题，late 逾期，new 本次新增，value 值的代号；gained.csv 每行一个本月带来的新值，
                 proved 核实为对，refuted 核实有误，old 满 90 天，kept 其中仍在用。
                 重算月报的程序：使用手册“发布结果”的第二段。
cohort 为 all 的数 = new 与 existing 之和；person 不空的数只数 unit 为该单位本身的行。
"""


def write_package(session: Session, publication: Publication, path: Path) -> None:
    """Write the public package of a publication: figures, and members under keys that lead to no account."""
    run = publication.assessment
    key = _key(publication)
    traces.record(
        session, "assessment.exported", run, details={"number": publication.number, "accounts": False}
    )
    with working_as(session, ALL), zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        put_text(package, "README.txt", README.format(number=publication.number, sha256=publication.sha256))
        put_file(package, "results.json", files.location(publication.sha256))
        names = _names(session)
        put_table(package, "units.csv", ("code", "name", "parent"), _units(session, run))
        members = read_members(_file(run.members_sha256))
        put_table(package, "members.csv", (*WHOSE, *BITS), (_measured(key, names, one) for one in members))
        rules = [f"rule:{rule.code}" for rule in rules_in(session, run)]
        judged = read_rule_members(_file(run.rule_members_sha256))
        lines = (_judged(key, names, one, len(rules)) for one in judged)
        put_table(package, "rule_members.csv", (*WHOSE, *rules), lines)
        audits = audit_facts.read(run.settings.get("audits"))
        put_table(
            package, "audits.csv", AUDITED, (row for audit in audits for row in _audited(key, names, audit))
        )
        homes = dict(session.execute(select(Unit.path, Unit.code)).tuples().all())
        strata = (row for audit in audits for row in _strata(names, audit, homes.get(audit.path, "")))
        put_table(package, "strata.csv", STRATA, strata)
        publication_reports.put_reports(session, package, publication, key)


def write_accounts(session: Session, publication: Publication, path: Path, *, staff: Staff) -> None:
    """Write which key is which account: for those who may export customers, only of units in their scope."""
    require(staff, "customers.export")
    run, key = publication.assessment, _key(publication)
    traces.record(
        session, "assessment.exported", run, details={"number": publication.number, "accounts": True}
    )
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(("key", "account_no"))
        for chunk in _customers(run):
            query = (
                select(Customer.id, Customer.account_no).where(Customer.id.in_(chunk)).order_by(Customer.id)
            )
            writer.writerows((pseudonym(key, str(row.id)), row.account_no) for row in session.execute(query))


def _key(publication: Publication) -> bytes:
    secret = bytes.fromhex(load_secrets(home_path())["ID_KEY"])
    return hmac.new(secret, f"publication|{publication.number}".encode(), hashlib.sha256).digest()


def _names(session: Session) -> Names:
    units = {row.id: row.code for row in session.execute(select(Unit.id, Unit.code))}
    return units, {row.id: row.username for row in session.execute(select(Staff.id, Staff.username))}


def _units(session: Session, run: Assessment) -> Iterator[tuple[str, str, str]]:
    rows = session.scalars(select(Unit).where(Unit.path.startswith(run.unit.path)).order_by(Unit.path)).all()
    codes = {row.id: row.code for row in rows}
    return ((row.code, row.name, codes.get(row.parent_id or 0, "")) for row in rows)


def _customers(run: Assessment) -> Iterator[list[int]]:
    """The customers of a run in chunks; both members files list them in order."""
    measured = (member.customer_id for member in read_members(_file(run.members_sha256)))
    judged = (member.customer_id for member in read_rule_members(_file(run.rule_members_sha256)))
    chunk: list[int] = []
    for customer_id, _same in groupby(heapq.merge(measured, judged)):
        chunk.append(customer_id)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _whose(key: bytes, names: Names, one: Member | RuleMember) -> tuple[str, ...]:
    units, staff = names
    person = staff.get(one.staff_id or 0, "")
    return (
        pseudonym(key, str(one.customer_id)),
        one.kind,
        units[one.unit_id],
        person,
        one.cohort,
        one.customer_class,
    )


def _measured(key: bytes, names: Names, one: Member) -> tuple[Any, ...]:
    return (*_whose(key, names, one), *(int(bool(one.bits & Bit[name.upper()])) for name in BITS))


def _judged(key: bytes, names: Names, one: RuleMember, rules: int) -> tuple[str, ...]:
    return (*_whose(key, names, one), *(_said(one, 1 << at) for at in range(rules)))


def _said(one: RuleMember, bit: int) -> str:
    if one.exempt & bit:
        return "x"
    return "" if not one.counted & bit else "0" if one.failed & bit else "1"


def _audited(key: bytes, names: Names, audit: Audit) -> Iterator[tuple[Any, ...]]:
    units, staff = names
    for row in audit.rows:
        whose = (
            pseudonym(key, str(row.customer_id)),
            audit.sample_id,
            units[row.unit_id],
            staff.get(row.staff_id or 0, ""),
        )
        found = (row.right, row.wrong, row.unreached, row.open)
        yield (*whose, row.cohort, row.stratum, f"{row.weight:.12g}", *found)


def _strata(names: Names, audit: Audit, home: str) -> Iterator[tuple[Any, ...]]:
    units, _staff = names
    for one in audit.strata:
        facts = (audit.sample_id, audit.method, audit.counted_by, audit.interval, one.name)
        yield (*facts, units.get(one.unit_id, ""), one.cohort, one.drawn, one.population, home)


def _file(digest: str | None) -> Path:
    path = files.location(digest) if digest else None
    if path is None or not path.exists():
        raise Refused("这次评价的明细文件不在。请从备份中恢复文件后再导出。")
    return path
