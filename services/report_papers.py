"""A monthly report as PDF, as XLSX and for the screen: the same rows in the same order, out of the same facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from paper import reports as papers
from paper.bulletins import NUMERALS
from paper.charts import Bar, Series
from paper.figures import Fingerprint
from paper.tables import Column, Table
from services import letterheads, reports
from services.table_files import Marks, SheetOf, write_workbook

PER_MM = 0.8  # characters of a spreadsheet column for a millimetre on paper


def shown(facts: Mapping[str, Any], *, persons: bool) -> dict[str, Any]:
    """The facts as one may see them: numbered headings and tables; persons only where one may see them."""
    parts: list[dict[str, Any]] = []
    tables = charts = 0
    for part in facts["parts"]:
        kept = [table for table in part["tables"] if persons or not table["is_personal"]]
        if part["tables"] and not kept and not part["paragraphs"]:
            continue
        numbered = [table | {"name": f"表{at}"} for at, table in enumerate(kept, tables + 1)]
        drawn = [chart | {"name": f"图{at}"} for at, chart in enumerate(part["charts"], charts + 1)]
        tables, charts = tables + len(kept), charts + len(drawn)
        heading = f"{NUMERALS[len(parts)]}、{part['heading']}"
        parts.append(part | {"heading": heading, "tables": numbered, "charts": drawn})
    many = len(facts["annexes"]) > 1
    annexes = [
        one | {"name": f"附表{at if many else ''}"} for at, one in enumerate(facts["annexes"], start=1)
    ]
    return {**facts, "parts": parts, "annexes": annexes}


def pdf(facts: Mapping[str, Any], published: str, *, persons: bool) -> bytes:
    """The report as PDF; slow, so never inside a writing transaction."""
    head = letterheads.from_plain(facts["letterhead"])
    return papers.quality_report(printed(facts, published, persons=persons), head)


def printed(facts: Mapping[str, Any], published: str, *, persons: bool) -> papers.QualityReport:
    """The report as paper takes it."""
    told = shown(facts, persons=persons)
    return papers.QualityReport(
        title=told["title"],
        unit=told["unit"],
        period=told["period"],
        made_on=date.fromisoformat(told["made_on"]),
        made_by=told["made_by"],
        parts=tuple(_part(part) for part in told["parts"]),
        annexes=tuple(_table(table) for table in told["annexes"]),
        fingerprint=Fingerprint(
            str(told["run"]), datetime.fromisoformat(told["taken_at"]), reports.digest(facts)
        ),
        published=published,
    )


def workbook(facts: Mapping[str, Any], published: str, path: Path, *, persons: bool) -> None:
    """The report as a workbook, one sheet a table; the foot names run, fingerprint and page."""
    told = shown(facts, persons=persons)
    state = f"发布编号 {published}" if published else "草稿，尚未发布"
    mark = f"{told['title']}　{state}　运行号 {told['run']}　核验 {reports.digest(facts)[:8]}"
    marks = Marks(told["title"], datetime.fromisoformat(told["taken_at"]), mark)
    write_workbook(path, _sheets(told, mark), marks)


def file_name(facts: Mapping[str, Any], kind: str) -> str:
    """文种_单位_期.pdf, as documents of the house are named."""
    return f"{reports.NAME}_{facts['unit']}_{facts['period']}.{kind}"


def chart_of(chart: Mapping[str, Any]) -> papers.Chart:
    """A chart of the facts, to be drawn."""
    bars = tuple(Bar(one["label"], one["value"], one["target"]) for one in chart["bars"])
    series = tuple(Series(one["label"], tuple(one["values"])) for one in chart["series"])
    return papers.Chart(chart["caption"], bars, tuple(chart["periods"]), series)


def _part(part: Mapping[str, Any]) -> papers.Part:
    charts, tables = tuple(map(chart_of, part["charts"])), tuple(map(_table, part["tables"]))
    return papers.Part(part["heading"], tuple(part["paragraphs"]), charts, tables)


def _table(table: Mapping[str, Any]) -> Table:
    columns = tuple(Column(label, width, align) for label, width, align in table["columns"])
    return Table(table["caption"], columns, tuple(tuple(row) for row in table["rows"]))


def _sheets(told: Mapping[str, Any], mark: str) -> Iterator[SheetOf]:
    lines = [told["title"], mark]
    for part in told["parts"]:
        lines += ["", part["heading"], *part["paragraphs"]]
    yield SheetOf("说明", ("说明",), ((line,) for line in lines), widths=(100,))
    for table in [*(one for part in told["parts"] for one in part["tables"]), *told["annexes"]]:
        headings = [label.replace("\n", "") for label, _width, _align in table["columns"]]
        widths = [width * PER_MM for _label, width, _align in table["columns"]]
        name = f"{table['name']} {table['caption']}"
        yield SheetOf(name, headings, table["rows"], widths=widths)
