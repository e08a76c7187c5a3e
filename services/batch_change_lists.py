"""Lists of third parties: the police's door plates, village renames, the post office's postcodes, as CSV or XLSX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

from quality.addresses import split_address
from quality.batch_renames import LONGEST_NUMBER, Entry, Known, index, tidy_name, tidy_number
from quality.postcodes import judge_postcode
from services import Refused, csv_files, files, import_facts, workbooks
from services.headings import plain_heading

HEADING_ROWS = 20
MOST = 200_000
COLUMNS = {
    "door_plate_change": {
        "old": "原路名 原道路 原道路名 旧路名 原街路巷 原街路巷名称",
        "number": "原门牌号 原门牌 原号码 旧门牌号 旧门牌",
        "new": "新路名 新道路 新道路名 现路名 新街路巷 新街路巷名称",
        "new_number": "新门牌号 新门牌 新号码 现门牌号 现门牌",
        "old_address": "原地址 旧地址 原门牌地址 变更前地址",
        "new_address": "新地址 现地址 新门牌地址 变更后地址",
    },
    "village_rename": {
        "old": "原名称 原村名 旧名称 原村居 原村居名称 原社区",
        "new": "新名称 新村名 现名称 新村居 新村居名称 新社区",
    },
    "postcode_list": {
        "old": "地名 路名 村名 街路巷 村居 路名村名 投递地 名称",
        "new": "邮编 邮政编码 邮码",
    },
}
SHARED = {
    "town": "镇街 街道 乡镇 镇街道 乡镇街道 所属镇街",
    "unit": "供电单位 供电所 单位",
    "since": "变更日期 启用日期 生效日期 更名日期 批准日期",
}
NEEDED = {
    "door_plate_change": ("old", "number", "new", "new_number"),
    "village_rename": ("old", "new"),
    "postcode_list": ("old", "new"),
}


def read_list(path: Path, kind: str) -> tuple[Entry, ...]:
    """The entries of a list; refused when a column is missing, it is too long, or nothing in it can be used."""
    entries = tuple(islice(_entries(path, kind), MOST + 1))
    if len(entries) > MOST:
        raise Refused("清单超过 %(most)s 行。请按镇街分成几份，分别提出批量变更。", most=MOST)
    if not entries:
        raise Refused("清单里没有可用的行：每行都要有原名称和新名称。请核对后再上传。")
    return entries


@lru_cache(maxsize=4)
def stored_list(sha256: str, kind: str) -> tuple[Entry, ...]:
    """The entries of a list that was uploaded, read once a process."""
    return read_list(files.location(sha256), kind)


@lru_cache(maxsize=4)
def stored_index(sha256: str, kind: str) -> Known:
    """The same, ready for looking up."""
    return index(stored_list(sha256, kind))


def _entries(path: Path, kind: str) -> Iterator[Entry]:
    records = _records(path)
    places: Mapping[str, int] | None = None
    for number, cells in records:
        if places is None:
            places = _heading(cells, kind)
            if places is None and number >= HEADING_ROWS:
                break
            continue
        entry = _entry(number, _named(cells, places), kind)
        if entry is not None:
            yield entry
    if places is None:
        wanted = "、".join(COLUMNS[kind][name].split()[0] for name in NEEDED[kind])
        raise Refused("清单里没有找到需要的标题：%(wanted)s。请在第一行写上这些标题后再上传。", wanted=wanted)


def _records(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    if not path.is_file() or path.stat().st_size == 0:
        raise Refused("清单文件是空的，请重新选择。")
    if workbooks.is_workbook(path):
        return workbooks.records(path)
    encoding = csv_files.detect_encoding(path).name
    tops = csv_files.tops(path, encoding, 1)
    delimiter = max(tops, key=lambda sign: len(tops[sign][0]) if tops[sign] else 0)
    return csv_files.records(path, encoding, delimiter)


def _heading(cells: Sequence[str], kind: str) -> dict[str, int] | None:
    """Which column stands where; None where a row is no heading of this kind."""
    said = {plain_heading(cell): place for place, cell in enumerate(cells)}
    words = {name: text.split() for name, text in (COLUMNS[kind] | SHARED).items()}
    found = {name: said[word] for name, known in words.items() for word in known if word in said}
    is_whole = {"old_address", "new_address"} <= found.keys() or set(NEEDED[kind]) <= found.keys()
    return found if is_whole else None


def _named(cells: Sequence[str], places: Mapping[str, int]) -> dict[str, str]:
    return {name: cells[place].strip() for name, place in places.items() if place < len(cells)}


def _entry(number: int, said: Mapping[str, str], kind: str) -> Entry | None:
    old, plate, new = _old_and_new(said, kind)
    if len(old) < 2 or not new or (kind == "door_plate_change" and not 0 < len(plate) <= LONGEST_NUMBER):
        return None
    since = import_facts.read_day(said.get("since", ""))
    return Entry(
        number, old, new, plate,
        town=tidy_name(said.get("town", "")), unit=said.get("unit", ""), since=since.isoformat() if since else "",
    )  # fmt: skip


def _old_and_new(said: Mapping[str, str], kind: str) -> tuple[str, str, str]:
    if kind == "postcode_list":
        return tidy_name(said.get("old", "")), "", judge_postcode(said.get("new", "")).value
    if kind == "village_rename":
        return tidy_name(said.get("old", "")), "", tidy_name(said.get("new", ""))
    if said.get("old_address"):
        (road, plate), (new_road, new_plate) = (_split(said[name]) for name in ("old_address", "new_address"))
        return road, plate, f"{new_road}{new_plate}" if new_road and new_plate else ""
    new = tidy_name(said.get("new", "")) + tidy_number(said.get("new_number", ""))
    return tidy_name(said.get("old", "")), tidy_number(said.get("number", "")), new


def _split(address: str) -> tuple[str, str]:
    """The road and the plate of a whole address."""
    parts = split_address(address)
    road = parts.road or parts.lane or parts.village
    lane = parts.lane if parts.road else ""
    return road, f"{lane}{parts.number}"
