"""Main post offices of cities: whether a postcode is certainly one of another city than an address names.

The main offices are those of the package `phone` (state of December 2023), one a city; only the first four digits of a
main office are certain, because counties have changed their city and kept their postcodes.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from functools import cache
from importlib.resources import files

from quality.divisions import Place, cities_of, provinces

_HEADER = struct.Struct("<4si")  # version, where the cities end


def is_of_other_city(postcode: str, place: Place) -> bool:
    """Whether a postcode is of the main office of one other city, and of another postal district than the place's."""
    own, offices = _main_offices()
    district = own.get((place.province, place.city), "")[:3]
    cities = offices.get(postcode[:4], frozenset())
    return (
        bool(district)
        and len(cities) == 1
        and (place.province, place.city) not in cities
        and not postcode.startswith(district)
    )


@cache
def _main_offices() -> tuple[dict[tuple[str, str], str], dict[str, frozenset[tuple[str, str]]]]:
    """The first four digits of each city that there is now, and the cities of such digits."""
    data = (files("phone") / "phone.dat").read_bytes()
    _version, end = _HEADER.unpack_from(data)
    own: dict[tuple[str, str], str] = {}
    offices: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for record in data[_HEADER.size : end].rstrip(b"\0").split(b"\0"):
        province, city, postcode, _area = record.decode().split("|")
        digits = postcode.zfill(6)[:4]
        offices[digits].update(found := _named(province, city))
        own |= dict.fromkeys(found, digits)
    return own, {digits: frozenset(cities) for digits, cities in offices.items()}


def _named(province: str, city: str) -> list[tuple[str, str]]:
    """The full names of a city, none if it is no city (any more)."""
    found = [name for name in provinces() if name.startswith(province)]
    return [(name, full) for name in found for full in cities_of(name) if full.startswith(city)]
