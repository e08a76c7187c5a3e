"""Judging addresses: how far they go, whether a letter gets there, and their full form in the unit's region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from quality.address_codes import make_code
from quality.address_heads import Head, read_head
from quality.address_places import Located, locate
from quality.address_tails import Tail, read_tail
from quality.address_texts import PlainText, tidy
from quality.divisions import MUNICIPALITIES, Place, read_region
from quality.places import Places, PlateChange
from quality.post_offices import is_of_other_city
from quality.postcode_prefixes import PREFIXES
from quality.texts import read_missing
from quality.verdicts import INVALID, NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, one

_LONGEST = 200  # characters; an address row of a window envelope holds about 30
_ELSEWHERE = re.compile(
    r"同(?:上址|上|前|左|用电地址|装表地址|户主|通讯地址|户籍|住址|地址|联系地址)+|见(?:上|附件|备注)|如上|本地|本市|本村"
)
_OR = re.compile(r"\s*(?:[;；]|或者?|(?<=[号室房])[/、](?=[\u4e00-\u9fff]))\s*")
_OR_SIGN = re.compile("[;；或/、]")
_HAN = re.compile("[\u4e00-\u9fff]")
_SHAPE = bytes.maketrans(b"012456789", b"3" * 9)
_PHONE_SHAPE = "3" * 11
_NO_EXTENSION = ("",)
_AS_WRITTEN = {"province_conflict", "place_uncertain", "district_divided", "county_conflict"}


@dataclass(frozen=True)
class AddressParts:
    """An address by its parts, each as written; empty where it names none. `rest` is what fits nowhere."""

    province: str = ""
    city: str = ""
    county: str = ""
    town: str = ""
    village: str = ""
    group: str = ""
    road: str = ""
    lane: str = ""
    number: str = ""
    estate: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    rest: str = ""


class _Reading(NamedTuple):
    text: str
    head: Head
    located: Located
    tail: Tail
    repairs: tuple[str, ...]
    doubts: tuple[str, ...]
    notes: tuple[str, ...]
    postcode: str


class _Shaped(NamedTuple):
    """The verdict on every address of one shape: `prefix` stands for its first `cut` characters, `doors` are where a
    street and number of a door plate stand."""

    verdict: str
    kind: str
    reasons: tuple[str, ...]
    code: str
    prefix: str
    cut: int
    doors: tuple[slice, ...]
    kinds: tuple[str, ...]


def judge_address(text: str, column: str = "supply_address", context: Context = NOWHERE) -> Verdict:
    """Judge an address. Its kind is the level that it reaches (L0 … L6); the value is the full standard address.

    The context's region supplies the province and city left out; a supply address must lie in it. Addresses that
    differ only in their digits are judged once: no rule asks which digit stands in a number, but door plates do.
    """
    if len(text) > _LONGEST:
        return read_missing(text) or Verdict(INVALID, "L0", reasons=("not_an_address",), code="U0")
    places = context.places
    shape = text.encode("utf-8", "surrogatepass").translate(_SHAPE)
    shaped = _shaped(shape, column, context.region, places)
    if shaped is None:
        return _judge(text, column, context.region, places)
    verdict, kind, reasons, code, prefix, cut, doors, kinds = shaped
    if not kinds:
        return Verdict(verdict, kind, (), reasons, (), (), code)
    if places.plates and any(text[door] in places.plates for door in doors):
        return _judge(text, column, context.region, places)
    value = prefix + text[cut:] if cut or prefix else text
    return Verdict(verdict, kind, (value,), reasons, kinds, _NO_EXTENSION, code)


def split_address(text: str, region: str = "") -> AddressParts:
    """Take an address apart, for routes and walk lists; the region supplies province and city where left out."""
    reading = _read(tidy(text[:_LONGEST]), "postal_address", read_region(region), NOWHERE.places)
    place, parts = reading.located.place, reading.tail.parts
    return AddressParts(place.province, place.city, place.county, rest=reading.tail.rest, **parts)


@lru_cache(maxsize=16_384)
def _shaped(encoded: bytes, column: str, region: str, places: Places) -> _Shaped | None:
    """The verdict on all addresses of a shape (its digits all 3), or None where they must be read one by one."""
    shape = encoded.decode("utf-8", "surrogatepass")
    plain = tidy(shape)
    if (
        plain.text != shape
        or plain.repairs
        or _PHONE_SHAPE in shape
        or not _HAN.search(shape)
        or read_missing(shape)
    ):
        return None
    if _ELSEWHERE.fullmatch(shape):
        return _Shaped(INVALID, "L0", ("refers_elsewhere",), "U0", "", 0, (), ())
    reading = _read(plain, column, read_region(region), places)
    if reading.text != shape:
        return None
    found = _verdict(reading)
    if not found.values:
        return _Shaped(found.verdict, found.kind, found.reasons, found.code, "", 0, (), ())
    is_as_written = found.value == shape
    prefix, cut = ("", 0) if is_as_written else (_prefix(reading), reading.located.length)
    doors = _doors(reading)
    return _Shaped(found.verdict, found.kind, found.reasons, found.code, prefix, cut, doors, found.kinds)


def _judge(text: str, column: str, region: str, places: Places) -> Verdict:
    """Judge one address by itself."""
    nothing = read_missing(text)
    if nothing:
        return Verdict(nothing.verdict, "L0", reasons=nothing.reasons)
    plain = tidy(text)
    if _ELSEWHERE.fullmatch(plain.text):
        return Verdict(INVALID, "L0", reasons=("refers_elsewhere",), code="U0")
    reading = _read(plain, column, read_region(region), places)
    return _verdict(reading, _plate(reading, places))


def _read(plain: PlainText, column: str, own: Place, places: Places) -> _Reading:
    first, *others = _OR.split(plain.text) if _OR_SIGN.search(plain.text) else (plain.text,)
    text = " 或 ".join((first, *others)) if others else first
    head = read_head(text, own)
    located = locate(text, head, own, places)
    tail = read_tail(first[located.length :], located.town)
    doubts = list(_place_doubts(head, located, own=own, column=column))
    doubts += ["two_addresses"] if any(_is_address(other) for other in others) else []
    doubts += ["relative_place"] if tail.is_relative else []
    doubts += ["postcode_conflict"] if _is_post_of_others(plain.postcode, located.place) else []
    mended = [*plain.repairs, *(["repeated_prefix"] if head.is_repeated else []), *located.repairs]
    mended += ["district_renamed"] if head.renamed and "district_renamed" not in mended else []
    mended += (
        ["region_left_out"] if "A:county" not in located.notes and _is_supplied(head, located.place) else []
    )
    notes = ((f"R:{head.renamed}",) if head.renamed else ()) + located.notes
    return _Reading(text, head, located, tail, tuple(mended), tuple(doubts), notes, plain.postcode)


def _place_doubts(head: Head, located: Located, *, own: Place, column: str) -> tuple[str, ...]:
    place = located.place
    if head.is_contradictory:
        return ("province_conflict",)
    if "place_uncertain" in located.doubts:
        return located.doubts
    if not place.city and place.province not in MUNICIPALITIES:
        is_elsewhere = bool(own.province and place.province and place.province != own.province)
        is_outside = is_elsewhere and column == "supply_address"
        return (*located.doubts, "outside_region" if is_outside else "place_uncertain")
    is_away = place.province != own.province or place.city != (own.city or place.city)
    is_outside = bool(own.province) and is_away and column == "supply_address"
    return (*located.doubts, "outside_region") if is_outside else located.doubts


def _is_supplied(head: Head, place: Place) -> bool:
    """Whether the province or the city was not written, or not by its full name."""
    return not head.is_full or head.province != place.province or head.city != place.city


def _is_address(text: str) -> bool:
    parts = read_tail(text[read_head(text).length :]).parts
    return bool(parts.keys() & {"road", "lane", "village", "estate"} and parts.keys() & {"number", "room"})


def _is_post_of_others(postcode: str, place: Place) -> bool:
    """Whether a postcode written beside an address is certainly one of another province or city."""
    provinces = PREFIXES.get(postcode[:2], ())
    if not provinces or not place.province:
        return False
    return place.province not in provinces or is_of_other_city(postcode, place)


def _level(reading: _Reading) -> int:
    """How far it is written: 0 nothing, 1 city, 2 county, 3 town, 4 road or village, 5 door, 6 room."""
    parts = reading.tail.parts
    has_place = bool(parts.keys() & {"road", "lane", "village", "estate"})
    has_door = "number" in parts and (has_place or "town" in parts)
    has_building = bool(parts.keys() & {"building", "unit"}) and has_place
    if "room" in parts and (has_door or has_building or "estate" in parts):
        return 6
    if has_door or has_building:
        return 5
    if has_place:
        return 4
    return _level_of_head(reading)


def _level_of_head(reading: _Reading) -> int:
    head, located = reading.head, reading.located
    if "town" in reading.tail.parts:
        return 3
    if located.length > head.length:
        return 2
    return 1 if head.city or head.province in MUNICIPALITIES else 0


def _lacking(level: int, tail: Tail) -> str:
    """Why a letter would not arrive, by the form alone."""
    if level == 0:
        return "not_an_address"
    if level < 5:
        return "too_short"
    return "no_room" if tail.parts.keys() & {"building", "unit"} and "room" not in tail.parts else ""


def _verdict(reading: _Reading, plate: tuple[slice, PlateChange] | None = None) -> Verdict:
    level = _level(reading)
    repairs = (*reading.repairs, "plate_changed") if plate else reading.repairs
    code = _code(reading, level, repairs, plate)
    lacking = _lacking(level, reading.tail)
    if lacking:
        return Verdict(INVALID, f"L{level}", reasons=(lacking,), code=code)
    verdict = SUSPECT if reading.doubts else REPAIRABLE if repairs else VALID
    found = one(verdict, f"L{level}", _standard(reading, plate), reasons=(*reading.doubts, *repairs))
    return Verdict(
        found.verdict, found.kind, found.values, found.reasons, found.kinds, found.extensions, code
    )


def _code(
    reading: _Reading, level: int, repairs: tuple[str, ...], plate: tuple[slice, PlateChange] | None
) -> str:
    change = plate[1] if plate else None
    door = f"R:{''.join(change.old)}>{''.join(change.new)}({change.changed_on})" if change else ""
    is_known = reading.located.is_verified and not reading.tail.rest
    return make_code(level, (*reading.doubts, *repairs), (*reading.notes, door), is_known=is_known)


def _prefix(reading: _Reading) -> str:
    place = reading.located.place
    return f"{place.province}{place.city}{place.county}{reading.located.town}"


def _standard(reading: _Reading, plate: tuple[slice, PlateChange] | None) -> str:
    """The full address; where the place is not certain, what was written."""
    if _AS_WRITTEN & set(reading.doubts):
        return reading.text
    rest = reading.text[reading.located.length :]
    if "postcode_conflict" in reading.doubts:
        return f"{reading.postcode}{_prefix(reading)}{rest}"  # which of the two is wrong is not known
    if plate:
        door, change = plate
        rest = (
            reading.text[reading.located.length : door.start]
            + "".join(change.new)
            + reading.text[door.stop :]
        )
    return _prefix(reading) + rest


def _doors(reading: _Reading) -> tuple[slice, ...]:
    """Where a street or village and the number behind it stand, the longest name first."""
    parts = reading.tail.parts
    number = parts.get("number")
    if not number:
        return ()
    street = parts.get("road", "") + parts.get("lane", "")
    village = parts.get("village", "") + parts.get("group", "")
    names = dict.fromkeys(
        (street, village, parts.get("lane", ""), parts.get("road", ""), parts.get("village", ""))
    )
    found = [(reading.text.find(name + number, reading.located.length), name) for name in names if name]
    return tuple(slice(start, start + len(name + number)) for start, name in found if start >= 0)


def _plate(reading: _Reading, places: Places) -> tuple[slice, PlateChange] | None:
    """The changed door plate that the address still bears, and where it stands."""
    if not places.plates:
        return None
    found = ((door, places.plates.get(reading.text[door])) for door in _doors(reading))
    return next(((door, change) for door, change in found if change), None)
