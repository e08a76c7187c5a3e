"""The second half of a monthly report: what is wrong and where, the issues' lists, and what each source brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sqlalchemy import case, func, select

from models import Contact, ContactKind, Issue, Unit
from models.clock import period_days, today
from models.issues import PENDING
from models.quality_words import JUDGED_WITH_CUSTOMER, MEASURES, SEVERITIES
from models.rules import newest_rules
from models.scope import ALL, working_as
from models.words import SOURCES
from paper import figures as written
from paper.figures import NOTHING
from quality.reasons import REASONS
from services import files, gaps, yields
from services.gaps import MISSING, Gap
from services.members import read_members
from services.report_tables import BY, Basis, Cell, Sheet

MOST = 10
EVERY = 1_000_000
SHOWN_STATES = ("open", "recurring", "late", "fixed", "cleared", "waived")
MEASURE_OF = {"缺失": "completeness", "无效或存疑": "validity", "未按时录入": "timeliness"}
WHAT = {gaps.MISSING: "缺失", gaps.UNUSABLE: "无效或存疑"}
PROBLEM_COLUMNS = (
    ("联系信息", 30, "left"), ("问题", 30, "left"), ("项数", 20, "right"), ("占全部问题", 24, "right"),
)  # fmt: skip
REASON_COLUMNS = (("联系信息", 24, "left"), ("原因", 102, "left"), ("条数", 18, "right"))
BOOK_COLUMNS = (
    ("单位", 38, "left"), ("抄表册", 30, "left"), ("缺失", 18, "right"), ("无效或存疑", 20, "right"),
    ("合计", 18, "right"),
)  # fmt: skip
GAP_COLUMNS = (
    ("单位", 34, "left"), ("抄表册", 26, "left"), ("联系信息", 22, "left"), ("问题", 22, "left"), ("项数", 14, "right"),
    ("提高的指标", 18, "left"), ("改好后提高\n（百分点）", 22, "right"),
)  # fmt: skip
ISSUE_COLUMNS = (
    ("规则", 36, "left"), ("严重\n程度", 12, "center"), ("本次新增", 15, "right"), ("待整改", 15, "right"),
    ("重复发生", 15, "right"), ("其中逾期", 15, "right"), ("已整改\n待复核", 15, "right"), ("已销号", 15, "right"),
    ("免考核", 15, "right"),
)  # fmt: skip
YIELD_COLUMNS = (
    ("来源渠道", 26, "left"), ("带来的新值", 20, "right"), ("核实为对", 20, "right"), ("核实有误", 20, "right"),
    (f"满{yields.KEPT_DAYS}天的", 20, "right"), ("其中仍在用", 20, "right"), ("保留率", 18, "right"),
)  # fmt: skip


def problems(basis: Basis) -> dict[str, Any]:
    """What is missing, not usable or late; the reasons met most; the worst meter books; what to mend first."""
    found = gaps.gaps(basis.session, basis.run, basis.unit, by=BY, most=EVERY)
    labels, names = _kinds(basis), _unit_names(basis)
    tables = [_failures(basis, labels), _reasons(basis, labels), _books(basis, found, names)]
    tables.append(_gains(basis, found[:MOST], (labels, names)))
    return {
        "heading": "存在问题和改进重点",
        "paragraphs": _headline(found, labels),
        "charts": [],
        "tables": [table.plain() for table in tables],
    }


def issues(basis: Basis) -> dict[str, Any]:
    """The issues of the unit by rule: still to mend, found again, mended, taken off, waived."""
    sheet = Sheet("问题清单（按规则）", ISSUE_COLUMNS)
    labels = {rule.code: (rule.label, rule.severity) for rule in newest_rules(basis.session)}
    counted = _counted(basis)
    for code in sorted({code for code, _name in counted}, key=lambda one: (-counted[one, "open"], one)):
        label, severity = labels.get(code, (code, ""))
        sheet.add(label, SEVERITIES.get(severity, NOTHING), *_states(basis, code, counted))
    total = Counter(
        {name: sum(n for (_c, one), n in counted.items() if one == name) for _code, name in counted}
    )
    day = written.long_date(today(basis.session))
    told = f"截至{day}，待整改{total['open']}条，重复发生{total['recurring']}条，其中逾期{total['late']}条；"
    told += f"已整改待复核{total['fixed']}条，已销号{total['cleared']}条，免考核{total['waived']}条。"
    return {"heading": "问题清单和整改情况", "paragraphs": [told], "charts": [], "tables": [sheet.plain()]}


def sources(basis: Basis) -> dict[str, Any]:
    """What each way of getting contacts brought in the month."""
    first, last = period_days(basis.period)
    asked = yields.Asked(first, last, basis.unit.id)
    sheet = Sheet("各来源渠道的成效", YIELD_COLUMNS)
    where = {"first": first.isoformat(), "last": last.isoformat(), "unit": basis.unit.id}
    for one in yields.yields(basis.session, asked):
        if not one.gained:
            continue
        cells = [
            _figure(getattr(one, name), where | {"source": one.source, "figure": name}) for name in _PARTS
        ]
        kept = one.kept / one.old if one.old else None
        sheet.add(SOURCES[one.source], *cells, written.percent(kept))
    told = "只计本月带来、已经生效、客户原来没有的联系信息。"
    paragraphs = [told] if sheet.rows else ["本月没有带来新的联系信息。"]
    tables = [sheet.plain()] if sheet.rows else []
    return {"heading": "来源成效", "paragraphs": paragraphs, "charts": [], "tables": tables}


_PARTS = ("gained", "proved", "refuted", "old", "kept")


def _kinds(basis: Basis) -> dict[str, str]:
    with working_as(basis.session, ALL):
        found = {row.code: row.label for row in basis.session.scalars(select(ContactKind))}
    return JUDGED_WITH_CUSTOMER | found


def _unit_names(basis: Basis) -> dict[int, str]:
    rows = basis.session.execute(select(Unit.id, Unit.name).where(Unit.path.startswith(basis.unit.path)))
    return dict(rows.tuples().all())


def _failures(basis: Basis, labels: dict[str, str]) -> Sheet:
    """Counted from the members that the run kept."""
    sheet = Sheet("主要问题（按应录项）", PROBLEM_COLUMNS)
    inside = set(basis.session.scalars(basis.units()))
    members = read_members(files.location(basis.run.members_sha256 or ""))
    found = gaps.failures(member for member in members if member.unit_id in inside)
    whole = sum(found.values())
    for (kind, what), number in sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST]:
        asked = {
            "measure": MEASURE_OF[what],
            "part": "rest",
            "unit": basis.unit.id,
            "cohort": "all",
            "kind": kind,
        }
        opened = Cell(str(number), ("records", asked))
        sheet.add(labels.get(kind, kind), what, opened, written.percent(number / whole))
    return sheet


def _reasons(basis: Basis, labels: dict[str, str]) -> Sheet:
    """Why the values were found wrong that the issues of this run name."""
    sheet = Sheet("最常见的原因（按问题清单中的联系信息）", REASON_COLUMNS)
    found: Counter[tuple[str, str]] = Counter()
    query = (
        select(Contact.kind, Contact.reasons, func.count(func.distinct(Contact.id)))
        .join(Issue, Issue.contact_id == Contact.id)
        .where(Issue.last_run_id == basis.run.id, Issue.unit_id.in_(basis.units()), Issue.state.in_(PENDING))
        .where(Contact.reasons != "")
        .group_by(Contact.kind, Contact.reasons)
    )
    for kind, reasons, number in basis.session.execute(query):
        for code in reasons.split(";"):
            found[kind, code] += number
    for (kind, code), number in sorted(found.items(), key=lambda entry: (-entry[1], entry[0]))[:MOST]:
        sheet.add(labels.get(kind, kind), REASONS.get(code, code), str(number))
    return sheet


def _books(basis: Basis, found: Iterable[Gap], names: dict[int, str]) -> Sheet:
    """The meter books with most that is missing or not usable."""
    counted: dict[tuple[str, str, int], Counter[str]] = {}
    for gap in found:
        counted.setdefault((gap.unit_code, gap.group, gap.unit_id), Counter())[gap.what] += gap.number
    sheet = Sheet("问题最多的抄表册", BOOK_COLUMNS)
    for (_code, book, unit_id), both in sorted(counted.items(), key=lambda one: (-one[1].total(), one[0]))[:MOST]:
        cells = [_of_book(basis, (unit_id, book), what, both[what]) for what in (gaps.MISSING, gaps.UNUSABLE)]
        sheet.add(names.get(unit_id, ""), book, *cells, str(both.total()))
    return sheet


def _gains(basis: Basis, found: Iterable[Gap], words: tuple[dict[str, str], dict[int, str]]) -> Sheet:
    """Where mending raises a rate most."""
    labels, names = words
    sheet = Sheet("改好后提高最多的", GAP_COLUMNS)
    for gap in found:
        opened = _of_book(basis, (gap.unit_id, gap.group), gap.what, gap.number, kind=gap.kind)
        told = (labels.get(gap.kind, gap.kind), WHAT[gap.what], opened, MEASURES[gap.measure])
        sheet.add(names.get(gap.unit_id, ""), gap.group, *told, f"{gap.gain * 100:.2f}")
    return sheet


def _of_book(basis: Basis, book: tuple[int, str], what: str, number: int, kind: str = "") -> Cell:
    asked = {"measure": gaps.MEASURE_OF[what], "part": "rest", "unit": book[0], "cohort": "all", "kind": kind}
    asked |= {"by": BY, "group_unit": book[0], "group": book[1]}
    return Cell(str(number), ("records", asked) if number else None)


def _headline(found: list[Gap], labels: dict[str, str]) -> list[str]:
    """What to do first: the largest lack and the two meter books that hold most of it."""
    if not found:
        return ["没有可以归到抄表册的缺失或不可用的应录项。"]
    first = found[0]
    same = [gap for gap in found if (gap.kind, gap.what) == (first.kind, first.what)][:2]
    lack = (
        f"缺{labels.get(first.kind, first.kind)}"
        if first.what == MISSING
        else f"的{labels[first.kind]}不可用"
    )
    number, gain = sum(gap.number for gap in same), sum(gap.gain for gap in same) * 100
    books = "、".join(gap.group for gap in same)
    told = f"抄表册{books}有{number}户{lack}，改好后{MEASURES[first.measure]}可提高{gain:.2f}个百分点，应当最先整改。"
    return [told]


def _counted(basis: Basis) -> Counter[tuple[str, str]]:
    """Issues by rule: in each state, past their day, and new in this run."""
    day = today(basis.session)
    late = func.sum(case((Issue.due_on < day, 1), else_=0))
    new = func.sum(case((Issue.opened_run_id == basis.run.id, 1), else_=0))
    columns = (Issue.rule_code, Issue.state, func.count(), late, new)
    query = select(*columns).where(Issue.unit_id.in_(basis.units())).group_by(Issue.rule_code, Issue.state)
    found: Counter[tuple[str, str]] = Counter()
    for code, state, number, overdue, opened in basis.session.execute(query):
        found[code, state] += number
        found[code, "late"] += int(overdue) if state in PENDING else 0
        found[code, "new"] += int(opened)
    return found


def _states(basis: Basis, code: str, counted: Counter[tuple[str, str]]) -> list[Cell | str]:
    asked: dict[str, Any] = {"rule": code, "unit": basis.unit.id}

    def cell(name: str) -> Cell:
        number = counted[code, name]
        narrowed = {"due": "late"} if name == "late" else {"state": name}
        return Cell(str(number), ("issues", asked | narrowed) if number else None)

    return [str(counted[code, "new"]), *(cell(name) for name in SHOWN_STATES)]


def _figure(number: int, asked: dict[str, Any]) -> Cell:
    return Cell(str(number), ("yield_values", asked) if number else None)
