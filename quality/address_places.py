"""Where an address lies: its county and town by the tables, by today's names; one's own territory before all others."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from quality.address_heads import ESTATES, Head, read_county
from quality.counties import (
    NamedPlaces,
    counties_of,
    find_county,
    find_town,
    has_counties,
    is_county,
    longest,
)
from quality.divisions import MUNICIPALITIES, Place, find_city
from quality.places import Places
from quality.renames import Renamed, find_renamed

_AS_STREET = re.compile(r"(?:[路街巷弄道]|大道|街道)(?:$|[\d东西南北中一二三四五六七八九十附甲办(])")
_TOWN_AS_STREET = re.compile(r"[东西南北中前后新]?(?:路|街|大道|巷|道)")
_NOT_TODAY = frozenset(("district_renamed", "district_divided"))
_OFFICE = re.compile("办事处|办(?!公)")  # as in 桂城街道办事处
_ZONE = re.compile(r"(?:新|开发|高新|经开|园|管理|示范|保税|度假|风景|景|实验|合作)区$")
GENERIC = frozenset(  # names only in their own city
    "东区 西区 南区 北区 中区 城区 郊区 矿区 市区 新城区 城东区 城西区 城北区 城中区".split()
)
_MOVED = {
    ("四平市", "公主岭市"): 2020,
    ("资阳市", "简阳市"): 2016,
    ("六安市", "寿县"): 2015,
    ("安庆市", "枞阳县"): 2015,
}  # counties that went to another city under the same name


class Located(NamedTuple):
    """A place by today's names, and how it was found.

    `length` counts the characters of the text that the place and `town`, where one of the tables follows, stand for.
    """

    place: Place
    length: int
    town: str = ""
    is_verified: bool = False
    repairs: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def locate(text: str, head: Head, own: Place, places: Places) -> Located:
    """Find the county that follows the province and city of a text, then the town that follows the county."""
    rest = text[head.length :]
    found = _by_table(rest, head, own, places)
    found = found or _by_short_name(rest, head, own, places) or _by_endings(rest, head, own)
    if "place_uncertain" in found.doubts or found.place.province != (own.province or found.place.province):
        return found
    return _with_town(text, found, own, places)


def _by_table(rest: str, head: Head, own: Place, places: Places) -> Located | None:
    """A county of the tables, or a former one: the nearest that bears the name."""
    current = _merged(longest(places.counties, rest), find_county(rest))
    former = find_renamed(rest, places.renames)
    name = current.name if current else former[0].old if former else ""
    if not name or _AS_STREET.match(rest[len(name) :]):
        return None
    for within, is_near in _rings(head, own):
        if not is_near and (name in GENERIC or ESTATES.match(rest[len(name) :])):
            continue
        now = [place for place in (current.places if current else ()) if _lies_in(place, within)]
        old = [one for one in former if not now and any(_lies_in(place, within) for place in one.places)]
        if now or old:
            length = head.length + len(name if now else old[0].old)
            return _chosen(now, length) if now else _renamed(old, length)
    return _elsewhere(current, name, head, rest)


def _rings(head: Head, own: Place) -> Iterable[tuple[Place, bool]]:
    """Where to look, nearest first: what is written decides, then one's own city, province, and the country."""
    if head.city:
        named = find_city(head.city)
        return ((Place(named.province if named else "", head.city), True),)
    if head.province and head.province != own.province:
        return ((Place(head.province), head.province in MUNICIPALITIES),)
    city = ((Place(own.province, own.city), True),) if own.city or own.province in MUNICIPALITIES else ()
    province = ((Place(own.province), False),) if own.province else ()
    return (*city, *province, *(() if head.province else ((Place(), False),)))


def _lies_in(place: Place, within: Place) -> bool:
    return within.province in ("", place.province) and within.city in ("", place.city)


def _chosen(fits: list[Place], length: int) -> Located:
    if len(set(fits)) == 1:
        return Located(fits[0], length, is_verified=True)
    return Located(Place(), length, doubts=("place_uncertain",), notes=("A:county",))


def _renamed(fits: list[Renamed], length: int) -> Located:
    """A former county by its name of today; one that was divided keeps its old one, until the town tells the part."""
    one, parts = fits[0], fits[0].places
    if len({place for fit in fits for place in fit.places}) > len(one.places):
        return Located(Place(), length, doubts=("place_uncertain",), notes=("A:county",))
    if len(parts) > 1:
        place = Place(one.places[0].province, one.places[0].city, one.old)
        names = "|".join(part.county for part in parts)
        return Located(
            place, length, doubts=("district_divided",), notes=(f"A:{one.old}>{names}({one.since})",)
        )
    note = f"R:{one.old}>{parts[0].county}({one.since})"
    return Located(parts[0], length, is_verified=True, repairs=("district_renamed",), notes=(note,))


