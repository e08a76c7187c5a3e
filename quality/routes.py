"""The order of doors on a walk: estates by building and floor, single houses by road, one side after the other."""

from __future__ import annotations

import re
from typing import Any

from quality.addresses import AddressParts

_NUMERALS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_DIGITS = re.compile(r"\d+")
_CHINESE = re.compile(r"[零〇一二两三四五六七八九十百]+")

Key = tuple[Any, ...]


def place_of(parts: AddressParts) -> str:
    """The heading a door stands under: its estate, else its village, else its road; empty where it names none."""
    return parts.estate or f"{parts.village}{parts.group}" or f"{parts.road}{parts.lane}" or parts.town


def door_of(parts: AddressParts) -> str:
    """What is left of an address below province, city, county and town: enough to find the door on a list."""
    own = (parts.village, parts.group, parts.road, parts.lane, parts.number, parts.estate)
    return "".join((*own, parts.building, parts.unit, parts.floor, parts.room, parts.rest))


def walking_key(parts: AddressParts) -> Key:
    """Sorts doors as they are walked: place by place; within an estate by building, unit, floor (top down) and room;
    along a road its odd side, then its even side, by number.
    """
    area = (parts.city, parts.county, parts.town, place_of(parts))
    if parts.estate or parts.building:
        inside = (_natural(parts.building), _natural(parts.unit), -_floor(parts), _natural(parts.room))
        return (*area, 0, *inside, _natural(parts.rest))
    number = numeral(parts.number)
    door = (_natural(parts.unit), -_floor(parts), _natural(parts.room), _natural(parts.rest))
    return (*area, 1, number % 2 == 0, number, *door)


def numeral(text: str) -> int:
    """The first number in a text, in digits or Chinese numerals up to 999; 0 where there is none."""
    digits = _DIGITS.search(text)
    if digits:
        return int(digits.group())
    chinese = _CHINESE.search(text)
    return _read_numeral(chinese.group()) if chinese else 0


def _read_numeral(text: str) -> int:
    total = digit = 0
    for char in text:
        if char in "十百":
            total, digit = total + (digit or 1) * (10 if char == "十" else 100), 0
        else:
            digit = digit * 10 + _NUMERALS[char]
    return total + digit


def _floor(parts: AddressParts) -> int:
    """The floor: as written, else what stands before the last two digits of the room (1203: floor 12)."""
    if parts.floor:
        return numeral(parts.floor)
    room = _DIGITS.search(parts.room)
    return int(room.group()[:-2] or 0) if room else 0


def _natural(text: str) -> tuple[int, str]:
    return numeral(text), text
