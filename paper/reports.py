"""The monthly quality report (客户联系信息质量月报): figures, tables, and two charts that need no colour."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from paper import charts, fonts
from paper.charts import Bar, Series
from paper.figures import Fingerprint, month
from paper.letterheads import Letterhead
from paper.lines import Setting as Lines
from paper.lines import break_lines, fitting_size
from paper.merging import About
from paper.pages import compose, printable
from paper.proofs import Expected
from paper.single import single
from paper.tables import Table

MARK_WIDTH, TITLE_WIDTH, MARK_SIZE, TITLE_SIZE = 150.0, 150.0, 30.0, 20.0  # mm, mm, pt, pt


@dataclass(frozen=True)
class Chart:
    """A chart with its caption: bars, or lines over `periods`."""

    caption: str
    bars: tuple[Bar, ...] = ()
    periods: tuple[str, ...] = ()
    series: tuple[Series, ...] = ()

    def svg(self, font: str = "") -> Markup:
        """The drawing."""
        return (
            charts.bars(self.bars, font=font)
            if self.bars
            else charts.lines(self.periods, self.series, font=font)
        )


@dataclass(frozen=True)
class Part:
    """One section: its heading, its sentences, its charts and the tables with their figures."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class QualityReport:
    """Everything that stands in the report; `draft` until its run is published."""

    title: str
    unit: str
    period: str
    made_on: dt.date
    made_by: str
    parts: tuple[Part, ...]
    annexes: tuple[Table, ...]
    fingerprint: Fingerprint
    published: str = ""

    @property
    def draft(self) -> bool:
        """Whether the report is not published yet."""
        return not self.published


def quality_report(facts: QualityReport, letterhead: Letterhead) -> bytes:
    """The report as a file: portrait pages, the annexes with every column on pages laid across."""
    mark = f"{letterhead.organ_short}{letterhead.department}"
    font = fonts.family("heiti", own=letterhead.heiti, folder=letterhead.font_folder).css
    html = compose(
        "quality_report.html",
        letterhead,
        title=facts.title,
        facts=facts,
        mark=mark,
        mark_size=fitting_size(mark, MARK_WIDTH, largest=MARK_SIZE, smallest=10, face="xiaobiaosong"),
        title_lines=title_lines(facts.title, facts.unit),
        font=font,
    )
    expected = Expected(facts.title, 0, [("单位", printable(facts.unit)), ("考核期", month(facts.period))])
    return single(html, About(facts.title, facts.made_on), letterhead=letterhead, expected=[expected])


def title_lines(title: str, unit: str) -> Sequence[str]:
    """The title in one line where it fits, else the unit in lines of its own."""
    setting = Lines(TITLE_SIZE, "xiaobiaosong")
    whole, above = printable(title), printable(unit)
    lines = break_lines(whole, TITLE_WIDTH, setting=setting, words=())
    if len(lines) == 1 or not whole.startswith(above):
        return lines
    return [
        *break_lines(above, TITLE_WIDTH, setting=setting, words=()),
        *break_lines(whole.removeprefix(above), TITLE_WIDTH, setting=setting, words=()),
    ]
