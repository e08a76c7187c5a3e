"""The city that a block of ten thousand mobiles was allotted to: a soft sign, because numbers move with people.

The blocks are those of the package `phone` (state of December 2023): 499,527 seven-digit prefixes with the area code
of their city. They are read once, at first use.
"""

from __future__ import annotations

import struct
from array import array
from functools import cache
from importlib.resources import files

from quality.area_codes import current_area

_HEADER = struct.Struct("<4si")  # version, where the blocks begin
_BLOCK = struct.Struct("<iiB")  # seven digits, where the city's record stands, kind of carrier
_FIRST = 1_300_000
_COUNT = 700_000


def home_area(mobile: str) -> str:
    """The area code (with its 0) of the city that the block of an 11-digit mobile belongs to; empty when unknown."""
    homes, areas = _blocks()
    return areas[homes[int(mobile[:7]) - _FIRST]]


def is_allotted(mobile: str) -> bool:
    """Whether the list has the block of a mobile."""
    return bool(home_area(mobile))


def is_elsewhere(mobile: str, area: str) -> bool:
    """Whether the block of a mobile is known to belong to another area than this one."""
    homes, areas = _blocks()
    return areas[homes[int(mobile[:7]) - _FIRST]] not in ("", area)


@cache
def _blocks() -> tuple[array[int], list[str]]:
    """For each block the number of its area code, and the area codes; 0 is unknown."""
    data = (files("phone") / "phone.dat").read_bytes()
    _version, start = _HEADER.unpack_from(data)
    areas = [""]
    numbers: dict[int, int] = {}
    place = _HEADER.size
    for record in data[place:start].rstrip(b"\0").split(b"\0"):
        area = current_area(record.decode().rsplit("|", 1)[1])
        if area not in areas:
            areas.append(area)
        numbers[place] = areas.index(area)
        place += len(record) + 1
    homes = array("H", bytes(2 * _COUNT))
    for block, record_at, _carrier in _BLOCK.iter_unpack(data[start:]):
        homes[block - _FIRST] = numbers[record_at]
    return homes, areas
