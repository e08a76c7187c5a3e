"""Where customers live: transformer areas with their meter books, and the doors in them, in full."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from seed import read_toml
from seed.bureau import Bureau, BureauUnit
from seed.names import pick

AREA_SIZE = 60
AREAS_A_BOOK = 3
GOLDEN = 0.6180339887498949
NUMERALS = ("一", "二", "三", "四", "五", "六", "七", "八")
STEP = 37


@dataclass(frozen=True)
class Area:
    """A transformer area (台区): an estate, stretch of road, village, office or works, in one meter book."""

    number: int
    unit: BureauUnit
    sort: str
    name: str
    book: str
    book_number: int
    town: str
    stem: str
    postcode: str
    style: tuple[str, str]
    floors: int
    first: int


def areas(bureau: Bureau, *, seed: int) -> Iterator[Area]:
    """Transformer areas without end, spread over the units by their shares; the same ones for any count."""
    places = read_toml("places")
    served = bureau.served_units()
    shares = [unit for unit in served for _ in range(unit.share)]
    counts = dict.fromkeys((unit.code for unit in served), 0)
    number = 0
    while True:
        unit = shares[int(number * GOLDEN % 1 * len(shares))]
        yield _area(Random(f"{seed}|area|{number}"), places, unit, (number, counts[unit.code]))
        counts[unit.code] += 1
        number += 1


def door(area: Area, place: int, rng: Random) -> str:
    """The full address of one of an area's doors; no two places of an area share a door."""
    return area.town + DOORS[area.sort](area, place, rng)


def _area(rng: Random, places: dict[str, Any], unit: BureauUnit, numbers: tuple[int, int]) -> Area:
    number, in_unit = numbers
    town = places["towns"][unit.town]
    sort = pick(rng, tuple(name for name, share in town["mix"].items() for _ in range(share)))
    short, stem = _stem(rng, places, town, sort)
    book = in_unit // AREAS_A_BOOK + 1
    return Area(
        number=number,
        unit=unit,
        sort=sort,
        name=f"{short}{1 + int(rng.random() * 9)}号公变",
        book=f"{unit.short}-{book:03d}",
        book_number=book,
        town=town["region"] + town["town"],
        stem=stem,
        postcode=town["postcode"],
        style=pick(rng, (("座", "房"), ("幢", "房"), ("栋", "室"), ("座", "室"))),  # type: ignore[arg-type]
        floors=pick(rng, (6, 8, 9, 18, 26, 32)),  # type: ignore[arg-type]
        first=1 + int(rng.random() * 400),
    )


def _stem(rng: Random, places: dict[str, Any], town: dict[str, Any], sort: str) -> tuple[str, str]:
    """The short name of a place and how its addresses begin after the town."""
    words, road = places["words"], pick(rng, tuple(town["roads"]))
    village = pick(rng, tuple(town["villages"]))
    if sort == "estate":
        estate = pick(rng, tuple(words["estate_first"])) + pick(rng, tuple(words["estate_last"]))
        return estate, f"{road}{1 + int(rng.random() * 260)}号{estate}"
    if sort == "office":
        office = pick(rng, tuple(words["office"])) + "大厦"
        return office, f"{road}{1 + int(rng.random() * 180)}号{office}"
    if sort == "works":
        zone = f"{village}{pick(rng, tuple(words['zone']))}工业区"
        return zone, zone
    return (village, village) if sort == "village" else (road, road)


def _estate_door(area: Area, place: int, rng: Random) -> str:
    """Three buildings, two entrances, four flats a floor; a step coprime to their number meets each once."""
    cell = (place * STEP + area.first) % (3 * 2 * area.floors * 4)
    rest, room = divmod(cell, 4)
    rest, floor = divmod(rest, area.floors)
    building, entrance = divmod(rest, 2)
    house, flat = area.style
    return f"{area.stem}{building + 1}{house}{entrance + 1}单元{floor + 1}{room + 1:02d}{flat}"


def _office_door(area: Area, place: int, rng: Random) -> str:
    cell = (place * STEP + area.first) % (area.floors * 12)
    floor, room = divmod(cell, 12)
    return f"{area.stem}{floor + 1}{room + 1:02d}室"


def _road_door(area: Area, place: int, rng: Random) -> str:
    second = "之二" if rng.random() < 0.04 else ""
    return f"{area.stem}{area.first + 2 * place}号{second}"


def _village_door(area: Area, place: int, rng: Random) -> str:
    lane, number = divmod(place + area.first, 12)
    return f"{area.stem}{NUMERALS[area.first % 8]}队{lane + 1}巷{number + 1}号"


def _works_door(area: Area, place: int, rng: Random) -> str:
    lane, number = divmod(place, 15)
    return f"{area.stem}{NUMERALS[lane % 8]}路{number + 1}号"


DOORS = {
    "estate": _estate_door,
    "office": _office_door,
    "road": _road_door,
    "village": _village_door,
    "works": _works_door,
}
