"""Names and plates changed by a list (police, post office, civil affairs): where an address speaks of an entry."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from quality.addresses import AddressParts, split_address
from quality.texts import flatten

_COMMITTEE = r"(?:社区)?(?:村民委员会|居民委员会|民委员会|村委会|居委会|委会)?"
_OFFICE = re.compile(r"(?:人民政府|街道办事处|办事处|街道办)$")
_OTHER_DOOR = re.compile(r"[之院楼]|附\d|大院|-\d")  # 18号之一, 18号院 and 18号楼 are other doors than 18号
_MORE_DIGITS = re.compile(r"[\d号A-Za-z-]")

LONGEST_NUMBER = 12  # characters of a plate


@dataclass(frozen=True)
class Entry:
    """One line of a list: `old` is a road or village, `number` its plate where only one door is meant; `new` is what
    stands there now, or the postcode. An empty `town` holds for every town."""

    row: int
    old: str
    new: str
    number: str = ""
    town: str = ""
    unit: str = ""
    since: str = ""


@dataclass(frozen=True)
class Known:
    """A list ready for looking up: its entries by name and by plate, its names by their first two characters."""

    by_name: Mapping[str, list[Entry]]
    by_plate: Mapping[str, list[Entry]]
    by_start: Mapping[str, list[str]]

    def names_in(self, address: str) -> list[tuple[str, int]]:
        """The names that an address holds and where each ends: most addresses hold none and are not taken apart."""
        return [
            (name, place + len(name))
            for place in range(len(address) - 1)
            for name in self.by_start.get(address[place : place + 2], ())
            if address.startswith(name, place)
        ]


@dataclass(frozen=True)
class Found:
    """The entries that an address speaks of, and its text with the first one's name put in."""

    entries: tuple[Entry, ...]
    text: str


def tidy_name(text: str) -> str:
    """A name of a list as addresses write it: plain characters, no spaces."""
    return "".join(flatten(text).split())


def tidy_number(text: str) -> str:
    """A plate as addresses write it: 18 becomes 18号."""
    plain = tidy_name(text)
    return f"{plain}号" if re.fullmatch(r"\d{1,5}(?:-\d{1,4})?[A-Za-z]?", plain) else plain


def index(entries: Iterable[Entry]) -> Known:
    """Make a list ready for looking up."""
    names: dict[str, list[Entry]] = {}
    plates: dict[str, list[Entry]] = {}
    starts: dict[str, list[str]] = {}
    for entry in entries:
        if entry.old not in names:
            starts.setdefault(entry.old[:2], []).append(entry.old)
        names.setdefault(entry.old, []).append(entry)
        plates.setdefault(entry.old + entry.number, []).append(entry)
    return Known(names, plates, starts)


def find_plates(address: str, known: Known, region: str) -> Found | None:
    """The plates of a list that an address hangs on; None where it speaks of none."""
    candidates = [
        (name, entries)
        for name, end in known.names_in(address)
        for length in range(1, LONGEST_NUMBER + 1)
        if (entries := known.by_plate.get(name + address[end : end + length]))
    ]
    if not candidates:
        return None
    parts = split_address(address, region)
    placed = (parts.road, parts.lane, parts.village, parts.estate)
    for name, entries in candidates:
        here = [one for one in entries if name in placed and _is_plate(address, one) and _in_town(parts, one)]
        if here:
            return Found(tuple(here), address.replace(here[0].old + here[0].number, here[0].new, 1))
    return None


def find_villages(address: str, known: Known, region: str) -> Found | None:
    """The renamed villages of a list that an address lies in; None where it lies in none."""
    if not known.names_in(address):
        return None
    parts = split_address(address, region)
    for end in range(len(parts.village), 1, -1):
        name = parts.village[:end]
        entries = [one for one in known.by_name.get(name, ()) if _in_town(parts, one)]
        if entries and re.fullmatch(_COMMITTEE, parts.village[end:]):
            return Found(tuple(entries), re.sub(re.escape(name) + _COMMITTEE, entries[0].new, address, count=1))
    return None


def find_places(address: str, known: Known, region: str) -> Found | None:
    """The roads, villages or estates of a list that an address lies at: the narrowest first; the text stays."""
    if not known.names_in(address):
        return None
    parts = split_address(address, region)
    for name in (parts.estate, parts.lane, parts.road, parts.village, parts.town):
        entries = [one for one in known.by_name.get(name, ()) if name and _in_town(parts, one)]
        if entries:
            return Found(tuple(entries), address)
    return None


def _is_plate(address: str, entry: Entry) -> bool:
    _before, found, after = address.partition(entry.old + entry.number)
    goes_on = _OTHER_DOOR if entry.number.endswith("号") else _MORE_DIGITS
    return bool(found) and not goes_on.match(after)


def _in_town(parts: AddressParts, entry: Entry) -> bool:
    """Whether the towns agree; an address that names none may lie in any."""
    if not entry.town or not parts.town:
        return True
    return _OFFICE.sub("", parts.town).removesuffix("街道") == _OFFICE.sub("", entry.town).removesuffix("街道")
