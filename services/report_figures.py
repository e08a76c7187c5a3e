"""The figures of a monthly report: measures, months, rules, units and persons, each with numerator and denominator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from models import RuleResult
from models.scope import ALL, working_as
from models.words import COHORTS, GRADES, MEASURES, TIMELINESS_WAYS
from paper import figures as written
from paper.figures import NOTHING
from services import figures
from services.assessments import rules_in
from services.figures import Figure, Line
from services.notice_facts import way
from services.report_tables import MONTH, YEAR, Basis, Cell, Opens, Sheet, both, change, marked, rate_of

ENDS, MOST_PERSONS = 5, 20
CHARTED = ("completeness", "validity", "timeliness", "accuracy")
POINTS = "\n（百分点）"
AUDITED = {"numerator": "right", "denominator": "judged", "rest": "wrong"}
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
UNIT_COLUMNS = (
    ("序号", 9, "center"), ("单位", 28, "left"), ("完整率", 23, "right"), (f"环比{POINTS}", 17, "right"),
    (f"同比{POINTS}", 17, "right"), ("有效率", 23, "right"), ("及时率", 23, "right"), ("准确率", 20, "right"),
    ("95%区间\n（%）", 20, "center"),
)  # fmt: skip
ANNEX_COLUMNS = (
    ("序号", 9, "center"), ("单位", 27, "left"), ("应录项", 13, "right"), ("已录项", 13, "right"),
    ("完整率", 15, "right"), ("目标值", 15, "right"), (f"差值{POINTS}", 17, "right"), (f"环比{POINTS}", 17, "right"),
    (f"同比{POINTS}", 17, "right"), ("及时率", 19, "right"), ("有效率", 19, "right"), ("抽查项", 13, "right"),
    ("准确项", 13, "right"), ("准确率", 15, "right"), ("95%区间\n（%）", 20, "center"), ("得分", 13, "right"),
    ("名次", 12, "center"), ("上期\n名次", 12, "center"),
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
            written.rate(rate),
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


def units(basis: Basis) -> dict[str, Any]:
    """The units right below, the best rate first; the chart shows the best and the worst."""
    found = _ordered(basis)
    before, last_year = _lines_before(basis, MONTH, "all"), _lines_before(basis, YEAR, "all")
    sheet = Sheet("各单位结果（全部客户，按完整率由高到低）", UNIT_COLUMNS)
    for at, line in enumerate(found, start=1):
        sheet.add(*_unit_cells(basis, at, line, (before.get(line.unit_id), last_year.get(line.unit_id))))
    return {
        "heading": "各单位结果",
        "paragraphs": _best_and_worst(found),
        "charts": _unit_chart(basis, found),
        "tables": [sheet.plain()] if found else [],
    }


def annexes(basis: Basis) -> list[dict[str, Any]]:
    """New and existing customers apart, with marks and ranks: every column."""
    found = []
    for cohort in figures.COHORTS:
        lines = below(basis, cohort)
        before, last_year = _lines_before(basis, MONTH, cohort), _lines_before(basis, YEAR, cohort)
        sheet = Sheet(f"{COHORTS[cohort]}各单位结果明细", ANNEX_COLUMNS)
        for at, line in enumerate(lines, start=1):
            sheet.add(*_annex_cells(at, line, (before.get(line.unit_id), last_year.get(line.unit_id))))
        if sheet.rows:
            found.append(sheet.plain())
    return found


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
        text += f"，95%区间{written.interval(rate)}"
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
    above, under, rest = (_opens(basis, name, cohort, part) for part in ("numerator", "denominator", "rest"))
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


def _opens(basis: Basis, name: str, cohort: str, part: str, *, unit_id: int = 0) -> Opens:
    """The list behind a part of a figure: the records of the run, or the items of the sample."""
    about = {"unit": unit_id or basis.unit.id, "cohort": cohort}
    if name == "accuracy":
        return "audits", about | {"period": basis.period, "state": AUDITED[part]}
    return "records", about | {"measure": name, "part": part}


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
    points = basis.months["all"]
    series = []
    for name in CHARTED:
        found = [one.figures.get(name) for one in points]
        rates = [one.rate if one is not None else None for one in found]
        if any(rate is not None for rate in rates):
            series.append({"label": MEASURES[name], "values": rates})
    if len(points) < 2 or not series:
        return []
    caption = "近13个月各项指标（全部客户）"
    return [{"caption": caption, "bars": [], "periods": [one.period for one in points], "series": series}]


def below(basis: Basis, cohort: str) -> list[Line]:
    """The units right below that counted something; none where there is nothing below."""
    found = figures.lines(basis.session, basis.run, cohort, unit=basis.unit)
    return [line for line in found if line.unit_id != basis.unit.id]


def _ordered(basis: Basis) -> list[Line]:
    return sorted(
        below(basis, "all"), key=lambda line: (-(line.measures["completeness"].rate or 0), line.code)
    )


def _lines_before(basis: Basis, back: int, cohort: str) -> Mapping[int, Line]:
    run = basis.run_before(back)
    if run is None:
        return {}
    return {line.unit_id: line for line in figures.lines(basis.session, run, cohort, unit=basis.unit)}


def _changes(line: Line, others: tuple[Line | None, Line | None]) -> list[str]:
    now = line.measures["completeness"]
    return [change(now, other.measures["completeness"] if other else None) for other in others]


def _unit_cells(
    basis: Basis, at: int, line: Line, others: tuple[Line | None, Line | None]
) -> list[Cell | str]:
    def cell(name: str) -> Cell:
        opens = _opens(basis, name, "all", "rest", unit_id=line.unit_id)
        return marked(both(line.measures[name]), opens, line.measures[name])

    name = Cell(line.name, ("report", {"unit": line.unit_id, "period": basis.period}))
    rates = [cell("validity"), cell("timeliness"), cell("accuracy")]
    bounds = written.interval(rate_of(line.measures["accuracy"]))
    return [str(at), name, cell("completeness"), *_changes(line, others), *rates, bounds]


def _annex_cells(at: int, line: Line, others: tuple[Line | None, Line | None]) -> list[Cell | str]:
    main, accuracy = line.measures["completeness"], line.measures["accuracy"]
    gap = main.rate - line.target if main.rate is not None and line.target is not None else None
    audited = [_count(accuracy.denominator), _count(accuracy.numerator) if accuracy.denominator else NOTHING]
    ranks = [written.rank(line.rank, tied=line.tied), written.rank(others[0].rank if others[0] else None)]
    return [
        str(at),
        line.name,
        str(main.denominator),
        str(main.numerator),
        written.rate(rate_of(main)),
        written.percent(line.target),
        written.points(gap),
        *_changes(line, others),
        both(line.measures["timeliness"]),
        both(line.measures["validity"]),
        *audited,
        written.rate(rate_of(accuracy)),
        written.interval(rate_of(accuracy)),
        written.score(line.score),
        *ranks,
    ]


def _best_and_worst(found: Sequence[Line]) -> list[str]:
    if not found:
        return []
    if len(found) == 1:
        return [f"本期只有{_named(found)}有应录项。"]
    size = min(ENDS, len(found) // 2) if len(found) < 2 * ENDS else ENDS
    best, worst = found[:size], found[: -size - 1 : -1]
    return [f"完整率最高的是{_named(best)}；最低的是{_named(worst)}。"]


def _named(lines: Sequence[Line]) -> str:
    return "、".join(
        f"{line.name}（{written.percent(line.measures['completeness'].rate)}）" for line in lines
    )


def _unit_chart(basis: Basis, found: Sequence[Line]) -> list[dict[str, Any]]:
    if len(found) < 2:
        return []
    shown = found if len(found) <= 2 * ENDS else [*found[:ENDS], *found[-ENDS:]]
    mark = figures.targets(basis.session).get(("completeness", "existing"))
    target = mark.target if mark else None
    rates = [(one.name, one.measures["completeness"].rate or 0.0) for one in shown]
    entries = [{"label": label, "value": rate, "target": target} for label, rate in rates]
    which = "" if len(shown) == len(found) else f"（最高和最低的各{ENDS}个单位）"
    told = "；竖线为存量客户的目标值，斜线的条未达到" if target is not None else ""
    return [{"caption": f"各单位完整率{which}{told}", "bars": entries, "periods": [], "series": []}]


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


def _count(number: int) -> str:
    return str(number) if number else NOTHING