def _elsewhere(current: NamedPlaces | None, name: str, head: Head, rest: str) -> Located | None:
    """A county that is not in the city that is written: one that moved to another city, or a contradiction."""
    since = _MOVED.get((head.city, name))
    length = head.length + len(name)
    if since and current and len(current.places) == 1:
        place = current.places[0]
        note = f"R:{head.city}{name}>{place.city}{name}({since})"
        return Located(place, length, is_verified=True, repairs=("district_renamed",), notes=(note,))
    if name in GENERIC or not (head.city or head.province) or ESTATES.match(rest[len(name) :]):
        return None
    named = find_city(head.city)
    place = Place(head.province or (named.province if named else ""), head.city, name)
    if head.city and not has_counties(place.province, place.city):
        return None
    return Located(place, length, doubts=("county_conflict",), notes=("C:county",))


def _by_short_name(rest: str, head: Head, own: Place, places: Places) -> Located | None:
    """A county without its ending, told by the town that follows: 顺德大良街道."""
    within = _outside(head, own, "")
    if not (within.city or within.province in MUNICIPALITIES):
        return None
    for county in counties_of(within.province, within.city):
        stem = county[:-1]
        if len(stem) > 1 and rest.startswith(stem):
            town = _town(rest[len(stem) :], within.province, places)
            place = Place(within.province, within.city, county)
            if town and place in town.places:
                return Located(place, head.length + len(stem), is_verified=True)
    return None


def _by_endings(rest: str, head: Head, own: Place) -> Located:
    """A county that no table knows (a development zone, a new one), read by its ending; or none at all."""
    name = read_county(rest)
    known = find_county(rest)
    if (name in GENERIC and not head.city) or (known and known.name == name):  # no county here: 鼓楼区花园3栋
        name = ""
    notes = (("Z",) if _ZONE.search(name) else ("P:county",)) if name else ()
    return Located(_outside(head, own, name), head.length + len(name), notes=notes)


def _outside(head: Head, own: Place, county: str) -> Place:
    """Where it is as written, then by the city's own province, then by the unit's region."""
    if head.city:
        named = find_city(head.city)
        return Place(head.province or (named.province if named else ""), head.city, county)
    if head.province and head.province != own.province:
        return Place(head.province, "", county)
    return Place(own.province, own.city, county or own.county)


def _with_town(text: str, found: Located, own: Place, places: Places) -> Located:
    """The town that follows: it tells the county where none is written, and must lie in the one that is."""
    rest, place = text[found.length :], found.place
    for old in places.town_renames.get(rest[:2], ()):
        if rest.startswith(old.old) and _fits(old.place, place):
            note = f"R:{old.old}>{old.new}({old.since})"
            return found._replace(
                place=old.place, length=found.length + len(old.old), town=old.new, is_verified=True,
                repairs=(*found.repairs, "town_renamed"), notes=(*found.notes, note),
            )  # fmt: skip
    town = _town(rest, place.province, places)
    if not town:
        return _without_town(found)
    near = [one for one in dict.fromkeys(town.places) if _lies_in(one, Place(place.province, place.city))]
    written = town.name + _office(rest[len(town.name) :])
    length = found.length + len(written)
    if any(one.county == place.county for one in near):
        return found._replace(length=length, town=written, is_verified=True)
    if len(near) == 1 and _NOT_TODAY & {
        *found.repairs,
        *found.doubts,
    }:  # the old county's town: today's county
        return _by_town(found, near[0], town.name, written)
    is_written = found.is_verified or bool(found.notes)
    if not is_written and len(near) == 1 and (near[0].city == place.city or place.city == own.city):
        return _by_town(found, near[0], town.name, written)
    if found.is_verified and near:
        return found._replace(doubts=(*found.doubts, "town_conflict"), notes=(*found.notes, "C:town"))
    return found


def _by_town(found: Located, place: Place, town: str, written: str) -> Located:
    """The county that a town tells."""
    is_divided = "district_divided" in found.doubts
    return found._replace(
        place=place,
        length=found.length + len(written),
        town=written,
        is_verified=True,
        repairs=("district_renamed",) if is_divided else found.repairs,
        doubts=tuple(doubt for doubt in found.doubts if doubt != "district_divided"),
        notes=(*found.notes, f"T:{town}") if place.county else found.notes,
    )


def _without_town(found: Located) -> Located:
    place = found.place
    is_whole = bool(place.city) and not place.county and not has_counties(place.province, place.city)
    is_known = found.is_verified or is_whole or (bool(place.county) and not found.notes and is_county(place))
    return found._replace(is_verified=is_known)


def _office(rest: str) -> str:
    found = _OFFICE.match(rest)
    return found.group() if found else ""


def _fits(one: Place, place: Place) -> bool:
    return _lies_in(one, Place(place.province, place.city)) and place.county in ("", one.county)


def _town(rest: str, province: str, places: Places) -> NamedPlaces | None:
    found = _merged(longest(places.towns, rest), find_town(rest, province))
    if not found or _TOWN_AS_STREET.match(rest[len(found.name) :]):
        return None
    return found


def _merged(own: NamedPlaces | None, known: NamedPlaces | None) -> NamedPlaces | None:
    """What the bureau and the tables know of a name; the longer name counts."""
    if own is None or known is None or len(own.name) != len(known.name):
        return max((one for one in (own, known) if one), key=lambda one: len(one.name), default=None)
    return NamedPlaces(own.name, (*own.places, *known.places))
