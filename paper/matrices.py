"""Square codes in microseconds: for a fixed version, level and mask a code is an affine function of its bits.

The bits of two texts of one length differ in a few places; each differing bit adds (XOR) its own matrix, made once
with segno. ISO/IEC 18004: alphanumeric mode holds two characters in eleven bits; masks and Reed-Solomon are linear.
"""

from __future__ import annotations

from functools import lru_cache

import segno

ALPHANUMERIC = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
MASK = 2
_VALUES = {one: at for at, one in enumerate(ALPHANUMERIC)}
_PAIRS = {
    one + two: _VALUES[one] * 45 + _VALUES[two] for one in ALPHANUMERIC for two in ALPHANUMERIC
} | _VALUES
Rows = tuple[bytes, ...]


def packed(text: str, error: str = "Q") -> tuple[int, bytes]:
    """Modules on a side, and the rows as bits, each padded to whole bytes; 1 is dark."""
    family = _family(len(text), error)
    try:
        return family.side, family.modules(text)
    except KeyError:  # no alphanumeric text
        rows = matrix(text, error)
        return len(rows), _bits(rows)


def matrix(text: str, error: str = "Q") -> Rows:
    """The modules of a code as segno makes it with the house's mask: the smallest version that holds the text."""
    mode = "alphanumeric" if _VALUES.keys() >= set(text) else None
    code = segno.make(text, error=error, mode=mode, mask=MASK, micro=False, boost_error=False)
    return tuple(bytes(row) for row in code.matrix)


def _bits(rows: Rows) -> bytes:
    width = (len(rows) + 7) // 8 * 8
    return b"".join(
        int("".join(map(str, row)).ljust(width, "0"), 2).to_bytes(width // 8, "big") for row in rows
    )


@lru_cache(maxsize=16)
def _family(length: int, error: str) -> _Family:
    return _Family(length, error)


class _Family:
    """All alphanumeric codes of one length and level: the code of zeros, and what each pair adds to it."""

    def __init__(self, length: int, error: str) -> None:
        self.length, self.error = length, error
        rows = matrix("0" * length, error)
        self.side, self.size = len(rows), len(_bits(rows))
        self.base = int.from_bytes(_bits(rows), "big")
        self.pairs = [_Pairs(self, at) for at in range(0, length, 2)]
        self.last = (length - 1) // 2 * 2
        self.before = ("", 0)  # the codes of a page differ in their last pair alone

    def modules(self, text: str) -> bytes:
        """The code of a text as bits."""
        head, last = text[: self.last], text[self.last :]
        if head != self.before[0]:
            found = self.base
            for added in self.pairs[:-1]:
                found ^= added[text[added.at : added.at + 2]]
            self.before = head, found
        return (self.before[1] ^ self.pairs[-1][last]).to_bytes(self.size, "big")


class _Pairs(dict[str, int]):
    """What a pair at one place adds to the code of zeros."""

    def __init__(self, family: _Family, at: int) -> None:
        super().__init__()
        self.family, self.at = family, at
        self.bits: dict[tuple[int, bool], int] = {}

    def __missing__(self, pair: str) -> int:
        value, added = _PAIRS[pair], 0
        for bit in range(value.bit_length()):
            if value >> bit & 1:
                added ^= self._bit(bit, is_single=len(pair) == 1)
        self[pair] = added
        return added

    def _bit(self, bit: int, *, is_single: bool) -> int:
        key = bit, is_single
        if key not in self.bits:
            value, family = 1 << bit, self.family
            pair = ALPHANUMERIC[value] if is_single else ALPHANUMERIC[value // 45] + ALPHANUMERIC[value % 45]
            text = "0" * self.at + pair + "0" * (family.length - self.at - len(pair))
            self.bits[key] = int.from_bytes(_bits(matrix(text, family.error)), "big") ^ family.base
        return self.bits[key]
