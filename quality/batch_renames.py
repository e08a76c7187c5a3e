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


def by_name(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    """The entries of a list by the name that addresses are looked up by."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.old, []).append(entry)
    return found


def find_plates(address: str, known: Mapping[str, list[Entry]], region: str) -> Found | None:
    """The plates of a list that an address hangs on; None where it speaks of none."""
    parts = split_address(address, region)
    for name in (parts.road, parts.lane, parts.village, parts.estate):
        entries = [one for one in known.get(name, ()) if name and _is_plate(address, one) and _in_town(parts, one)]
        if entries:
            old = entries[0].old + entries[0].number
            return Found(tuple(entries), address.replace(old, entries[0].new, 1))
    return None


def find_villages(address: str, known: Mapping[str, list[Entry]], region: str) -> Found | None:
    """The renamed villages of a list that an address lies in; None where it lies in none."""
    parts = split_address(address, region)
    for end in range(len(parts.village), 1, -1):
        name = parts.village[:end]
        entries = [one for one in known.get(name, ()) if _in_town(parts, one)]
        if entries and re.fullmatch(_COMMITTEE, parts.village[end:]):
            return Found(tuple(entries), re.sub(re.escape(name) + _COMMITTEE, entries[0].new, address, count=1))
    return None


def find_places(address: str, known: Mapping[str, list[Entry]], region: str) -> Found | None:
    """The roads, villages or estates of a list that an address lies at: the narrowest first; the text stays."""
    parts = split_address(address, region)
    for name in (parts.estate, parts.lane, parts.road, parts.village, parts.town):
        entries = [one for one in known.get(name, ()) if name and _in_town(parts, one)]
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
