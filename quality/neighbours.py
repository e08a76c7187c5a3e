"""Neighbours of one transformer area or meter book share a road, village or estate: who stands apart?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

from quality.addresses import split_address

FEWEST = 10  # addresses; fewer neighbours say nothing
SHARED = 3  # this many at one place make it a place of the area
MOST_APART = 0.1  # of the neighbours; where more stand apart, the area is mixed and nobody does


_NAMED_BY_NUMBER = re.compile(r"\d(?:[国省县乡]道|号?路|街|大道|期|区|号院)")
_ANY_DIGIT = re.compile(r"\d")


def places_of(address: str, region: str = "") -> tuple[str, ...]:
    """What an address may share with its neighbours: town, road, village and estate, each with its kind."""
    is_named = _NAMED_BY_NUMBER.search(address)
    return _places(
        address if is_named else _ANY_DIGIT.sub("3", address), region
    )  # a street is read once for all doors


@lru_cache(maxsize=16_384)
def _places(address: str, region: str) -> tuple[str, ...]:
    parts = split_address(address, region)
    road = parts.road or ("" if parts.village else parts.lane)  # every village has a second lane
    named = {"town": parts.town, "road": road, "village": parts.village, "estate": parts.estate}
    return tuple(f"{kind}:{name}" for kind, name in named.items() if name)


def stand_apart(neighbours: Mapping[int, str], region: str = "") -> dict[int, str]:
    """Of the addresses of one area by their keys, those that share neither road, village nor estate with others, or lie
    in another town than nearly all; each with the place that most of the area shares. Empty where the area is mixed."""
    if len(neighbours) < FEWEST:
        return {}
    places = {key: places_of(address, region) for key, address in neighbours.items()}
    counts = Counter(place for found in places.values() for place in found)
    common = {place for place, number in counts.items() if number >= SHARED and not place.startswith("town:")}
    town = _town_of_most(counts)
    apart = [key for key, found in places.items() if _is_apart(found, common, town)]
    if not common or len(apart) > len(neighbours) * MOST_APART:
        return {}
    most = max(sorted(common), key=lambda place: (counts[place], place.startswith("road:")))
    return dict.fromkeys(apart, most.partition(":")[2])


def posted_apart(neighbours: Mapping[int, str]) -> dict[int, str]:
    """Of the postcodes of one area by their keys, those of another post office (the first four digits) than nearly all;
    each with the digits of most. Empty where the area is mixed."""
    offices = Counter(postcode[:4] for postcode in neighbours.values())
    office, number = max(offices.items(), key=lambda pair: pair[1], default=("", 0))
    if number < FEWEST or number < len(neighbours) * (1 - MOST_APART):
        return {}
    return {key: office for key, postcode in neighbours.items() if not postcode.startswith(office)}


def _town_of_most(counts: Counter[str]) -> str:
    """The town in which nearly all lie that name one."""
    towns = Counter({place: number for place, number in counts.items() if place.startswith("town:")})
    town, number = max(towns.items(), key=lambda pair: pair[1], default=("", 0))
    return town if number >= FEWEST and number >= towns.total() * (1 - MOST_APART) else ""


def _is_apart(places: tuple[str, ...], common: set[str], town: str) -> bool:
    streets = [place for place in places if not place.startswith("town:")]
    is_elsewhere = bool(town) and len(streets) < len(places) and town not in places
    return is_elsewhere or (bool(streets) and common.isdisjoint(streets))
