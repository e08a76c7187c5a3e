"""The figures of a monthly report: measures, months, rules, units and persons, each with numerator and denominator."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from models import RuleResult
from models.quality_words import GRADES, MEASURES, TIMELINESS_WAYS
from models.scope import ALL, working_as
from models.words import COHORTS
from paper import figures as written
from paper.figures import NOTHING
from services import figures
from services.assessments import rules_in
from services.figures import Figure
from services.notice_facts import way
from services.report_tables import (
    MONTH,
    POINTS,
    YEAR,
    Basis,
    Cell,
    Sheet,
    both,
    change,
    list_of,
    marked,
    rate_of,
)
from services.trends import earlier

ENDS, MOST_PERSONS = 5, 20
CHARTED = ("completeness", "validity", "timeliness", "accuracy")
MEASURE_COLUMNS = (
    ("指标", 16, "left"), ("客户", 18, "left"), ("分子", 15, "right"), ("分母", 15, "right"), ("比率", 17, "right"),
    ("95%区间\n（%）", 20, "center"), (f"环比{POINTS}", 17, "right"), (f"同比{POINTS}", 17, "right"),
    ("基本值", 17, "right"), ("目标值", 18, "right"), ("结论", 22, "left"),
)  # fmt: skip
MONTH_COLUMNS = (
    ("月份", 18, "center"),
    *((MEASURES[name], 29, "right") for name in CHARTED),
    ("依据", 22, "left"),
)
RULE_COLUMNS = (
    ("规则", 34, "left"), ("国标\n指标", 12, "center"), ("分子", 15, "right"), ("分母", 15, "right"),
    ("免考核", 13, "right"), ("比率", 17, "right"), (f"环比{POINTS}", 17, "right"), (f"同比{POINTS}", 17, "right"),
    ("目标值", 20, "right"), ("等级", 21, "left"),
)  # fmt: skip
PERSON_COLUMNS = (
    ("类别", 22, "left"), ("姓名", 22, "center"), ("单位", 40, "left"), ("完整率", 20, "right"),
    ("已录项", 20, "right"), ("应录项", 20, "right"),
)  # fmt: skip


def overall(basis: Basis) -> dict[str, Any]:
    """How the unit stands: sentences, its measures, and the months behind them with their chart."""
    sentences = [text for cohort in ("new", "existing") if (text := _sentence(basis, cohort))]
    sentences.append(f"及时率按“{TIMELINESS_WAYS[way(basis.run)]}”计算；环比、同比为比率之差，以百分点计。")
    return {
        "heading": "总体情况",
        "paragraphs": sentences,
        "charts": _month_chart(basis),
        "tables": [_measures(basis).plain(), _months(basis).plain()],
    }


def rules(basis: Basis) -> dict[str, Any]:
    """What each rule found."""
    sheet, exempt = Sheet("各规则的结果（全部客户）", RULE_COLUMNS), _exempt(basis)
    for rule in rules_in(basis.session, basis.run):
        now = basis.figure(rule.code, "all")
        if now is None:
            continue
        rate = rate_of(now)
        asked = {"rule": rule.id, "unit": basis.unit.id, "cohort": "all"}
        sheet.add(
            rule.label,
            rule.indicator,
            _number(now.numerator, "rule_records", asked | {"part": _above(rule.direction)}),
            _number(now.denominator, "rule_records", asked | {"part": "counted"}),
            _number(exempt.get(rule.id, 0), "rule_records", asked | {"part": "exempt"}),
            marked(written.rate(rate), ("rule_records", asked | {"part": "failed"}), now),
            change(now, basis.figure(rule.code, "all", back=MONTH)),
            change(now, basis.figure(rule.code, "all", back=YEAR)),
            f"{'≥' if rule.direction == 'larger' else '≤'}{written.percent(rule.target)}",
            GRADES.get(basis.grade(rule.code, "all") or 0, NOTHING),
        )
    told = "“≤”的规则比率越低越好，分子是不符合的条数；其余比率越高越好，分子是符合的条数。"
    return {
        "heading": "规则结果",
        "paragraphs": [told] if sheet.rows else [],
        "charts": [],
        "tables": [sheet.plain()],
    }


def persons(basis: Basis) -> dict[str, Any]:
    """The best, and those below the floor; only for those who may see persons."""
    with working_as(basis.session, ALL):
        floor = figures.targets(basis.session).get(("completeness", "existing"))
    ahead = [
        one for one in figures.persons(basis.session, basis.run, unit=basis.unit) if one.figure.denominator
    ]
    short = [one for one in reversed(ahead) if floor and (one.figure.rate or 0) < floor.floor][:MOST_PERSONS]
    best = [one for one in ahead if one not in short][:ENDS]
    sheet = Sheet("人员完整率", PERSON_COLUMNS, is_personal=True)
    for word, people in (("成绩最好", best), ("低于基本值", short)):
        for one in people:
            asked = {"measure": "completeness", "part": "rest", "unit": basis.unit.id, "cohort": "all"}
            rate = rate_of(one.figure)
            opened = Cell(written.rate(rate), ("records", asked | {"person": one.staff_id}))
            sheet.add(
                word, one.name, one.unit, opened, str(one.figure.numerator), str(one.figure.denominator)
            )
    return {
        "heading": "人员结果",
        "paragraphs": [],
        "charts": [],
        "tables": [sheet.plain()] if sheet.rows else [],
    }


def _sentence(basis: Basis, cohort: str) -> str:
    main = basis.figure("completeness", cohort)
    if main is None:
        return ""
    counted = f"{COHORTS[cohort]}应录{main.denominator}项，已录{main.numerator}项"
    parts = [f"{counted}，{_told(basis, 'completeness', cohort)}"]
    parts += [_told(basis, name, cohort) for name in CHARTED[1:] if basis.figure(name, cohort)]
    return "；".join(parts) + "。"


def _told(basis: Basis, name: str, cohort: str) -> str:
    figure = basis.figure(name, cohort)
    rate = rate_of(figure)
    text = f"{MEASURES[name]}{written.rate(rate)}（{written.fraction(rate)}）"
    if written.interval(rate) != NOTHING:
        text += f"，95%区间{written.interval_told(rate)}"
    for word, back in (("较上月", MONTH), ("较上年同月", YEAR)):
        moved = change(figure, basis.figure(name, cohort, back=back))
        if moved != NOTHING:
            text += f"，{word}{_moved(moved)}"
    return text


def _moved(points: str) -> str:
    if points == "0.00":
        return "持平"
    return f"{'上升' if points[0] == '+' else '下降'}{points[1:]}个百分点"


def _measures(basis: Basis) -> Sheet:
    marks = figures.targets(basis.session)
    sheet = Sheet("各项指标", MEASURE_COLUMNS)
    for name in CHARTED:
        for cohort in COHORTS:
            figure = basis.figure(name, cohort)
            if figure is not None:
                cells = _measure_cells(basis, (name, cohort), figure, marks.get((name, cohort)))
                sheet.add(MEASURES[name], COHORTS[cohort], *cells)
    return sheet


def _measure_cells(basis: Basis, which: tuple[str, str], figure: Figure, mark: Any) -> list[Cell | str]:
    name, cohort = which
    rate = rate_of(figure)
    above, under, rest = (list_of(basis, name, cohort, part) for part in ("numerator", "denominator", "rest"))
    return [
        _number(figure.numerator, *above),
        _number(figure.denominator, *under),
        marked(written.rate(rate), rest, figure),
        written.interval(rate),
        change(figure, basis.figure(name, cohort, back=MONTH)),
        change(figure, basis.figure(name, cohort, back=YEAR)),
        written.percent(mark.floor if mark else None),
        written.percent(mark.target if mark else None),
        _reached(figure.rate, mark),
    ]


def _reached(rate: float | None, mark: Any) -> str:
    if rate is None or mark is None:
        return NOTHING
    for value, word in (
        (mark.stretch, "达到挑战值"),
        (mark.target, "达到目标值"),
        (mark.floor, "达到基本值"),
    ):
        if rate >= value:
            return word
    return "低于基本值"


def _months(basis: Basis) -> Sheet:
    sheet = Sheet("近13个月各项指标（全部客户）", MONTH_COLUMNS)
    for point in basis.months["all"]:
        cells = [Cell(both(point.figures.get(name))) for name in CHARTED]
        told = f"发布 {point.published}" if point.published else f"评价 {point.run_id}"
        sheet.add(point.period, *cells, Cell(told, ("run", {"run": point.run_id, "unit": basis.unit.id})))
    return sheet


def _month_chart(basis: Basis) -> list[dict[str, Any]]:
    """Lines over the months from the first that was assessed; a month without a run breaks them."""
    points = {one.period: one for one in basis.months["all"]}
    periods = [earlier(basis.period, back) for back in range(YEAR, -1, -1)]
    periods = [one for one in periods if one >= min(points)]
    series = []
    for name in CHARTED:
        found = [points[one].figures.get(name) if one in points else None for one in periods]
        rates = [one.rate if one is not None else None for one in found]
        if any(rate is not None for rate in rates):
            series.append({"label": MEASURES[name], "values": rates})
    if len(points) < 2 or not series:
        return []
    return [{"caption": "近13个月各项指标（全部客户）", "bars": [], "periods": periods, "series": series}]


def _exempt(basis: Basis) -> dict[int, int]:
    """How many records each rule left out because they are waived."""
    query = select(RuleResult.rule_id, RuleResult.exempt).where(
        RuleResult.assessment_id == basis.run.id,
        RuleResult.unit_id == basis.unit.id,
        RuleResult.level == "unit",
        RuleResult.cohort == "all",
    )
    return dict(basis.session.execute(query).tuples().all())


def _above(direction: str) -> str:
    """The part of a rule's records that its numerator counts."""
    return "met" if direction == "larger" else "failed"


def _number(number: int, where: str, asked: dict[str, Any]) -> Cell:
    return Cell(str(number), (where, asked) if where and number else None)
