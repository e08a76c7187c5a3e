"""Writing a file of many alike pages as they come: nothing is held but one group of pages and the offsets of objects.

The numbers of all objects follow from the number of pages, so that a group can be written without knowing the others:
first the shared objects (fonts, static pages), then three for each page (content, page, structure element), then
those of each group (page tree, structure, number tree, and the stream that holds all small objects of the group).
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
import pikepdf

from paper.merging import About, described

GROUP = 100
LEVEL, WINDOW, MEMORY = (
    1,
    12,
    5,
)  # zlib: streams are short, and making ready for large ones would take longest
EACH, EACH_GROUP, LAST = 3, 4, 7


@dataclass(frozen=True)
class Shared:
    """What all pages share: numbered objects, the number of their resources, and the size of a page in points."""

    objects: Sequence[tuple[int, bytes]]
    resources: int
    size: tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """The numbers of all objects of a file of so many pages."""

    shared: int
    pages: int

    @property
    def groups(self) -> int:
        return (self.pages + GROUP - 1) // GROUP

    def content(self, page: int) -> int:
        """The content of a page; the page itself and its structure element follow."""
        return self.shared + 1 + EACH * page

    def group(self, group: int) -> int:
        """The page tree's node of a group; its structure, its numbers and its stream follow."""
        return self.content(self.pages) + EACH_GROUP * group

    @property
    def root(self) -> int:
        """The catalogue; then page tree, structure, document element, number tree, their stream, description, index."""
        return self.group(self.groups)

    @property
    def size(self) -> int:
        return self.root + LAST + 1


def shared_objects(pdf: pikepdf.Pdf) -> Shared:
    """The pages of a laid-out file as forms /S0, /S1 …, with their fonts, as numbered objects to be written."""
    with pikepdf.new() as out:
        forms = {f"/S{at}": out.copy_foreign(page.as_form_xobject()) for at, page in enumerate(pdf.pages)}
        fonts = out.copy_foreign(
            pdf.make_indirect(pikepdf.Dictionary(dict(pdf.pages[0].Resources.Font.items())))
        )
        out.Root.Shared = out.make_indirect(pikepdf.Dictionary(XObject=forms, Font=fonts))
        kept = _reachable(out.Root.Shared)
        numbers = {one.objgen: at for at, one in enumerate(kept, start=1)}
        objects = [(numbers[one.objgen], _written(one, numbers)) for one in kept]
        box = [float(value) for value in pdf.pages[0].MediaBox]
        return Shared(objects, numbers[out.Root.Shared.objgen], (box[2], box[3]))


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


