"""Judging addresses: how far they go, whether a letter gets there, and their full form in the unit's region."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import opencc

from quality.address_heads import Head, read_head
from quality.address_tails import Tail, read_tail
from quality.divisions import MUNICIPALITIES, Place, find_city, read_region
from quality.renames import renamed
from quality.texts import flatten, read_missing
from quality.verdicts import INVALID, NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, one

_LONGEST = 200  # characters; an address row of a window envelope holds about 30
_LABEL = re.compile(r"^(?:(?:用电|装表|通讯|通信|联系|邮寄|家庭|详细|现|客户)?(?:地址|住址)|住|地点)[:：\s]+")
_POSTCODE = re.compile(r"^\d{6}(?=[^\d号]*[\u4e00-\u9fff])(?!号)|[(\s]*(?:邮编|邮政编码)[:：\s]*\d{6}\)?")
_PHONE = re.compile(
    r"[(\s,，]*(?:电话|手机|联系电话|tel)?[:：\s]*(?<!\d)1[3-9]\d{9}(?!\d)\)?$", re.IGNORECASE
)
_ELSEWHERE = re.compile(
    r"同(?:上|前|左|用电地址|装表地址|户主|通讯地址|户籍|住址|地址|联系地址)+|见(?:上|附件|备注)|如上|本地|本市|本村"
)
_OR = re.compile(r"\s*(?:[;；]|或者?|(?<=[号室房])[/、](?=[\u4e00-\u9fff]))\s*")
_AS_WRITTEN = frozenset(
    "乾於昇夥徵淩堃"
)  # traditional forms that stand in names written otherwise in simplified
_WIDE = re.compile(r"[０-９Ａ-Ｚａ-ｚ]")  # punctuation in full width is ordinary Chinese
_EDGES = ",，。.;；、:：'\""


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


@dataclass(frozen=True)
class _Reading:
    text: str
    head: Head
    tail: Tail
    place: Place
    repairs: tuple[str, ...]
    doubts: tuple[str, ...]


def judge_address(text: str, column: str = "supply_address", context: Context = NOWHERE) -> Verdict:
    """Judge an address. Its kind is the level that it reaches (L0 … L6); the value is the full standard address.

    The context's region supplies the province and city left out; a supply address must lie in it.
    """
    nothing = read_missing(text)
    if nothing:
        return Verdict(nothing.verdict, "L0", reasons=nothing.reasons)
    if len(text) > _LONGEST:
        return Verdict(INVALID, "L0", reasons=("not_an_address",))
    plain, repairs = _tidy(text)
    if _ELSEWHERE.fullmatch(plain):
        return Verdict(INVALID, "L0", reasons=("refers_elsewhere",))
    reading = _read(plain, repairs, column=column, region=context.region)
    level = _level(reading.head, reading.tail.parts)
    lacking = _lacking(level, reading.tail)
    if lacking:
        return Verdict(INVALID, f"L{level}", reasons=(lacking,))
    return _verdict(reading, f"L{level}")


def split_address(text: str, region: str = "") -> AddressParts:
    """Take an address apart, for routes and walk lists; the region supplies province and city where left out."""
    plain, repairs = _tidy(text[:_LONGEST])
    return _parts(_read(plain, repairs, column="postal_address", region=region))


def _level(head: Head, parts: dict[str, str]) -> int:
    """How far it is written: 0 nothing, 1 city, 2 county, 3 town, 4 road or village, 5 door, 6 room."""
    has_place = bool(parts.keys() & {"road", "lane", "village", "estate"})
    has_door = "number" in parts and (has_place or "town" in parts)
    has_building = bool(parts.keys() & {"building", "unit"}) and has_place
    if "room" in parts and (has_door or has_building or "estate" in parts):
        return 6
    if has_door or has_building:
        return 5
    if has_place:
        return 4
    return _level_of_head(head, parts)


def _level_of_head(head: Head, parts: dict[str, str]) -> int:
    if "town" in parts:
        return 3
    if head.county:
        return 2
    return 1 if head.city or head.province in MUNICIPALITIES else 0


def _lacking(level: int, tail: Tail) -> str:
    """Why a letter would not arrive, by the form alone."""
    if level == 0:
        return "not_an_address"
    if level < 5:
        return "too_short"
    return "no_room" if tail.parts.keys() & {"building", "unit"} and "room" not in tail.parts else ""


def _verdict(reading: _Reading, kind: str) -> Verdict:
    if reading.doubts:
        return one(SUSPECT, kind, _standard(reading), reasons=(*reading.doubts, *reading.repairs))
    if reading.repairs:
        return one(REPAIRABLE, kind, _standard(reading), reasons=reading.repairs)
    return one(VALID, kind, _standard(reading))


def _standard(reading: _Reading) -> str:
    """The full address; where the place is not certain, what was written."""
    if {"province_conflict", "place_uncertain"} & set(reading.doubts):
        return reading.text
    place = reading.place
    return f"{place.province}{place.city}{place.county}{reading.text[reading.head.length :]}"


def _parts(reading: _Reading) -> AddressParts:
    place = reading.place
    return AddressParts(
        place.province, place.city, place.county, rest=reading.tail.rest, **reading.tail.parts
    )


def _read(plain: str, repairs: tuple[str, ...], *, column: str, region: str) -> _Reading:
    own = read_region(region)
    first, *others = _OR.split(plain)
    text = " 或 ".join((first, *others))
    head = read_head(text, own)
    tail = read_tail(first[head.length :])
    place, is_renamed = _locate(head, own)
    doubts = list(_place_doubts(head, place, own=own, column=column))
    doubts += ["two_addresses"] if any(_is_address(other) for other in others) else []
    doubts += ["relative_place"] if tail.is_relative else []
    mended = [*repairs, *(["repeated_prefix"] if head.is_repeated else [])]
    mended += ["district_renamed"] if is_renamed else []
    mended += ["region_left_out"] if _is_supplied(head, place) else []
    return _Reading(text, head, tail, place, tuple(mended), tuple(doubts))


def _locate(head: Head, own: Place) -> tuple[Place, bool]:
    """Where it is, by today's names, and whether the district has another name now."""
    place = _place(head, own)
    now = renamed(head.county) if head.county else None
    if now and head.city in ("", now.place.city) and head.province in ("", now.place.province):
        return now.place, True
    return place, False


