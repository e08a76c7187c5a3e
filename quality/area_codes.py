"""Area codes of the fixed network: which exist, and how long their local numbers are.

Both come from libphonenumber's metadata, so that an update of the library changes them; what was lengthened or merged
stands in `number_upgrades`.
"""

from __future__ import annotations

import re
from functools import cache

from quality.number_upgrades import BY_AREA, NumberUpgrade
from quality.numbering import national_pattern


@cache
def local_lengths(area_code: str) -> tuple[int, ...]:
    """How many digits local numbers of an area code (with its 0) have now; empty when there is no such code."""
    if not re.fullmatch(r"010|02\d|0[3-9]\d\d", area_code):
        return ()
    lengths = (
        length for length in (7, 8) if national_pattern("fixed_line").fullmatch(area_code[1:] + "5" * length)
    )
    raised = {rule.old_length for rule in BY_AREA.get(area_code, ())}
    return tuple(length for length in lengths if length not in raised)


def is_area_code(area_code: str) -> bool:
    """Whether an area code exists now."""
    return bool(local_lengths(area_code))


def plain_area_code(text: str) -> str:
    """An area code as units write it (0757, 757, 0757-), with its 0; empty when there is no such code."""
    digits = "".join(char for char in text if char.isascii() and char.isdigit())
    code = "0" + digits.lstrip("0")
    return code if is_area_code(code) else ""


def current_area(text: str) -> str:
    """The area code in force today for one of any time (0733 is 0731 now); empty when there was no such code."""
    code = "0" + text.lstrip("0")
    if is_area_code(code):
        return code
    return next((rule.new_area for rule in BY_AREA.get(code, ())), "")


def split_national(national: str) -> tuple[str, str]:
    """A national number without its 0 as (area code with 0, local number); the area code is empty if there is none."""
    width = 2 if national[:1] in ("1", "2") else 3
    area = "0" + national[:width]
    known = is_area_code(area) or area in BY_AREA
    return (area, national[width:]) if known else ("", national)


def find_merger(area: str, local: str) -> NumberUpgrade | None:
    """The upgrade of an abolished area code that still stands before a number in its new form (0733-2xxxxxxx)."""
    rules = BY_AREA.get(area)
    if not rules or is_area_code(area):
        return None
    return next(
        (rule for rule in rules if len(local) == 8 and rule.prefix and local.startswith(rule.prefix)), None
    )
