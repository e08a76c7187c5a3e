"""Whether two accounts are one customer twice: keys by which they meet, what agrees and differs, and what they are.

Family, landlords and owners of several flats share a phone, a door or a name without being duplicates; so a pair has a
kind. After Fellegi and Sunter (1969): each part speaks for or against; the weights are points that a person can add up.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pypinyin import lazy_pinyin
from rapidfuzz.distance import Levenshtein
from rapidfuzz.fuzz import ratio

from quality.address_texts import tidy
from quality.addresses import AddressParts, split_address
from quality.texts import flatten

DUPLICATE, SAME_OWNER, FAMILY, TENANCY, DIFFERENT = "duplicate", "same_owner", "family", "tenancy", "different"
SAME, SOUNDS, CLOSE, NEAR, DIFFERS, ABSENT = "same", "sounds", "close", "near", "differs", "absent"

# part -> how it compares -> points; what is not named gives none
WEIGHTS: Mapping[str, Mapping[str, int]] = {
    "account": {SAME: 40},
    "identity": {SAME: 40, DIFFERS: -40},
    "name": {SAME: 30, SOUNDS: 20, CLOSE: 15, DIFFERS: -20},
    "address": {SAME: 30, NEAR: 5, DIFFERS: -10},
    "phone": {SAME: 20, DIFFERS: -5},
}
FULL = 100

_TITLES = re.compile(r"(?:先生|女士|小姐|太太|同志|老板|\(.*?\)|（.*?）)$")
_COMPANY = re.compile(r"股份有限公司|有限责任公司|有限公司|分公司|公司|个体工商户|经营部|商行|合作社|集团|委员会")
_NOT_WORD = re.compile(r"[\W_]+")
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九")} | {"〇": 0}
_SPELLED = re.compile("[一二三四五六七八九]*[零〇][零〇一二三四五六七八九]*")
_NUMERAL = re.compile("[零一二三四五六七八九十百]+")
_ENDING = re.compile(r"(?:号院|号楼|号|栋|幢|座|单元|梯|层|楼|室|房|户|铺|档|门|村委会|村民委员会|社区|第)")


@dataclass(frozen=True)
class Account:
    """What is compared of one customer: standard phones, the supply address, the keyed hash of an identity."""

    id: int
    account_no: str = ""
    name: str = ""
    address: str = ""
    region: str = ""
    phones: frozenset[str] = frozenset()
    identity: str = ""


@dataclass(frozen=True)
class Pair:
    """Two accounts compared: how each part compares, the points (0 to 100), and what they most likely are."""

    kind: str
    score: int
    parts: Mapping[str, str] = field(default_factory=dict)


def match_keys(account: Account) -> frozenset[str]:
    """The keys by which an account meets others: number, identity, phones, door, name at a place. No plain text."""
    door, place = door_key(account.address, account.region), place_key(account.address, account.region)
    found = {f"p{_digest(phone)}" for phone in account.phones}
    found |= {f"i{_digest(account.identity)}"} if account.identity else set()
    found |= {f"a{_digest(door)}"} if door else set()
    found |= {f"n{_digest(f'{name_sound(account.name)}|{place}')}"} if place and name_key(account.name) else set()
    number = bare_number(account.account_no)
    return frozenset(found | ({f"c{_digest(number)}"} if number else set()))


def compare(first: Account, second: Account) -> Pair:
    """Compare two accounts part by part; `different` where nothing says that they belong together."""
    parts = {
        "account": _number(first.account_no, second.account_no),
        "identity": _equal(first.identity, second.identity),
        "name": _name(first.name, second.name),
        "address": _address(first, second),
        "phone": _phone(first.phones, second.phones),
    }
    points = sum(WEIGHTS[part].get(how, 0) for part, how in parts.items())
    kind = _kind(parts, _surname(first.name) == _surname(second.name) != "")
    return Pair(kind, max(0, min(FULL, points)), parts)


@lru_cache(maxsize=8192)
def name_key(name: str) -> str:
    """A name as it is compared: simplified, plain, without titles, without the ending that companies share."""
    text = _NOT_WORD.sub("", tidy(flatten(name)).text).casefold()
    bare = _TITLES.sub("", text)
    return _COMPANY.sub("", bare) or bare


@lru_cache(maxsize=8192)
def name_sound(name: str) -> str:
    """How a name sounds, without tones: what is written down by ear differs in its characters only."""
    return "".join(lazy_pinyin(name_key(name)))


def bare_number(account_no: str) -> str:
    """An account number without what spreadsheets and old systems add: signs, and zeros in front."""
    return _NOT_WORD.sub("", account_no).lstrip("0").casefold()


def door_key(address: str, region: str = "") -> str:
    """The door an address leads to, numbers plain; empty where it does not go as far as a room or a house number."""
    return _keys(address, region)[0]


def place_key(address: str, region: str = "") -> str:
    """The road or village and the house number or estate, without what lies behind the gate."""
    return _keys(address, region)[1]


def _kind(parts: Mapping[str, str], is_same_surname: bool) -> str:
    """What two accounts are: a table of the cases, the first that fits."""
    named = parts["name"] in (SAME, SOUNDS, CLOSE)
    person = parts["identity"] == SAME or (parts["name"] == SAME and parts["identity"] != DIFFERS)
    door, phone = parts["address"] == SAME, parts["phone"] == SAME
    if parts["account"] == SAME and (named or door) and parts["identity"] != DIFFERS:
        return DUPLICATE
    if door and (parts["identity"] == SAME or (named and parts["identity"] != DIFFERS)):
        return DUPLICATE
    if parts["identity"] == SAME or (person and phone):
        return SAME_OWNER
    if phone and parts["name"] in (SOUNDS, CLOSE) and parts["identity"] == ABSENT:
        return SAME_OWNER
    if (door or phone) and is_same_surname:
        return FAMILY
    if door or phone:
        return TENANCY
    return DIFFERENT


def _number(first: str, second: str) -> str:
    one, other = bare_number(first), bare_number(second)
    return SAME if one and one == other else ABSENT


def _equal(first: str, second: str) -> str:
    if not first or not second:
        return ABSENT
    return SAME if first == second else DIFFERS


def _name(first: str, second: str) -> str:
    one, other = name_key(first), name_key(second)
    if not one or not other:
        return ABSENT
    if one == other:
        return SAME
    if name_sound(first) == name_sound(second):
        return SOUNDS
    short = min(len(one), len(other))
    if short >= 6:
        return CLOSE if ratio(one, other) >= 85 else DIFFERS
    return CLOSE if short >= 3 and Levenshtein.distance(one, other) == 1 and one[0] == other[0] else DIFFERS


def _surname(name: str) -> str:
    key = name_key(name)
    return key[:1] if 2 <= len(key) <= 4 else ""


def _address(first: Account, second: Account) -> str:
    if not first.address or not second.address:
        return ABSENT
    door = door_key(first.address, first.region)
    if door and door == door_key(second.address, second.region):
        return SAME
    place = place_key(first.address, first.region)
    return NEAR if place and place == place_key(second.address, second.region) else DIFFERS


def _phone(first: frozenset[str], second: frozenset[str]) -> str:
    if not first or not second:
        return ABSENT
    return SAME if first & second else DIFFERS


@lru_cache(maxsize=8192)
def _keys(address: str, region: str) -> tuple[str, str]:
    """Door and place of an address."""
    if not address:
        return "", ""
    parts = split_address(_SPELLED.sub(lambda found: _digits(found.group()), address), region)
    inside = [_plain(part) for part in (parts.building, parts.unit, parts.room)]
    outside = _outside(parts)
    if not outside or not (inside[2] or (parts.number and not parts.building)):
        return "", outside
    return "|".join([outside, *inside]), outside


def _outside(parts: AddressParts) -> str:
    road = parts.road or parts.village
    where = [_plain(part) for part in (road, parts.lane, parts.number)]
    if road and parts.number:
        return "|".join(where)
    estate = _plain(parts.estate)
    return "|".join([_plain(road), _plain(parts.group), estate]) if estate or (road and parts.group) else ""


@lru_cache(maxsize=8192)
def _plain(part: str) -> str:
    """A part of an address without its ending, Chinese numerals as digits, no zeros in front."""
    text = _NUMERAL.sub(lambda found: _digits(found.group()), part)
    text = _ENDING.sub("", text) if any(char.isdigit() for char in text) else text
    return re.sub(r"\b0+(?=\d)", "", text).casefold()


def _digits(numeral: str) -> str:
    """三十二 -> 32, 五〇一 -> 501; a numeral in a name (三元里) becomes a digit on both sides alike."""
    if not any(char in "十百" for char in numeral):
        return "".join(str(_DIGITS[char]) for char in numeral)
    total, current = 0, 0
    for char in numeral:
        if char in "十百":
            total, current = total + (current or 1) * (10 if char == "十" else 100), 0
        else:
            current = _DIGITS[char]
    return str(total + current)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:24]
