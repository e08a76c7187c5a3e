"""Where the elements of a BPMN picture stand: blocks side by side on one line, arms of a fork below each other. Pure.

Every block has its entry and its exit on its own line (y = 0); boxes never overlap, so no flow crosses another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

Point = tuple[float, float]
TASK, EVENT, GATEWAY = (120.0, 80.0), (36.0, 36.0), (50.0, 50.0)
GAP, ROW_GAP, PADDING = 50.0, 40.0, 30.0
LABEL_WIDTH, LABEL_HEIGHT = 150.0, 48.0
SIGNS_A_LINE, LINE = 11, 14.0


@dataclass(frozen=True)
class Shape:
    """One element: its XML tag, what it is called, its box, and what stands inside the tag.

    `parent` is the sub-process it lies in. `note` goes into its documentation, `data` is kept for reading it back.
    """

    id: str
    tag: str
    name: str = ""
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    parent: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    inner: str = ""
    note: str = ""
    data: str = ""

    @property
    def is_small(self) -> bool:
        """Whether its name stands beside it: events and gateways hold no text."""
        return self.tag.endswith("Event") or self.tag.endswith("Gateway")


@dataclass(frozen=True)
class Flow:
    """One arrow with its bends; `condition` is the sentence under which it is taken."""

    source: str
    target: str
    points: tuple[Point, ...]
    name: str = ""
    condition: str = ""
    parent: str = ""
    way: str = ""

    @property
    def id(self) -> str:
        """Two elements have one arrow between them, or one a way."""
        return f"flow__{self.source}__{self.target}" + (f"__{self.way}" if self.way else "")


@dataclass(frozen=True)
class Block:
    """Elements that belong together, from x = 0 to `width`, `up` above the line and `down` below it."""

    width: float
    up: float
    down: float
    first: str = ""
    last: str = ""
    shapes: tuple[Shape, ...] = ()
    flows: tuple[Flow, ...] = ()


@dataclass(frozen=True)
class Arm:
    """One way out of a fork: its key, name and condition, and what stands on it."""

    key: str
    block: Block
    name: str = ""
    condition: str = ""


EMPTY = Block(0.0, 0.0, 0.0)


def single(shape: Shape) -> Block:
    """A block of one element."""
    width, height = TASK
    if shape.is_small:
        width, height = GATEWAY if shape.tag.endswith("Gateway") else EVENT
    placed = replace(shape, box=(0.0, -height / 2, width, height))
    label = LABEL_HEIGHT if shape.is_small and shape.name else 0.0
    return Block(width, height / 2, height / 2 + label, shape.id, shape.id, (placed,))


def sequence(blocks: Iterable[Block]) -> Block:
    """Blocks one after the other on one line, an arrow between each two."""
    shapes: list[Shape] = []
    flows: list[Flow] = []
    whole = EMPTY
    for block in (one for one in blocks if one.first):
        at = whole.width + (GAP if whole.first else 0.0)
        moved = shifted(block, at, 0.0)
        if whole.first:
            flows.append(Flow(whole.last, block.first, ((whole.width, 0.0), (at, 0.0))))
        shapes += moved.shapes
        flows += moved.flows
        whole = Block(
            at + block.width,
            max(whole.up, block.up),
            max(whole.down, block.down),
            whole.first or block.first,
            block.last,
        )
    return replace(whole, shapes=tuple(shapes), flows=tuple(flows))


def forked(head: Shape, arms: Sequence[Arm], join: Shape) -> Block:
    """A fork with its arms below each other, the first on the line, and where they come together again."""
    begin, end = single(head), single(join)
    named = any(arm.name for arm in arms)
    at = begin.width + (LABEL_WIDTH + 20.0 if named else GAP)
    widest = max(arm.block.width for arm in arms)
    join_at = at + widest + GAP
    rows = _rows(arms, begin)
    shapes = [*begin.shapes, *shifted(end, join_at, 0.0).shapes]
    flows: list[Flow] = []
    for arm, row in zip(arms, rows, strict=True):
        shapes += shifted(arm.block, at, row).shapes
        flows += shifted(arm.block, at, row).flows
        flows += _arm_flows(arm, row, (head, begin.width, at), (join, end.width, join_at))
    return Block(
        join_at + end.width,
        max(begin.up, arms[0].block.up, LABEL_HEIGHT if named or head.name else 0.0),
        max(rows[-1] + arms[-1].block.down, begin.down, 0.0),
        head.id,
        join.id,
        tuple(shapes),
        tuple(flows),
    )


def guarded(main: Block, boundary: Shape, failed: Block, merge: Shape) -> Block:
    """A block, one of whose tasks or boxes has what follows its failure below all of it, led back behind it."""
    radius, end = EVENT[0] / 2, single(merge)
    host = next(one.box for one in main.shapes if one.id == dict(boundary.attributes)["attachedToRef"])
    x, bottom = host[0] + host[2] - radius - 12.0, host[1] + host[3]
    begin = host[0] + host[2] + 10.0
    row = max(main.down, bottom) + radius + LABEL_HEIGHT + failed.up
    merge_at = max(main.width, begin + failed.width) + GAP
    middle = merge_at + end.width / 2
    start, turn, back = (x, bottom + radius), (x, row), ((middle, row), (middle, end.width / 2))
    lower = shifted(failed, begin, row)
    ways = [Flow(boundary.id, merge.id, (start, turn, *back))]
    if failed.first:
        ways = [
            Flow(boundary.id, failed.first, (start, turn, (begin, row))),
            Flow(failed.last, merge.id, ((begin + failed.width, row), *back)),
        ]
    on = Flow(main.last, merge.id, ((main.width, 0.0), (merge_at, 0.0)))
    return Block(
        merge_at + end.width,
        max(main.up, end.up),
        row + max(failed.down, 10.0),
        main.first,
        merge.id,
        (*main.shapes, replace(boundary, box=(x - radius, bottom - radius, *EVENT)), *lower.shapes)
        + shifted(end, merge_at, 0.0).shapes,
        (*main.flows, *lower.flows, on, *ways),
    )


def boxed(shape: Shape, inside: Block) -> Block:
    """A sub-process around what it holds; everything inside is told so."""
    left, top = PADDING, inside.up + PADDING + LINE
    width, height = inside.width + 2 * PADDING, top + inside.down + PADDING
    moved = shifted(inside, left, 0.0)
    own = [replace(one, parent=one.parent or shape.id) for one in moved.shapes]
    flows = [replace(one, parent=one.parent or shape.id) for one in moved.flows]
    box = replace(shape, box=(0.0, -top, width, height))
    return Block(width, top, height - top, shape.id, shape.id, (box, *own), tuple(flows))


def shifted(block: Block, x: float, y: float) -> Block:
    """The same block somewhere else."""
    shapes = tuple(
        replace(one, box=(one.box[0] + x, one.box[1] + y, one.box[2], one.box[3])) for one in block.shapes
    )
    flows = tuple(
        replace(one, points=tuple((px + x, py + y) for px, py in one.points)) for one in block.flows
    )
    return replace(block, shapes=shapes, flows=flows)


def label_box(shape: Shape) -> tuple[float, float, float, float]:
    """Where the name of an event or gateway stands: above a gateway, below an event."""
    x, y, width, height = shape.box
    wide = 76.0 if shape.tag.endswith("Gateway") else 96.0
    high = LINE * lines_of(shape.name, 6 if wide < 90 else 8)
    top = y - high - 4 if shape.tag.endswith("Gateway") else y + height + 4
    return (x + width / 2 - wide / 2, top, wide, high)


def flow_label_box(flow: Flow) -> tuple[float, float, float, float]:
    """Where the name of an arrow stands: above its first level part, at its beginning."""
    (x, y), high = flow.points[1 if len(flow.points) > 2 else 0], LINE * lines_of(flow.name, SIGNS_A_LINE)
    return (x + 14, y - high - 3, LABEL_WIDTH - 10, high)


def lines_of(text: str, signs: int) -> int:
    """How many lines a text takes."""
    return max(1, -(-len(text) // signs))


def _rows(arms: Sequence[Arm], begin: Block) -> list[float]:
    """The lines of the arms: the first on the fork's own, each further one clear of the one above."""
    rows = [0.0]
    below = max(arms[0].block.down, begin.down)
    for arm in arms[1:]:
        above = max(arm.block.up, LABEL_HEIGHT if arm.name else 0.0, 10.0)
        rows.append(rows[-1] + below + ROW_GAP + above)
        below = max(arm.block.down, 10.0)
    return rows


def _arm_flows(
    arm: Arm, row: float, begin: tuple[Shape, float, float], end: tuple[Shape, float, float]
) -> list[Flow]:
    (head, wide, at), (join, join_wide, join_at) = begin, end
    straight = row == 0.0
    start = ((wide, 0.0),) if straight else ((wide / 2, wide / 2), (wide / 2, row))
    middle = join_at + join_wide / 2
    back: tuple[Point, ...] = ((join_at, 0.0),) if straight else ((middle, row), (middle, join_wide / 2))
    if not arm.block.first:
        return [Flow(head.id, join.id, (*start, *back), arm.name, arm.condition, way=arm.key)]
    return [
        Flow(head.id, arm.block.first, (*start, (at, row)), arm.name, arm.condition, way=arm.key),
        Flow(arm.block.last, join.id, ((at + arm.block.width, row), *back)),
    ]