def write_pages(
    file: BinaryIO, shared: Shared, contents: Iterable[bytes], *, pages: int, about: About
) -> int:
    """Write a whole file, page by page as `contents` gives them; returns how many bytes it has."""
    writer = _Writer(file, Plan(len(shared.objects), pages))
    writer.put(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    for number, content in shared.objects:
        writer.add(number, content)
    source = iter(contents)
    for group in range(writer.plan.groups):
        writer.add_group(group, source)
    writer.finish(shared, about)
    return writer.at


class _Writer:
    """Objects on their way into a file, with what the index must know of each."""

    def __init__(self, file: BinaryIO, plan: Plan) -> None:
        self.file, self.plan, self.at = file, plan, 0
        self.digest = hashlib.md5(usedforsecurity=False)
        self.nodes: list[tuple[int, bytes]] = []
        self.index = np.zeros(plan.size, dtype=[("kind", "u1"), ("where", ">u8"), ("nth", ">u2")])

    def put(self, content: bytes) -> None:
        self.file.write(content)
        self.digest.update(content)
        self.at += len(content)

    def add(self, number: int, content: bytes) -> None:
        self.index[number] = (1, self.at, 0)
        self.put(b"%d 0 obj\n%b\nendobj\n" % (number, content))

    def add_group(self, group: int, contents: Iterator[bytes]) -> None:
        """The pages of one group, then everything small of it in one stream."""
        plan, node = self.plan, self.plan.group(group)
        numbers = range(group * GROUP, min((group + 1) * GROUP, plan.pages))
        small: list[tuple[int, bytes]] = []
        for page, content in zip(numbers, contents, strict=False):
            first = plan.content(page)
            self.add(first, stream(content))
            small.append((first + 1, _page(first, node, page)))
            small.append((first + 2, b"<</S/Sect/P %d 0 R/Pg %d 0 R/K 0>>" % (node + 1, first + 1)))
        tree, *rest = _group(plan, node, numbers)
        self.nodes.append(tree)  # together with the root: who looks for a page need not unpack every group
        small += rest
        self.add_small(node + 3, small)

    def add_small(self, number: int, small: Sequence[tuple[int, bytes]]) -> None:
        """Objects without streams, together in one compressed stream."""
        offsets, at = [], 0
        numbers = [one for one, _content in small]
        self.index["kind"][numbers], self.index["where"][numbers] = 2, number
        self.index["nth"][numbers] = range(len(small))
        for one, content in small:
            offsets.append(b"%d %d" % (one, at))
            at += len(content) + 1
        head = b" ".join(offsets) + b"\n"
        body = head + b"\n".join(content for _one, content in small)
        self.add(number, stream(body, b"/Type/ObjStm/N %d/First %d" % (len(small), len(head))))

    def finish(self, shared: Shared, about: About) -> None:
        """The roots of all trees, the description, and the index."""
        plan, root = self.plan, self.plan.root
        self.add_small(root + 5, [*_roots(plan, shared, about), *self.nodes])
        identity = self.digest.hexdigest().encode()
        self.index[root + LAST] = (1, self.at, 0)
        self.index[0] = (0, 0, 0xFFFF)
        rows, content = _packed_index(self.index)
        head = b"/Type/XRef/W[%b]/Size %d/Root %d 0 R/Info %d 0 R/ID[<%b><%b>]" % (
            b" ".join(b"%d" % width for width in rows),
            plan.size,
            root,
            root + 6,
            identity,
            identity,
        )
        columns = b"/DecodeParms<</Predictor 12/Columns %d>>" % sum(rows)
        start = self.at
        self.put(
            b"%d 0 obj\n%b\nendobj\nstartxref\n%d\n%%%%EOF\n"
            % (root + LAST, stream(content, head + columns), start)
        )


def stream(content: bytes, head: bytes = b"") -> bytes:
    """A compressed stream object."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, WINDOW, MEMORY)
    packed = packer.compress(content) + packer.flush()
    return b"<<%b/Filter/FlateDecode/Length %d>>stream\n%b\nendstream" % (head, len(packed), packed)


def _page(content: int, parent: int, page: int) -> bytes:
    return b"<</Type/Page/Parent %d 0 R/Contents %d 0 R/StructParents %d/Tabs/S>>" % (parent, content, page)


def _group(plan: Plan, node: int, pages: range) -> list[tuple[int, bytes]]:
    """The three nodes of a group: page tree, structure, and which structure element belongs to which page."""
    kids = b" ".join(b"%d 0 R" % (plan.content(page) + 1) for page in pages)
    parts = b" ".join(b"%d 0 R" % (plan.content(page) + 2) for page in pages)
    numbers = b" ".join(b"%d[%d 0 R]" % (page, plan.content(page) + 2) for page in pages)
    return [
        (node, b"<</Type/Pages/Parent %d 0 R/Count %d/Kids[%b]>>" % (plan.root + 1, len(pages), kids)),
        (node + 1, b"<</S/Part/P %d 0 R/K[%b]>>" % (plan.root + 3, parts)),
        (node + 2, b"<</Limits[%d %d]/Nums[%b]>>" % (pages[0], pages[-1], numbers)),
    ]


def _roots(plan: Plan, shared: Shared, about: About) -> list[tuple[int, bytes]]:
    root = plan.root
    nodes = [
        b" ".join(b"%d 0 R" % (plan.group(group) + at) for group in range(plan.groups)) for at in range(3)
    ]
    view, info = described(about)
    return [
        (
            root,
            b"<</Type/Catalog/Pages %d 0 R/Lang(zh-CN)/MarkInfo<</Marked true>>/StructTreeRoot %d 0 R"
            b"/ViewerPreferences %b>>" % (root + 1, root + 2, view.unparse()),
        ),
        (
            root + 1,
            b"<</Type/Pages/Count %d/MediaBox[0 0 %.6f %.6f]/Resources %d 0 R/Kids[%b]>>"
            % (plan.pages, *shared.size, shared.resources, nodes[0]),
        ),
        (
            root + 2,
            b"<</Type/StructTreeRoot/K %d 0 R/ParentTree %d 0 R/ParentTreeNextKey %d>>"
            % (root + 3, root + 4, plan.pages),
        ),
        (root + 3, b"<</S/Document/P %d 0 R/K[%b]>>" % (root + 2, nodes[1])),
        (root + 4, b"<</Kids[%b]>>" % nodes[2]),
        (root + 6, info.unparse()),
    ]


def _packed_index(index: np.ndarray) -> tuple[tuple[int, int, int], bytes]:
    """The widths of the columns of the index, and its rows as differences to the row above."""
    rows = np.frombuffer(index.tobytes(), dtype=np.uint8).reshape(len(index), 11)
    rows = np.concatenate([rows[:, :1], rows[:, 4:]], axis=1)  # 40 bits are a terabyte
    before = np.vstack([np.zeros((1, rows.shape[1]), np.uint8), rows[:-1]])
    marked = np.concatenate([np.full((len(rows), 1), 2, np.uint8), rows - before], axis=1)
    return (1, 5, 2), marked.tobytes()
