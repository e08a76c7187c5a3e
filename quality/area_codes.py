"""Area codes of the fixed network: how long local numbers are, and which numbers were lengthened or merged when.

Lengths come from libphonenumber's metadata, so that an update of the library changes them. The upgrades are dated
facts from notices of the provinces' telecom administrations; `confirmed` are those found in two sources independent
of each other (Hefei 2012, Changsha-Zhuzhou-Xiangtan 2009, Guiyang-Zunyi-Anshun 2014, Fushun-Tieling 2011).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from quality.numbering import national_pattern


@dataclass(frozen=True)
class Upgrade:
    """Numbers of `area` with `length` digits (first digit one of `firsts`) became `new_area` + prefix + number.

    `home`: the rule is certain only for a unit of that area code, because the old area was divided.
    """

    area: str
    length: int
    new_area: str
    prefix: str
    since: str
    confirmed: bool = False
    firsts: str = "2345678"
    home: str = ""


UPGRADES = (
    Upgrade("0551", 7, "0551", "6", "2012-12-08", confirmed=True),
    Upgrade("0565", 7, "0551", "8", "2012-12-08", confirmed=True, home="0551"),
    Upgrade("0731", 7, "0731", "8", "2009-06-28", confirmed=True),
    Upgrade("0733", 7, "0731", "2", "2009-06-28", confirmed=True),
    Upgrade("0732", 7, "0731", "5", "2009-06-28", confirmed=True),
    Upgrade("0851", 7, "0851", "8", "2014-12-20", confirmed=True),
    Upgrade("0852", 7, "0851", "2", "2014-12-20", confirmed=True),
    Upgrade("0853", 7, "0851", "3", "2014-12-20", confirmed=True),
    Upgrade("0413", 7, "024", "5", "2011-08-28", confirmed=True),
    Upgrade("0410", 7, "024", "7", "2011-08-28", confirmed=True),
    Upgrade("0414", 7, "024", "", "2014-05-24"),
    Upgrade("0378", 7, "0371", "", "2013-10-26"),
    Upgrade("0871", 7, "0871", "6", "2012-12-16"),
    Upgrade("0791", 7, "0791", "8", "2011-08-28"),
    Upgrade("0531", 7, "0531", "8", "2005-05-21"),
    Upgrade("0532", 7, "0532", "8", "2005-05-21"),
    Upgrade("0311", 7, "0311", "8", "2005-05-21"),
    Upgrade("0898", 7, "0898", "6", "2003-09-01"),
    Upgrade("0899", 7, "0898", "8", "2003-09-01"),
    Upgrade("0890", 7, "0898", "2", "2003-09-01"),
    Upgrade("0910", 7, "029", "3", "2006-09-01"),
    Upgrade("010", 7, "010", "6", "1996-05-08"),
    Upgrade("021", 7, "021", "6", "1995-11-25", firsts="23457"),
    Upgrade("021", 7, "021", "5", "1995-11-25", firsts="68"),
)

_BY_AREA: dict[str, tuple[Upgrade, ...]] = {
    area: tuple(rule for rule in UPGRADES if rule.area == area) for area in {rule.area for rule in UPGRADES}
}


@cache
def local_lengths(area_code: str) -> tuple[int, ...]:
    """How many digits local numbers of an area code (with its 0) have now; empty when there is no such code."""
    if not re.fullmatch(r"010|02\d|0[3-9]\d\d", area_code):
        return ()
    lengths = (length for length in (7, 8) if national_pattern("fixed_line").fullmatch(area_code[1:] + "5" * length))
    raised = {rule.length for rule in _BY_AREA.get(area_code, ())}
    return tuple(length for length in lengths if length not in raised)


def is_area_code(area_code: str) -> bool:
    """Whether an area code exists now."""
    return bool(local_lengths(area_code))


def plain_area_code(text: str) -> str:
    """An area code as units write it (0757, 757, 0757-), with its 0; empty when there is no such code."""
    digits = "".join(char for char in text if char.isascii() and char.isdigit())
    code = "0" + digits.lstrip("0")
    return code if is_area_code(code) else ""


def split_national(national: str) -> tuple[str, str]:
    """A national number without its 0 as (area code with 0, local number); the area code is empty if there is none."""
    width = 2 if national[:1] in ("1", "2") else 3
    area = "0" + national[:width]
    known = is_area_code(area) or area in _BY_AREA
    return (area, national[width:]) if known else ("", national)


def find_upgrade(area: str, local: str) -> Upgrade | None:
    """The upgrade that concerns a number as it was before it; a number in the new form has none."""
    return next(
        (rule for rule in _BY_AREA.get(area, ()) if rule.length == len(local) and local[:1] in rule.firsts), None
    )


def find_merger(area: str, local: str) -> Upgrade | None:
    """The upgrade of an abolished area code that still stands before a number in its new form (0733-2xxxxxxx)."""
    rules = () if is_area_code(area) else _BY_AREA.get(area, ())
    return next((rule for rule in rules if len(local) == 8 and rule.prefix and local.startswith(rule.prefix)), None)

