"""XLSX files: read in a child process with limits, which dies with its parent, and streamed back row by row."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any

from services import Refused

MAX_BYTES = 100 * 1024 * 1024
MAX_UNPACKED = 1024 * 1024 * 1024
MAX_PARTS = 2000

_READER = Path(__file__).with_name("workbook_reader.py")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


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


def look_into(path: Path, count: int) -> tuple[str, int, list[tuple[str, ...]]]:
    """The name of the sheet that is read (the first one that holds something), its number of rows, and the first."""
    with _reading(path) as lines:
        head = _answer(path, next(lines, ""))
        top = [cells for _number, cells in islice(_rows(path, lines), count)]
        return str(head["sheet"]), int(head["height"]), top


def records(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every row with its number in the spreadsheet; numbers are written out as text, dates as 2026-01-05."""
    with _reading(path) as lines:
        _answer(path, next(lines, ""))
        yield from _rows(path, lines)


def _rows(path: Path, lines: Iterator[str]) -> Iterator[tuple[int, tuple[str, ...]]]:
    for line in lines:
        answer = _answer(path, line)
        if "end" in answer:
            return
        yield from enumerate(map(tuple, answer["rows"]), start=answer["n"])
    raise _too_heavy(path)


@contextmanager
def _reading(path: Path) -> Iterator[Iterator[str]]:
    command = [sys.executable, "-P", str(_READER), str(path), str(os.getpid())]
    quiet = subprocess.DEVNULL
    # Our own reader, its arguments as a list: no shell sees the file's name.
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=quiet, stderr=quiet) as child:  # noqa: S603
        try:
            yield _lines(child.stdout)
        finally:
            child.kill()


def _lines(pipe: IO[bytes] | None) -> Iterator[str]:
    for line in pipe or ():
        yield line.decode("utf-8")


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
