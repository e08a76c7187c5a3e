"""Files of divisions and renames: who reads them, what their columns are called, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.said import Said
from quality.divisions import MUNICIPALITIES, cities_of, provinces
from services import Refused, csv_files
from services.import_facts import read_day

COLUMNS = {
    "province": ("province", "省", "省份", "省级"),
    "city": ("city", "市", "地市", "地级"),
    "county": ("county", "区县", "县区", "县级"),
    "town": ("town", "乡镇", "乡镇街道", "镇街", "乡级"),
    "old_name": ("old_name", "原名称", "原名", "旧名称"),
    "new_name": ("new_name", "现名称", "现名", "新名称"),
    "changed_on": ("changed_on", "变更日期", "更名日期", "生效日期"),
    "source": ("source", "来源", "依据", "文号"),
}
LONGEST = {"county": 40, "town": 60, "old_name": 60, "new_name": 60, "source": 120}


@dataclass(frozen=True)
class PlaceRow:
    """One line: a division, or with `old_name` a county (a town, where its county is given) that has a new name."""

    line: int
    province: str
    city: str = ""
    county: str = ""
    town: str = ""
    old_name: str = ""
    new_name: str = ""
    changed_on: date | None = None
    source: str = ""

    def division(self) -> dict[str, Any]:
        """What the table of divisions holds of it."""
        return {name: getattr(self, name) for name in ("province", "city", "county", "town", "source")}

    def rename(self) -> dict[str, Any]:
        """What the table of renames holds of it."""
        names = ("province", "city", "county", "old_name", "new_name", "changed_on", "source")
        return {name: getattr(self, name) for name in names}


def read_rows(path: Path) -> list[PlaceRow]:
    """The lines of a file of divisions or renames; refused at the first one that cannot be right."""
    rows, faults = look_into(path)
    if faults:
        raise Refused(faults[0].text, **faults[0].values)
    return rows


def look_into(path: Path) -> tuple[list[PlaceRow], list[Said]]:
    """The lines of a file that can be right, and what is wrong with each other; refused where it is no such file."""
    encoding = csv_files.detect_encoding(path)
    records = [
        (at, cells) for at, cells in csv_files.records(path, encoding.name, ",") if any(map(str.strip, cells))
    ]
    names = _names(records[0][1]) if records else []
    is_rename = "old_name" in names
    needed = ("province", "old_name", "new_name", "changed_on") if is_rename else ("province", "county")
    missing = [COLUMNS[name][1] for name in needed if name not in names]
    if missing:
        raise Refused(
            "%(name)s 第 1 行缺少列：%(missing)s。行政区划文件要有 省、市、区县、乡镇，"
            "更名文件要有 省、市、区县（乡镇更名时填）、原名称、现名称、变更日期；来源可填文号。",
            name=path.name,
            missing="、".join(missing),
        )
    rows: list[PlaceRow] = []
    faults: list[Said] = []
    seen: dict[tuple[str, ...], int] = {}
    for at, cells in records[1:]:
        try:
            row = _row(at, dict(zip(names, (cell.strip() for cell in cells), strict=False)))
            _refuse_twice(row, seen)
        except Refused as refusal:
            faults.append(refusal.message)
        else:
            rows.append(row)
    return rows, faults


def _names(heading: Sequence[str]) -> list[str]:
    said = {word: name for name, words in COLUMNS.items() for word in words}
    return [said.get(cell.strip().lower(), "") for cell in heading]


def _row(line: int, cells: Mapping[str, str]) -> PlaceRow:
    texts = {name: cells.get(name, "") for name in COLUMNS if name != "changed_on"}
    row = PlaceRow(line, **texts, changed_on=read_day(cells.get("changed_on", "")))
    _check_above(row)
    _check_names(row)
    return row


def _check_above(row: PlaceRow) -> None:
    if row.province not in provinces():
        raise Refused("第 %(line)s 行：省「%(name)s」要写全称，如 广东省。", line=row.line, name=row.province)
    needs_city = row.province not in MUNICIPALITIES
    if (row.city in cities_of(row.province)) != needs_city or (row.city and not needs_city):
        raise Refused(
            "第 %(line)s 行：%(province)s没有「%(name)s」这个地市，要写全称，如 佛山市；直辖市的市一栏留空。",
            line=row.line,
            province=row.province,
            name=row.city,
        )


def _check_names(row: PlaceRow) -> None:
    if row.old_name and not (row.new_name and row.changed_on):
        raise Refused("第 %(line)s 行：更名要填现名称和变更日期（如 2016-11-24）。", line=row.line)
    if not row.old_name and not (row.county or row.town):
        raise Refused("第 %(line)s 行：区县和乡镇至少要填一个。", line=row.line)
    for name, longest in LONGEST.items():
        text = getattr(row, name)
        is_short = name != "source" and len(text) == 1
        if (
            len(text) > longest
            or is_short
            or (name != "source" and any(char in "0123456789" for char in text))
        ):
            raise Refused(
                "第 %(line)s 行：「%(text)s」不像地名：要有两个字以上，不带数字，最长 %(longest)s 个字。",
                line=row.line,
                text=text[:60],
                longest=longest,
            )


def _refuse_twice(row: PlaceRow, seen: dict[tuple[str, ...], int]) -> None:
    key = (row.province, row.city, row.county, row.town, row.old_name)
    if key in seen:
        raise Refused("第 %(line)s 行和第 %(first)s 行说的是同一个地方。", line=row.line, first=seen[key])
    seen[key] = row.line
