"""The bulletin to all units (考核通报): sections, tables and sentences in the layout of official documents."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from paper import figures
from paper.figures import NOTHING
from paper.letterheads import Letterhead
from paper.lines import Setting, break_lines, fitting_size
from paper.merging import About
from paper.notices import Annex, Bulletin, PersonResult, Total, UnitResult
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single
from paper.tables import TYPE_WIDTH, Column, Table

TITLE_WIDTH, TITLE_SIZE, MARK_SIZE = 150.0, 22.0, 42.0  # mm, pt, pt
NUMERALS = "一二三四五六七八九十"


@dataclass(frozen=True)
class Section:
    """A heading with its paragraphs and table; `level` 1 is 一、 and 2 is （一）."""

    level: int
    heading: str
    paragraphs: tuple[str, ...] = ()
    table: Table | None = None


UNIT_COLUMNS: tuple[tuple[Column, Callable[[int, UnitResult], str]], ...] = (
    (Column("序号", 9), lambda at, _: str(at)),
    (Column("单位", 27, "left"), lambda _, line: line.unit),
    (Column("应录项", 13, "right"), lambda _, line: str(line.completeness.denominator)),
    (Column("已录项", 13, "right"), lambda _, line: str(line.completeness.numerator)),
    (Column("完整率", 15, "right"), lambda _, line: figures.rate(line.completeness)),
    (Column("目标值", 15, "right"), lambda _, line: figures.percent(line.target)),
    (Column("差值\n（百分点）", 17, "right"), lambda _, line: _gap(line)),
    (Column("及时率", 15, "right"), lambda _, line: figures.rate(line.timeliness)),
    (Column("有效率", 15, "right"), lambda _, line: figures.rate(line.validity)),
    (
        Column("抽查项", 13, "right"),
        lambda _, line: figures.count(line.accuracy.denominator if line.accuracy else None),
    ),
    (
        Column("准确项", 13, "right"),
        lambda _, line: figures.count(line.accuracy.numerator if line.accuracy else None),
    ),
    (Column("准确率", 15, "right"), lambda _, line: figures.rate(line.accuracy)),
    (Column("区间\n（%）", 20), lambda _, line: figures.interval(line.accuracy)),
    (Column("得分", 13, "right"), lambda _, line: figures.score(line.score)),
    (Column("名次", 13), lambda _, line: figures.rank(line.rank, tied=line.tied)),
    (Column("上期\n名次", 12), lambda _, line: figures.rank(line.last_rank)),
)
SHORT = (
    "序号",
    "单位",
    "应录项",
    "已录项",
    "完整率",
    "差值\n（百分点）",
    "及时率",
    "有效率",
    "准确率",
    "得分",
    "名次",
)
TITLE_WORDS = (
    "客户联系信息",
    "联系信息",
    "信息质量",
    "质量",
    "考核情况",
    "考核结果",
    "考核",
    "的通报",
    "劳动竞赛",
    "核对活动",
)
PERSON_COLUMNS = (
    Column("序号", 10),
    Column("姓名", 26),
    Column("单位", 42, "left"),
    Column("完整率", 20, "right"),
    Column("已录项/应录项", 30, "right"),
    Column("备注", 28, "left"),
)


def bulletin(facts: Bulletin, letterhead: Letterhead) -> bytes:
    """The bulletin as a file; a table wider than the type area gets pages laid across."""
    sections = _sections(facts)
    mark = f"{letterhead.organ_short}{letterhead.department}"
    html = compose(
        "bulletin.html",
        letterhead,
        title=facts.title,
        facts=facts,
        sections=sections,
        annexes=_annexes(facts),
        mark=mark,
        mark_size=fitting_size(mark, TITLE_WIDTH, largest=MARK_SIZE, smallest=10, face="xiaobiaosong"),
        title_lines=title_lines(facts.title),
        numerals=NUMERALS,
    )
    about = About(facts.title, facts.issued_on, duplex=True)
    first = Expected(facts.title, 0, [("文号", printable(facts.number)), ("标题", printable(facts.title))])
    return single(html, about, letterhead=letterhead, expected=[first])


def title_lines(title: str) -> list[str]:
    """A title broken by meaning, in lines of much the same length."""
    title = printable(title)
    return break_lines(title, TITLE_WIDTH, setting=Setting(TITLE_SIZE, "xiaobiaosong"), words=TITLE_WORDS)


def _sections(facts: Bulletin) -> list[Section]:
    """The seven sections in their order; one without content is left out."""
    groups = (
        ("总体情况", [Section(0, "", (*map(_total_sentence, facts.totals), *facts.overall))]),
        ("各单位考核结果", _unit_sections(facts)),
        ("人员考核结果", _person_sections(facts)),
        ("存在问题", [Section(0, "", _listed(facts.problems))]),
        ("整改情况", [Section(0, "", _listed(facts.rectification))]),
        ("考核意见", [Section(0, "", _listed(facts.opinions))]),
        ("工作要求", [Section(0, "", _listed(facts.requirements))]),
    )
    filled = [
        (heading, parts) for heading, parts in groups if any(one.paragraphs or one.table for one in parts)
    ]
    result = []
    for number, (heading, parts) in zip(NUMERALS, filled, strict=False):
        result += [Section(1, f"{number}、{heading}"), *parts]
    return result


def _listed(sentences: Sequence[str]) -> tuple[str, ...]:
    """Several sentences are numbered, one stands alone."""
    if len(sentences) < 2:
        return tuple(sentences)
    return tuple(f"{number}.{sentence}" for number, sentence in enumerate(sentences, start=1))


def _total_sentence(total: Total) -> str:
    result = total.result
    parts = [
        f"{total.cohort}应录{result.completeness.denominator}项，已录{result.completeness.numerator}项，"
        f"完整率{_with_numbers(result.completeness)}{_change(total.change)}"
    ]
    if result.timeliness:
        parts.append(f"及时率{_with_numbers(result.timeliness)}")
    if result.validity:
        parts.append(f"有效率{_with_numbers(result.validity)}")
    if result.accuracy:
        parts.append(
            f"抽查{result.accuracy.denominator}项，准确率{_with_numbers(result.accuracy)}{_bounds(result)}"
        )
    return "；".join(parts) + "。"


def _with_numbers(rate: figures.Rate) -> str:
    return f"{figures.rate(rate)}（{figures.fraction(rate)}）"


def _change(change: float | None) -> str:
    if change is None:
        return ""
    if figures.points(change) == "0.00":
        return "，与上期持平"
    return f"，较上期{'上升' if change > 0 else '下降'}{abs(change) * 100:.2f}个百分点"


def _bounds(result: UnitResult) -> str:
    bounds = figures.interval_told(result.accuracy)
    return "" if bounds == NOTHING else f"，95%置信区间{bounds}"


def _gap(line: UnitResult) -> str:
    rate = line.completeness.value
    return NOTHING if rate is None or line.target is None else figures.points(rate - line.target)


def _unit_sections(facts: Bulletin) -> list[Section]:
    cohorts = [
        (label, lines) for label, lines in (("新装客户", facts.new), ("存量客户", facts.existing)) if lines
    ]
    return [
        Section(
            2,
            f"（{number}）{label}",
            _sampled(lines),
            _unit_table(f"{label}各单位考核结果", lines, columns=SHORT),
        )
        for number, (label, lines) in zip(NUMERALS, cohorts, strict=False)
    ]


def _sampled(lines: Sequence[UnitResult]) -> tuple[str, ...]:
    """How sampled rates and their intervals are to be read, where there are any."""
    note = figures.interval_note(line.accuracy for line in lines)
    return (note,) if note else ()


def _unit_table(caption: str, lines: Sequence[UnitResult], *, columns: Sequence[str]) -> Table:
    """The wanted columns of the main table but those that are empty in every line."""
    kept = []
    for column, make in UNIT_COLUMNS:
        made = [make(at, line) for at, line in enumerate(lines, start=1)]
        if column.label in columns and set(made) != {NOTHING}:
            kept.append((column, made))
    return Table(
        caption, tuple(column for column, _ in kept), tuple(zip(*(made for _, made in kept), strict=True))
    )


def _person_sections(facts: Bulletin) -> list[Section]:
    groups = (
        ("成绩突出人员", "对下列人员予以通报表扬：", facts.best_persons),
        ("低于基本值人员", "下列人员低于基本值，予以通报批评：", facts.persons_below),
    )
    filled = [group for group in groups if group[2]]
    return [
        Section(2, f"（{number}）{label}", (sentence,), _person_table(label, persons))
        for number, (label, sentence, persons) in zip(NUMERALS, filled, strict=False)
    ]


def _person_table(caption: str, persons: Iterable[PersonResult]) -> Table:
    rows = tuple(
        (str(at), one.name, one.unit, figures.rate(one.rate), figures.fraction(one.rate), one.remark)
        for at, one in enumerate(persons, start=1)
    )
    return Table(caption, PERSON_COLUMNS, rows)


def _annexes(facts: Bulletin) -> list[Table]:
    """The main tables with every column, on pages laid across, then the annexes given."""
    every = [column.label for column, _ in UNIT_COLUMNS]
    cohorts = (("新装客户", facts.new), ("存量客户", facts.existing))
    details = [
        _unit_table(f"{label}各单位考核结果明细", lines, columns=every) for label, lines in cohorts if lines
    ]
    return [table for table in details if len(table.columns) > len(SHORT)] + [
        _annex(annex) for annex in facts.annexes
    ]


def _annex(annex: Annex) -> Table:
    """An annex shares the type area among its columns by the longest text of each."""
    longest = [
        max(4, min(24, max(len(text) for text in column)))
        for column in zip(annex.columns, *annex.rows, strict=True)
    ]
    widths = [TYPE_WIDTH * length / sum(longest) for length in longest]
    columns = tuple(Column(label, width) for label, width in zip(annex.columns, widths, strict=True))
    return Table(annex.title, columns, annex.rows)
