"""Breaking an address or a name into lines of a given width, where a reader would break it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from paper.fonts import MM_PER_PT, ems, text_width

WINDOW_WIDTH = 60.0  # mm: x 27-87 of the letter
WINDOW_SIZES = (10.5, 9.0, 8.0)  # pt, largest first
ADDRESS_LINES = 3
BAD_END, FURTHER_LINE = 0.6, 0.1  # what a line end inside a name, and one more line, cost the reader
HAIR = 1e-6  # mm: sums of widths differ by the order of adding
BLOCK_LINES = 4  # address and name together; the postcode has a line of its own

_UNITS = "号栋幢座室房楼层单元弄巷街路队组之"
_TOKENS = re.compile(
    rf"[0-9０-９A-Za-z#@._]+(?:[-－][0-9０-９A-Za-z]+)*[{_UNITS}]*[）)、，；]*|转[0-9]+|[（(〈《]+.|.[）)〉》、，。；：·]+|.",
    re.DOTALL,
)
_GOOD_ENDS = " ·、，；省市区县镇乡村道路街巷里弄号园苑城湾厦场栋幢座院司厂部"


@dataclass(frozen=True)
class AddressBlock:
    """The lines that stand in the window, all at one size in pt; the last of them end with 收."""

    postcode: str
    address: tuple[str, ...]
    addressee: tuple[str, ...]
    size: float

    @property
    def lines(self) -> tuple[str, ...]:
        """All lines from top to bottom."""
        return tuple(line for line in (self.postcode, *self.address, *self.addressee) if line)


@dataclass(frozen=True)
class SetText:
    """A value as it is set in its box: its lines, their size in pt, and whether its end had to be cut off."""

    lines: tuple[str, ...]
    size: float
    cut: bool = False

    @property
    def pitch(self) -> float:
        """The distance of the lines in mm."""
        return self.size * MM_PER_PT * 1.18


Value = str | tuple[str, ...] | SetText  # a text, one whose lines are given, one that is set already


def lines_of(value: Value) -> tuple[str, ...]:
    """The lines of a value, or the whole of it as one."""
    if isinstance(value, SetText):
        return value.lines
    return (value,) if isinstance(value, str) else value


@dataclass(frozen=True)
class Setting:
    """How a text is set: size in pt, face (or its families in order), and the folder of the bureau's own fonts."""

    size: float
    face: str | tuple[str, ...] = "heiti"
    folder: str = ""

    def width(self, text: str) -> float:
        return text_width(text, self.size, face=self.face, folder=self.folder)


def address_block(
    address: str, addressee: str, postcode: str = "", *, folder: str = "", width: float = WINDOW_WIDTH
) -> AddressBlock | None:
    """Set the window's block at 10.5, then 9, then 8 pt; None where it does not fit at any. `width` is in mm."""
    text, name = " ".join(address.split()), " ".join(addressee.split())
    if not text or not name:
        return None
    for size in WINDOW_SIZES:
        setting = Setting(size, folder=folder)
        names = break_lines(f"{name}　收", width, setting=setting)
        most = min(ADDRESS_LINES, BLOCK_LINES - len(names))
        lines = break_lines(text, width, setting=setting, most=most)
        if len(lines) <= most:
            return AddressBlock(postcode.strip(), tuple(lines), tuple(names), size)
    return None


def break_lines(
    text: str, width: float, *, setting: Setting, most: int = 1, words: Sequence[str] = ()
) -> list[str]:
    """Lines of `width` mm, broken after a road or house: the fewest, or up to `most` where that reads better."""
    if most == 1 and setting.width(text) <= width:
        return [text.strip()]
    tokens, widths = _measured(_pattern(tuple(words)).findall(text), width, setting)
    fewest = _greedy(widths, width)
    counts = range(fewest, max(most, fewest) + 1)
    phrases, sums = _phrases(tokens, widths)
    if max(sums, default=0) <= width:
        cost, lines = _best_lines(phrases, sums, width, counts)
        if cost < BAD_END:  # then no line that ends inside a phrase reads better
            return lines
    return _best_lines(tokens, widths, width, counts)[1]


def _best_lines(
    parts: list[str], widths: list[float], width: float, counts: range
) -> tuple[float, list[str]]:
    """The lines that read best of so many, and what they cost the reader."""
    breaks = _Breaks(parts, widths, width)
    cost, starts = breaks.best(0, counts[0])
    for extra, count in enumerate(counts[1:], start=1):
        if cost > FURTHER_LINE * extra + breaks.least(count):  # else it cannot get better
            more, others = breaks.best(0, count)
            cost, starts = min((cost, starts), (more + FURTHER_LINE * extra, others))
    ends = [*starts[1:], len(parts)]
    return cost, ["".join(parts[start:end]).strip() for start, end in zip(starts, ends, strict=True)]


