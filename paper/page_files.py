"""Writing a file of many alike pages as they come: nothing is held but the offsets of objects.

The numbers of all objects of a block of pages follow from the number of the block, so that any process can make it
without knowing the others: three for each page (content, page, structure element), then those of the block
(structure, number tree, and the stream that holds its small objects). The roots have the first numbers; what all
pages share (fonts, static pages, drawings) is known last and has the last. Contents are not compressed: they are
short strings of glyphs, and packing them would take longer than making them.
"""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pikepdf

from paper.merging import About, described

COPIES = 100  # of one block
LEVEL = 1
CATALOGUE, PAGES, STRUCTURE, DOCUMENT, NUMBERS, INFO, SMALL, INDEX, FIRST = range(1, 10)
EACH, EACH_BLOCK = 3, 4
Entry = tuple[int, int, int]  # of the index: kind, place, place within


@dataclass(frozen=True)
class Plan:
    """The numbers of the objects of blocks of at most so many pages."""

    pages: int

    def first(self, block: int) -> int:
        """The page tree's node of a block; its structure, its numbers, its stream and its pages follow."""
        return FIRST + block * (EACH_BLOCK + EACH * self.pages)

    def content(self, block: int, page: int) -> int:
        """The content of a page of a block; the page itself and its structure element follow."""
        return self.first(block) + EACH_BLOCK + EACH * page


@dataclass(frozen=True)
class Block:
    """The pages of some copies as they stand in the file, and the sizes of their contents and of their stream."""

    number: int
    content: bytes
    sizes: Sequence[int]

    @property
    def pages(self) -> int:
        return len(self.sizes) - 1


def block(number: int, contents: Sequence[bytes], plan: Plan) -> Block:
    """Pages with all that belongs to them alone."""
    first, key = plan.first(number), number * plan.pages
    parts, small = [], []
    for at, content in enumerate(contents):
        one = plan.content(number, at)
        parts.append(
            b"%d 0 obj\n<</Length %d>>stream\n%b\nendstream\nendobj\n" % (one, len(content), content)
        )
        small.append(
            b"<</Type/Page/Parent %d 0 R/Contents %d 0 R/StructParents %d/Tabs/S>>" % (first, one, key + at)
        )
        small.append(b"<</S/Sect/P %d 0 R/Pg %d 0 R/K 0>>" % (first + 1, one + 1))
    elements = [plan.content(number, at) + 2 for at in range(len(contents))]
    small.append(b"<</S/Part/P %d 0 R/K[%b]>>" % (DOCUMENT, _references(elements)))
    numbers = b" ".join(b"%d[%d 0 R]" % (key + at, one) for at, one in enumerate(elements))
    small.append(b"<</Limits[%d %d]/Nums[%b]>>" % (key, key + len(contents) - 1, numbers))
    parts.append(written(first + 3, _small(_small_numbers(plan, number, len(contents)), small)))
    return Block(number, b"".join(parts), [len(part) for part in parts])


def _small_numbers(plan: Plan, number: int, pages: int) -> list[int]:
    """The numbers of a block's objects without streams, in the order in which they stand in their stream."""
    first = plan.first(number)
    contents = [plan.content(number, at) for at in range(pages)]
    return [*(one + nth for one in contents for nth in (1, 2)), first + 1, first + 2]


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % one for one in numbers)


def written(number: int, content: bytes) -> bytes:
    """An object as it stands in a file."""
    return b"%d 0 obj\n%b\nendobj\n" % (number, content)


def stream(content: bytes, head: bytes = b"") -> bytes:
    """A compressed stream; `head` holds what its dictionary says besides."""
    packed = zlib.compress(content, LEVEL)
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (head, len(packed), packed)


def _small(numbers: Sequence[int], contents: Sequence[bytes]) -> bytes:
    """Objects without streams, together in one compressed stream."""
    offsets, at = [], 0
    for number, content in zip(numbers, contents, strict=True):
        offsets.append(b"%d %d" % (number, at))
        at += len(content) + 1
    head = b" ".join(offsets) + b"\n"
    return stream(head + b"\n".join(contents), b"/Type/ObjStm/N %d/First %d" % (len(contents), len(head)))