def _place(head: Head, own: Place) -> Place:
    """Where it is as written, then by the city's own province, then by the unit's region."""
    if head.city:
        named = find_city(head.city)
        province = head.province or (named.province if named else "")
        return Place(province, head.city, head.county)
    if head.province and head.province != own.province:
        return Place(head.province, "", head.county)
    return Place(own.province, own.city, head.county or own.county)


def _place_doubts(head: Head, place: Place, *, own: Place, column: str) -> tuple[str, ...]:
    if head.is_contradictory:
        return ("province_conflict",)
    if not place.city and place.province not in MUNICIPALITIES:
        is_elsewhere = bool(own.province and place.province and place.province != own.province)
        return ("outside_region",) if is_elsewhere and column == "supply_address" else ("place_uncertain",)
    is_away = place.province != own.province or place.city != (own.city or place.city)
    return ("outside_region",) if own.province and is_away and column == "supply_address" else ()


def _is_supplied(head: Head, place: Place) -> bool:
    """Whether the province or the city was not written, or not by its full name."""
    return not head.is_full or head.province != place.province or head.city != place.city


def _is_address(text: str) -> bool:
    parts = read_tail(text[read_head(text).length :]).parts
    return bool(parts.keys() & {"road", "lane", "village", "estate"} and parts.keys() & {"number", "room"})


def _tidy(text: str) -> tuple[str, tuple[str, ...]]:
    """Plain characters without spaces, labels, postcodes and phones; with what had to be mended."""
    narrow = flatten(text)
    flat = _simplify(narrow)
    clean = _LABEL.sub("", flat)
    for noise in (_POSTCODE, _PHONE):
        clean = noise.sub("", clean)
    repairs = ["address_characters"] if flat != narrow or _WIDE.search(text) else []
    repairs += ["address_noise"] if clean != flat else []
    return "".join(clean.split()).strip(_EDGES), tuple(repairs)


def _simplify(text: str) -> str:
    """Traditional characters as simplified ones; what GB 2312 holds is simplified already."""
    try:
        text.encode("gb2312")
    except UnicodeEncodeError:
        return "".join(_simplify_run(run) for run in re.split(f"([{''.join(_AS_WRITTEN)}])", text))
    return text


def _simplify_run(run: str) -> str:
    return run if run in _AS_WRITTEN else _converter().convert(run)


@lru_cache(maxsize=1)
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
