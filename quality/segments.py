"""Mobile segments: which exist, which are not a person's telephone, and which nobody has seen in use.

Existing segments come from libphonenumber's metadata; it lags behind and leaves out segments that the ministry has
allocated. What is listed here is from the allocations as published until December 2023.
"""

from __future__ import annotations

import re

from quality.numbering import national_pattern

# 140-144 and 146, 148, 149: machines and data cards (13-digit numbers of 140-144 and 106 too). 145 and 147 began as
# data cards and are ordinary numbers now.
IOT = frozenset(("140", "141", "142", "143", "144", "146", "148", "149"))
# Resellers of the four carriers.
VIRTUAL = frozenset(("162", "165", "167", "170", "171"))
# Satellite and emergency telephones.
SPECIAL = frozenset(("174",))

_NOTES = {
    **dict.fromkeys(IOT, "iot_segment"),
    **dict.fromkeys(VIRTUAL, "virtual_operator"),
    **dict.fromkeys(SPECIAL, "special_segment"),
}
_MACHINE = re.compile(r"(?:14[0-4]\d{10}|106[0-9]\d{9})")


def is_machine_number(national: str) -> bool:
    """Whether it is a 13-digit number of a machine (electricity meters have them)."""
    return bool(_MACHINE.fullmatch(national))


def segment_reason(mobile: str) -> str:
    """What to say about the segment of an 11-digit mobile; empty for an ordinary one."""
    note = _NOTES.get(mobile[:3])
    if note:
        return note
    return "" if national_pattern("mobile").fullmatch(mobile) else "rare_segment"