def numbered(root: pikepdf.Object, first: int) -> list[tuple[int, bytes]]:
    """An object and all that it refers to, as they are written, with numbers from `first` on; its own is `first`."""
    kept = _reachable(root)
    numbers = {one.objgen: at for at, one in enumerate(kept, start=first)}
    return [(numbers[one.objgen], _written(one, numbers)) for one in kept]


def _reachable(first: pikepdf.Object) -> list[pikepdf.Object]:
    """Every indirect object below one, each once, in the order in which they are met."""
    found, waiting = {first.objgen: first}, [first]
    while waiting:
        for child in _children(waiting.pop(0)):
            if child.is_indirect and child.objgen not in found:
                found[child.objgen] = child
            elif child.is_indirect:
                continue
            waiting.append(child)
    return list(found.values())


def _children(one: pikepdf.Object) -> list[pikepdf.Object]:
    if isinstance(one, pikepdf.Stream):
        one = one.stream_dict
    values = (
        one.values() if isinstance(one, pikepdf.Dictionary) else one if isinstance(one, pikepdf.Array) else []
    )
    return [value for value in values if isinstance(value, pikepdf.Object)]


def _written(one: pikepdf.Object, numbers: dict[tuple[int, int], int]) -> bytes:
    if not isinstance(one, pikepdf.Stream):
        return _text(one, numbers, top=True)
    content = one.read_raw_bytes()
    head = pikepdf.Dictionary(dict(one.stream_dict.items()))
    head.Length = len(content)
    return _text(head, numbers, top=True) + b"\nstream\n" + content + b"\nendstream"


def _text(one: object, numbers: dict[tuple[int, int], int], *, top: bool = False) -> bytes:
    """An object as it stands in a file, its references with their new numbers."""
    if isinstance(one, pikepdf.Object) and one.is_indirect and not top:
        return b"%d 0 R" % numbers[one.objgen]
    if isinstance(one, pikepdf.Dictionary):
        items = (
            pikepdf.Name(key).unparse() + b" " + _text(value, numbers) for key, value in sorted(one.items())
        )
        return b"<<" + b" ".join(items) + b">>"
    if isinstance(one, pikepdf.Array):
        return b"[" + b" ".join(_text(value, numbers) for value in one) + b"]"
    return one.unparse() if isinstance(one, pikepdf.Object) else pikepdf.Array([one]).unparse()[2:-2]