def _phrases(tokens: list[str], widths: list[float]) -> tuple[list[str], list[float]]:
    """Tokens put together up to where a line ends well."""
    phrases, sums, phrase, total = [], [], "", 0.0
    for token, width in zip(tokens, widths, strict=True):
        phrase, total = phrase + token, total + width
        if token[-1] in _GOOD_ENDS:
            phrases.append(phrase)
            sums.append(total)
            phrase, total = "", 0.0
    return ([*phrases, phrase], [*sums, total]) if phrase else (phrases, sums)


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join([*map(re.escape, words), _TOKENS.pattern]), re.DOTALL)


def set_text(
    text: str,
    width: float,
    *,
    sizes: Sequence[tuple[float, int]],
    face: str | tuple[str, ...] = "fangsong",
    folder: str = "",
) -> SetText:
    """Set a value at the first (size, lines) that holds it; what the last cannot hold ends with …."""
    text = " ".join(text.split())
    lines: list[str] = []
    whole = sum(map(ems(face, folder).__getitem__, text)) * MM_PER_PT
    for at, (size, most) in enumerate(sizes, start=1):
        if whole * size <= width:
            return SetText((text,) if text else (), size)
        if whole * size > width * most and at < len(sizes):
            continue
        lines = break_lines(text, width, setting=Setting(size, face, folder))
        if len(lines) <= most:
            return SetText(tuple(lines), size)
    return SetText((*lines[: most - 1], f"{lines[most - 1][:-1]}…"), size, cut=True)


def fitting_size(text: str, width: float, *, largest: float, smallest: float, face: str = "heiti") -> float:
    """The largest size in pt (in half points) at which a text stays on one line of `width` mm."""
    size = largest
    while size > smallest and text_width(text, size, face=face) > width:
        size -= 0.5
    return size


def _measured(tokens: list[str], width: float, setting: Setting) -> tuple[list[str], list[float]]:
    """Tokens with their widths; a run of letters or digits wider than a whole line is taken character by character."""
    of, scale = ems(setting.face, setting.folder).__getitem__, setting.size * MM_PER_PT
    widths = [sum(map(of, token)) * scale for token in tokens]
    if max(widths, default=0) <= width:
        return tokens, widths
    split: list[str] = []
    for token, one in zip(tokens, widths, strict=True):
        split.extend(token if one > width else [token])
    return split, [sum(map(of, token)) * scale for token in split]


def _greedy(widths: list[float], width: float) -> int:
    lines, used = 1, 0.0
    for one in widths:
        if used and used + one > width + HAIR:
            lines, used = lines + 1, 0.0
        used += one
    return lines


class _Breaks:
    """Where the lines of one text start so that they read best: bad ends and uneven lengths cost."""

    def __init__(self, tokens: list[str], widths: list[float], width: float) -> None:
        self.width, self.count = width, len(tokens)
        self.ends = [0.0, *(_end_cost(one, two) for one, two in zip(tokens, tokens[1:], strict=False))]
        self.upto = [0.0, *accumulate(widths)]
        self.known: dict[tuple[int, int], tuple[float, tuple[int, ...]]] = {}

    def least(self, lines: int) -> float:
        """What so many lines cost at least: as much as lines of one length."""
        room = lines * self.width
        return (1 - self.upto[-1] / room) ** 2 * lines if self.upto[-1] < room else 0.0

    def best(self, start: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """What so many lines from a token on cost, and where they start."""
        key = start, lines
        if key not in self.known:
            self.known[key] = self._last(start) if lines == 1 else self._found(start, lines)
        return self.known[key]

    def _last(self, start: int) -> tuple[float, tuple[int, ...]]:
        used = self.upto[-1] - self.upto[start]
        if used > self.width + HAIR and start < self.count - 1:
            return float("inf"), (start,)
        return (1 - used / self.width) ** 2 if used < self.width else 0.0, (start,)

    def _found(self, start: int, lines: int) -> tuple[float, tuple[int, ...]]:
        found: tuple[float, tuple[int, ...]] = (float("inf"), (start,))
        width, upto, before = self.width, self.upto, self.upto[start]
        furthest = max(start + 1, bisect_right(upto, before + width + HAIR) - 1)
        room = (lines - 1) * width
        nearest = bisect_left(upto, upto[-1] - room - HAIR)  # what is left must fit, or cannot be parted
        for end in range(
            min(furthest, self.count - 1), max(start, min(nearest, self.count - lines + 1) - 1), -1
        ):
            used, left = upto[end] - before, upto[-1] - upto[end]
            cost = self.ends[end] + ((1 - used / width) ** 2 if used < width else 0.0)
            even = (
                (1 - left / room) ** 2 * (lines - 1) if left < room else 0.0
            )  # lines of one length cost least
            if cost + even <= found[0] + HAIR:
                rest, starts = self.best(end, lines - 1)
                found = min(found, (cost + rest, (start, *starts)))
        return found


def _end_cost(last: str, following: str) -> float:
    """A line ends well after a road, estate or house, but a house number likes to stay with its road."""
    if last[-1] not in _GOOD_ENDS:
        return BAD_END
    return FURTHER_LINE if following[0].isdigit() and last[-1] in "路街道巷村" else 0.0
