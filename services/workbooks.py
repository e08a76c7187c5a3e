"""XLSX files: read in a child process with limits, which dies with its parent, and streamed back row by row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from services import Refused
from services.workbook_reader import CELL, ROW

MAX_BYTES = 100 * 1024 * 1024
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_PARTS = 2000

Record = tuple[int, tuple[str, ...]]

_READER = Path(__file__).with_name("workbook_reader.py")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


@dataclass(frozen=True)
class Sheet:
    """A sheet that is open: its name, its number of rows, the first ones, and all of them with their numbers, once."""

    name: str
    height: int
    top: tuple[tuple[str, ...], ...]
    records: Iterator[Record]


def is_workbook(path: Path) -> bool:
    """Whether the file is an XLSX workbook; what only looks like one is refused with the reason."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == b"\xd0\xcf\x11\xe0":
        raise _compound_file(path)
    if magic != b"PK\x03\x04":
        return False
    _check_parts(path)
    return True


def look_into(path: Path, count: int) -> Sheet:
    """Open the first sheet that holds something: its first `count` rows are there, the child waits with the others."""
    answers = _answers(path)
    head = next(answers, None)
    if head is None:
        raise _too_heavy(path)
    rows = _rows(path, answers)
    top = list(islice(rows, count))
    texts = tuple(cells for _number, cells in top)
    return Sheet(str(head["sheet"]), int(head["height"]), texts, chain(top, rows))


def records(path: Path) -> Iterator[Record]:
    """Every row with its number in the spreadsheet; numbers are written out as text, dates as 2026-01-05."""
    yield from look_into(path, 0).records


def _rows(path: Path, answers: Iterator[dict[str, Any]]) -> Iterator[Record]:
    for answer in answers:
        if "end" in answer:
            return
        yield from enumerate(map(tuple, answer["rows"]), start=answer["n"])
    raise _too_heavy(path)


def _answers(path: Path) -> Iterator[dict[str, Any]]:
    """What the child says: head, blocks of rows, end. It ends with this generator, read to the end or dropped."""
    command = [sys.executable, "-P", str(_READER), str(path), str(os.getpid())]
    quiet = subprocess.DEVNULL
    # Our own reader, its arguments as a list: no shell sees the file's name.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=quiet, stderr=quiet) as child:  # noqa: S603
        try:
            assert child.stdout is not None  # noqa: S101 a pipe
            while line := child.stdout.readline():
                answer = _answer(path, line.decode("utf-8"))
                if "size" in answer:
                    answer["rows"] = _block(path, child.stdout.read(answer["size"]), answer["size"])
                yield answer
        finally:
            child.kill()


def _block(path: Path, written: bytes, size: int) -> list[list[str]]:
    if len(written) < size:
        raise _too_heavy(path)
    return [cells.split(CELL) for cells in written.decode("utf-8").split(ROW)]


def _answer(path: Path, line: str) -> dict[str, Any]:
    if not line.endswith("\n"):
        raise _too_heavy(path)
    answer: dict[str, Any] = json.loads(line)
    if "error" not in answer:
        return answer
    if answer["error"] == "empty":
        raise Refused("文件“%(name)s”里没有内容,请检查导出的是不是客户清单。", name=path.name)
    if answer["error"] == "too_wide":
        raise Refused("文件“%(name)s”的列数超过 500,不是客户清单。请删除多余的列后再试。", name=path.name)
    raise Refused("文件“%(name)s”已损坏,打不开。请在电子表格软件中重新另存为 XLSX 后再试。", name=path.name)


def _check_parts(path: Path) -> None:
    if path.stat().st_size > MAX_BYTES:
        raise Refused(
            "文件“%(name)s”超过 100 MB。请拆成几个文件,或另存为 CSV(大小不限)后再试。",
            name=path.name,
        )
    try:
        with zipfile.ZipFile(path) as parts:
            listed = parts.infolist()
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Refused("文件“%(name)s”已损坏,打不开。请重新导出后再试。", name=path.name) from error
    if not any(part.filename == "xl/workbook.xml" for part in listed):
        raise Refused(
            "文件“%(name)s”是压缩文件或其他文件,不是电子表格。请另存为 XLSX 或 CSV 后再试。",
            name=path.name,
        )
    if len(listed) > MAX_PARTS or sum(part.file_size for part in listed) > MAX_UNPACKED:
        raise _too_heavy(path)


def _too_heavy(path: Path) -> Refused:
    return Refused(
        "文件“%(name)s”解开后太大,或读取时超过了内存、时间的限制。请删除空白的行列和图片,"
        "或另存为 CSV 后再试。",
        name=path.name,
    )


def _compound_file(path: Path) -> Refused:
    with path.open("rb") as file:
        is_locked = _ENCRYPTED in file.read(1 << 20)
    if is_locked:
        return Refused(
            "文件“%(name)s”设有打开密码,读不了。请在电子表格软件中取消密码后另存,再试一次。",
            name=path.name,
        )
    return Refused(
        "文件“%(name)s”是旧版 Excel 格式(.xls)。请在电子表格软件中另存为 XLSX 或 CSV 后再试。",
        name=path.name,
    )