class PageFile:
    """A file on its way to disk, with what its index must know of each object."""

    def __init__(self, file: BinaryIO, plan: Plan) -> None:
        self.file, self.plan, self.at = file, plan, 0
        self.digest = hashlib.sha1(usedforsecurity=False)
        self.blocks: list[tuple[int, int, Sequence[int]]] = []  # number, offset, sizes
        self.others: dict[int, Entry] = {0: (0, 0, 0xFFFF)}
        self._put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")

    @property
    def pages(self) -> int:
        return sum(len(sizes) - 1 for _number, _at, sizes in self.blocks)

    def add(self, block: Block) -> None:
        """Take the next block; one without pages leaves its numbers free."""
        if block.pages:
            self.blocks.append((block.number, self.at, array("I", block.sizes)))
            self._put(block.content)

    @property
    def next_number(self) -> int:
        """The first number behind those of all blocks."""
        return self.plan.first(self.blocks[-1][0] + 1) if self.blocks else FIRST

    def finish(self, shared: Sequence[tuple[int, bytes]], size: tuple[float, float], about: About) -> None:
        """What all pages share (first their resources), the roots of all trees, and the index; size in points."""
        for number, content in shared:
            self._put_object(number, content)
        small = [*self._roots(shared[0][0], size, about), *self._nodes()]
        self.others |= {number: (2, SMALL, nth) for nth, (number, _content) in enumerate(small)}
        self._put_object(SMALL, _small([one for one, _ in small], [content for _, content in small]))
        identity, start = self.digest.hexdigest()[:32].encode(), self.at
        self.others[INDEX] = (1, start, 0)
        widths, content = _packed_index(self._index(shared[-1][0] + 1))
        head = b"/Type/XRef/W[%b]/Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]" % (
            b" ".join(b"%d" % width for width in widths),
            shared[-1][0] + 1,
            CATALOGUE,
            INFO,
            identity,
            identity,
        )
        columns = b"/DecodeParms<</Predictor 12/Columns %d>>" % sum(widths)
        self._put(written(INDEX, stream(content, head + columns)))
        self._put(b"startxref\n%d\n%%%%EOF\n" % start)

    def _put(self, content: bytes) -> None:
        self.file.write(content)
        self.digest.update(content)
        self.at += len(content)

    def _put_object(self, number: int, content: bytes) -> None:
        self.others[number] = (1, self.at, 0)
        self._put(written(number, content))

    def _nodes(self) -> list[tuple[int, bytes]]:
        """The page tree's node of each block, beside the root: who looks for a page need not unpack every block."""
        found = []
        for number, _at, sizes in self.blocks:
            pages = [self.plan.content(number, at) + 1 for at in range(len(sizes) - 1)]
            content = b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (
                PAGES,
                len(pages),
                _references(pages),
            )
            found.append((self.plan.first(number), content))
        return found

    def _roots(self, resources: int, size: tuple[float, float], about: About) -> list[tuple[int, bytes]]:
        firsts = [self.plan.first(number) for number, _at, _sizes in self.blocks]
        nodes, parts, numbers = (_references([one + nth for one in firsts]) for nth in range(3))
        view, info = described(about)
        contents = (
            b"<</Type/Catalog/Pages %d 0 R/Lang(zh-CN)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R"
            b"/ViewerPreferences %b>>" % (PAGES, STRUCTURE, view.unparse()),
            b"<</Type/Pages/Count %d/MediaBox[0 0 %.6f %.6f]/Resources %d 0 R/Kids[%b]>>"
            % (self.pages, *size, resources, nodes),
            b"<</Type/StructTreeRoot/K %d 0 R/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (DOCUMENT, NUMBERS, (self.blocks[-1][0] + 1) * self.plan.pages),
            b"<</S/Document/P %d 0 R/K[%b]>>" % (STRUCTURE, parts),
            b"<</Kids[%b]>>" % numbers,
            info.unparse(),
        )
        return list(enumerate(contents, start=CATALOGUE))

    def _index(self, size: int) -> np.ndarray:
        """A row for each object: kind, place (offset, or the stream that holds it), and which of it there."""
        index = np.zeros(size, dtype=[("kind", "u1"), ("where", ">u8"), ("nth", ">u2")])
        for number, at, sizes in self.blocks:
            ends = at + np.cumsum(sizes)
            starts = np.concatenate([[at], ends[:-1]])
            contents = self.plan.content(number, 0) + EACH * np.arange(len(sizes) - 1)
            own = self.plan.first(number) + 3
            index["kind"][[*contents, own]], index["where"][[*contents, own]] = 1, starts
            small = _small_numbers(self.plan, number, len(contents))
            index["kind"][small], index["where"][small] = 2, own
            index["nth"][small] = np.arange(len(small))
        for one, entry in self.others.items():
            index[one] = entry
        return index


def _packed_index(index: np.ndarray) -> tuple[tuple[int, int, int], bytes]:
    """The widths of the columns of the index, and its rows as differences to the row above."""
    rows = np.frombuffer(index.tobytes(), dtype=np.uint8).reshape(len(index), 11)
    rows = np.concatenate([rows[:, :1], rows[:, 4:]], axis=1)  # 40 bits are a terabyte
    before = np.vstack([np.zeros((1, rows.shape[1]), np.uint8), rows[:-1]])
    marked = np.concatenate([np.full((len(rows), 1), 2, np.uint8), rows - before], axis=1)
    return (1, 5, 2), marked.tobytes()
