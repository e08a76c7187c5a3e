"""Zip files of tables: the same rows give the same bytes, whenever and wherever they are written."""

from __future__ import annotations

import csv
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import Any

EPOCH = (1980, 1, 1, 0, 0, 0)


def put_text(package: zipfile.ZipFile, name: str, text: str) -> None:
    """Put a text in as one entry."""
    package.writestr(_entry(name), text.encode())


def put_file(package: zipfile.ZipFile, name: str, source: Path) -> None:
    """Put the content of a file in as one entry."""
    with open(source, "rb") as file, package.open(_entry(name), "w") as target:
        shutil.copyfileobj(file, target)


def put_table(
    package: zipfile.ZipFile, name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Put a table in as CSV, row by row."""
    with package.open(_entry(name), "w", force_zip64=True) as raw:
        with TextIOWrapper(raw, encoding="utf-8", newline="") as text:
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)


def table_rows(package: zipfile.ZipFile, name: str) -> Iterator[dict[str, str]]:
    """The rows of a table that was put in."""
    with package.open(name) as raw, TextIOWrapper(raw, encoding="utf-8", newline="") as text:
        yield from csv.DictReader(text)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry
