"""The units of a monthly report: those right below, with changes, marks and ranks; the best and the worst drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from models.words import COHORTS
from paper import figures as written
from paper.figures import NOTHING
from services import figures
from services.figures import Line
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

ENDS = 5
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


def units(basis: Basis) -> dict[str, Any]:
    """The units right below, the best rate first; the chart shows the best and the worst."""
    found = _ordered(basis)
    before, last_year = _lines_before(basis, MONTH, "all"), _lines_before(basis, YEAR, "all")
    sheet = Sheet("各单位结果（全部客户，按完整率由高到低）", UNIT_COLUMNS)
    for at, line in enumerate(found, start=1):
        sheet.add(*_unit_cells(basis, at, line, (before.get(line.unit_id), last_year.get(line.unit_id))))
    return {
        "heading": "各单位结果",
        "paragraphs": [*_best_and_worst(found), *_sampled(found)],
        "charts": _unit_chart(basis, found),
        "tables": [sheet.plain()] if found else [],
    }


def _sampled(found: Sequence[Line]) -> list[str]:
    """How sampled rates and their intervals are to be read, where there are any."""
    note = written.interval_note(rate_of(line.measures["accuracy"]) for line in found)
    return [note] if note else []


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
        opens = list_of(basis, name, "all", "rest", unit_id=line.unit_id)
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


def _count(number: int) -> str:
    return str(number) if number else NOTHING
