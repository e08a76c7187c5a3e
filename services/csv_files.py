"""CSV files as bureaus have them: the encoding and the delimiter are found out, the records streamed."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from models.words import N_, Said
from services import Refused

DELIMITERS = (",", "\t", ";")

_BLOCK = 1 << 20
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_OTHER_FILES = (
    (b"%PDF", N_("PDF 文件")),
    (b"\x89PNG", N_("图片")),
    (b"\xff\xd8\xff", N_("图片")),
    (b"\xd0\xcf\x11\xe0", N_("旧版 Excel(.xls)文件,或设有密码的文件")),
    (b"PK\x03\x04", N_("压缩文件")),
    (b"Rar!", N_("压缩文件")),
    (b"<html", N_("网页")),
    (b"<!doctype html", N_("网页")),
    (b"<table", N_("网页")),
    (b"<?xml", N_("XML 文件")),
)


@dataclass(frozen=True)
class Encoding:
    """How a file's bytes are read; `damaged` counts places that no encoding explains, `lines` the line ends."""

    name: str
    lines: int
    damaged: int = 0


def detect_encoding(path: Path) -> Encoding:
    """UTF-8 with or without BOM, UTF-16 or GB18030, by reading the whole file once in blocks."""
    with path.open("rb") as file:
        head = file.read(4096)
    _refuse_other_files(path, head)
    name = _marked(head) or _unmarked_utf16(head)
    if _is_binary(head.decode(name or "latin-1", "replace")):
        raise _not_a_table(path, N_("不是文本文件"))
    if name:
        return _checked(path, name)
    utf8 = _try(path, "utf-8")
    if not utf8.damaged or utf8.damaged * 100 <= _high_bytes(path):
        return utf8
    return _checked(path, "gb18030")


def records(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Every record with its number as a spreadsheet shows it (blank lines count, quoted line breaks do not)."""
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        reader = csv.reader(file, delimiter=delimiter)
        number = 0
        try:
            for number, cells in enumerate(reader, start=1):
                yield number, tuple(cells)
        except csv.Error as error:
            raise Refused(
                "文件“%(name)s”从第 %(row)s 行(文本第 %(line)s 行附近)起读不下去,多半是少了一个引号。"
                "请检查这一行的引号后再试。",
                name=path.name,
                row=number + 1,
                line=reader.line_num,
            ) from error


def tops(path: Path, encoding: str, count: int) -> dict[str, list[tuple[str, ...]]]:
    """The first records as each delimiter would cut them."""
    return {sign: [cells for _number, cells in islice(_leniently(path, encoding, sign), count)] for sign in DELIMITERS}


def _leniently(path: Path, encoding: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    try:
        yield from records(path, encoding, delimiter)
    except Refused:
        return


def _refuse_other_files(path: Path, head: bytes) -> None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, what in _OTHER_FILES:
        if start[: len(magic)].lower() == magic.lower():
            raise _not_a_table(path, Said("是%(what)s", what=what))


def _not_a_table(path: Path, why: str) -> Refused:
    return Refused(
        "文件“%(name)s”%(why)s,不是客户清单。请在电子表格软件中另存为 XLSX 或 CSV 后再试。",
        name=path.name,
        why=why,
    )


def _marked(head: bytes) -> str:
    return next((name for bom, name in _BOMS if head.startswith(bom)), "")


def _unmarked_utf16(head: bytes) -> str:
    """UTF-16 without its mark: digits, commas and line ends leave zeros in every second byte."""
    pairs = max(len(head) // 2, 1)
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd * 10 > pairs and even * 50 < odd:
        return "utf-16-le"
    if even * 10 > pairs and odd * 50 < even:
        return "utf-16-be"
    return ""


def _is_binary(head: str) -> bool:
    """Whether it is full of characters that no text has; one that strayed into a cell costs nobody the file."""
    strange = sum(char < " " and char not in "\t\r\n\f\x1a" for char in head)
    return "\x00" in head or strange > max(4, len(head) // 50)


def _checked(path: Path, name: str) -> Encoding:
    found = _try(path, name)
    if found.damaged * 1000 > path.stat().st_size:
        raise Refused(
            "文件“%(name)s”的文字编码认不出来(试过 UTF-8、UTF-16、GB18030)。"
            "请在电子表格软件中另存为“CSV UTF-8”或 XLSX 后再试。",
            name=path.name,
        )
    return found


def _try(path: Path, name: str) -> Encoding:
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    damaged = lines = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = decoder.decode(block)
            damaged += text.count("\ufffd")
            lines += text.count("\n")
    damaged += decoder.decode(b"", final=True).count("\ufffd")
    return Encoding(name, lines, damaged)


def _high_bytes(path: Path) -> int:
    with path.open("rb") as file:
        return sum(len(block) - len(block.translate(None, _HIGH)) for block in iter(lambda: file.read(_BLOCK), b""))


_HIGH = bytes(range(128, 256))
