"""Reading a stamped file from end to end as it lies on disk, and cutting pages out of it for others to read.

A reader of PDF keeps every page that it walked past: for a large run that is more memory than making it took. This
goes through the file once, object by object, and holds the index alone.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np

from paper.page_files import CATALOGUE, PAGES, written

TAIL = 64
STORED, PACKED = 1, 2  # kinds of objects: by themselves, in a stream with others
_OBJECT_END, _STREAM_END = b"\nendobj\n", b"\nendstream\nendobj\n"
_START = re.compile(rb"startxref\n(\d+)\n%%EOF\n\Z")
_LENGTH, _SIZE, _FIRST, _COUNT, _CONTENTS = (
    re.compile(rb"/%b (\d+)" % name) for name in (b"Length", b"Size", b"First", b"Count", b"Contents")
)
_KIDS = re.compile(rb"/Kids\[([^]]*)\]")
_PARENT = re.compile(rb"/Parent \d+ 0 R")
_SHARED = re.compile(rb"/MediaBox\[[^]]*\]/Resources (\d+) 0 R")


class Damaged(Exception):
    """A file that is not as it was written; the message names the object."""


class FinishedFile:
    """A stamped file: its index, and its objects by their numbers."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.end = file.seek(0, io.SEEK_END)
        self.kinds, self.places, self.nth = self._index()
        self.known: tuple[int, list[bytes]] = (0, [])

    def pages(self) -> list[int]:
        """The numbers of all pages in order; every object of the file is read once, and each page must be whole."""
        found: list[int] = []
        for number, content in self._stored():
            if b"/Type/ObjStm" in content[:99]:
                found += self._pages_in(number, content)
        tree = [page for node in self._kids(PAGES) for page in self._kids(node)]
        if sorted(found) != sorted(tree) or _number(_COUNT, self.object(PAGES)) != len(tree):
            raise Damaged("/Pages")
        return tree

    def object(self, number: int) -> bytes:
        """What stands between `obj` and `endobj`."""
        holder = int(self.places[number])
        if self.kinds[number] == PACKED:
            if self.known[0] != holder:
                self.known = holder, [content for _number, content in _unpacked(holder, self._at(holder))]
            return self.known[1][int(self.nth[number])]
        return self._at(number)[len(b"%d 0 obj\n" % number) : -len(_OBJECT_END)]

    def cut_out(self, pages: Iterable[int]) -> bytes:
        """A file of these pages alone, their bytes as they are."""
        shared = _SHARED.search(self.object(PAGES))
        if shared is None:
            raise Damaged("/Pages")
        found = {
            number: self.object(number)
            for number in np.flatnonzero(self.kinds == STORED).tolist()
            if number >= int(shared[1])
        }
        kids = list(pages)
        for page in kids:
            found[page] = _PARENT.sub(b"/Parent %d 0 R" % PAGES, self.object(page))
            content = _number(_CONTENTS, found[page])
            found[content] = self.object(content)
        references = b" ".join(b"%d 0 R" % page for page in kids)
        found[CATALOGUE] = b"<</Type/Catalog/Pages %d 0 R>>" % PAGES
        found[PAGES] = b"<</Type/Pages/Count %d%b/Kids[%b]>>" % (len(kids), shared[0], references)
        return _file(found)

    def _index(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kind, place and place within of each object."""
        self.file.seek(max(0, self.end - TAIL))
        start = _START.search(self.file.read())
        if start is None:
            raise Damaged("startxref")
        self.file.seek(int(start[1]))
        content = self.file.read(self.end - int(start[1]))
        self.end = int(start[1]) + content.index(b"startxref")
        rows = np.frombuffer(_inflated(0, content[: self.end - int(start[1])]), dtype=np.uint8)
        rows = np.cumsum(rows.reshape(-1, 9)[:, 1:], axis=0, dtype=np.uint8)
        if len(rows) != _number(_SIZE, content):
            raise Damaged("/XRef")
        places = rows[:, 1:6].astype(np.int64) @ (256 ** np.arange(4, -1, -1))
        return rows[:, 0], places, rows[:, 6:].astype(np.int64) @ np.array([256, 1])

    def _stored(self) -> Iterator[tuple[int, bytes]]:
        """Every object that stands by itself, in the order of the file, which has nothing between them."""
        numbers = np.flatnonzero(self.kinds == STORED)
        numbers = numbers[np.argsort(self.places[numbers])]
        starts = self.places[numbers]
        self.file.seek(int(starts[0]))
        for number, size in zip(numbers.tolist(), np.diff(starts, append=self.end).tolist(), strict=True):
            yield number, _whole(number, self.file.read(size))

    def _at(self, number: int) -> bytes:
        """An object that stands by itself, as it is in the file."""
        if self.kinds[number] != STORED:
            raise Damaged(str(number))
        start = int(self.places[number])
        later = self.places[(self.kinds == STORED) & (self.places > start)]
        self.file.seek(start)
        return _whole(number, self.file.read((int(later.min()) if len(later) else self.end) - start))

    def _pages_in(self, holder: int, content: bytes) -> list[int]:
        """The pages among the objects of a stream; each must be where the index says, its content too."""
        objects = _unpacked(holder, content)
        numbers = [number for number, _content in objects]
        found = np.stack([self.kinds[numbers], self.places[numbers], self.nth[numbers]])
        if (found[:2].T != (PACKED, holder)).any() or (found[2] != np.arange(len(objects))).any():
            raise Damaged(str(holder))
        pages = [(number, one) for number, one in objects if one.startswith(b"<</Type/Page/")]
        contents = [_number(_CONTENTS, one) for _page, one in pages]
        if (self.kinds[contents] != STORED).any():
            raise Damaged(str(holder))
        return [number for number, _content in pages]

    def _kids(self, node: int) -> list[int]:
        kids = _KIDS.search(self.object(node))
        return [int(one) for one in kids[1].split()[::3]] if kids else []


def _number(pattern: re.Pattern[bytes], content: bytes) -> int:
    found = pattern.search(content)
    if found is None:
        raise Damaged(pattern.pattern.decode())
    return int(found[1])


def _whole(number: int, content: bytes) -> bytes:
    """An object as it stands in the file, or an error where anything of it is missing."""
    if not content.startswith(b"%d 0 obj\n" % number) or not content.endswith(_OBJECT_END):
        raise Damaged(str(number))
    if content.endswith(_STREAM_END):
        start = content.index(b"stream\n") + 7
        head = content[:start]
        if _number(_LENGTH, head) != len(content) - start - len(_STREAM_END):
            raise Damaged(str(number))
        if b"/FlateDecode" in head:
            _inflated(number, content)
    return content


def _inflated(number: int, content: bytes) -> bytes:
    try:
        return zlib.decompress(content[content.index(b"stream\n") + 7 : -len(_STREAM_END)])
    except (zlib.error, ValueError):
        raise Damaged(str(number)) from None


def _unpacked(holder: int, content: bytes) -> list[tuple[int, bytes]]:
    """The objects of a stream that holds several, with their numbers."""
    body, first = _inflated(holder, content), _number(_FIRST, content)
    pairs = [int(one) for one in body[:first].split()]
    ends = [*pairs[3::2], len(body) - first + 1]
    return [
        (number, body[first + start : first + end - 1])
        for number, start, end in zip(pairs[::2], pairs[1::2], ends, strict=True)
    ]


def _file(objects: dict[int, bytes]) -> bytes:
    """Objects as a file."""
    parts, places, at = [b"%PDF-1.7\n"], {}, 9
    for number, content in sorted(objects.items()):
        parts.append(written(number, content))
        places[number], at = at, at + len(parts[-1])
    rows = b"".join(b"%d 1\n%010d 00000 n \n" % (number, place) for number, place in places.items())
    trailer = b"trailer<</Size %d/Root %d 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (max(places) + 1, CATALOGUE, at)
    return b"".join([*parts, b"xref\n0 1\n0000000000 65535 f \n", rows, trailer])
