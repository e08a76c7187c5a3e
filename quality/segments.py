"""Mobile segments: what each was allotted for, since when and who says so.

Which ordinary numbers exist comes from libphonenumber's metadata. It lags behind and leaves out segments that the
ministry has allotted to machines, data cards and satellites; those, and the resellers' segments that it does not tell
apart, are the dated facts below.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from quality.numbering import national_pattern
from quality.segment_homes import is_allotted

PLAN = "电信网编号计划（工业和信息化部）"
LICENCES = "移动通信转售业务试点批文（工业和信息化部）"
BLOCKS = "号段分配表（2023 年 12 月）"


@dataclass(frozen=True)
class Segment:
    """First digits of mobiles, what they are for, the carrier, since when they are in use, and the source.

    `reason` is empty for a person's ordinary telephone; `since` is None where only the state of the source is known.
    """

    heads: tuple[str, ...]
    reason: str
    carrier: str
    since: date | None
    source: str


SEGMENTS = (
    Segment(("140", "144", "148"), "iot_segment", "中国移动", None, BLOCKS),
    Segment(("141", "149"), "iot_segment", "中国电信", None, BLOCKS),
    Segment(("142", "143"), "iot_segment", "中国移动", None, BLOCKS),
    Segment(("146",), "iot_segment", "中国联通", None, BLOCKS),
    Segment(("1700", "1701", "1702"), "virtual_operator", "中国电信转售", date(2013, 12, 26), LICENCES),
    Segment(("1703", "1705", "1706"), "virtual_operator", "中国移动转售", date(2013, 12, 26), LICENCES),
    Segment(
        ("1704", "1707", "1708", "1709"), "virtual_operator", "中国联通转售", date(2013, 12, 26), LICENCES
    ),
    Segment(("162",), "virtual_operator", "中国电信转售", None, BLOCKS),
    Segment(("165",), "virtual_operator", "中国移动转售", None, BLOCKS),
    Segment(("167", "171"), "virtual_operator", "中国联通转售", None, BLOCKS),
    Segment(("1349",), "special_segment", "卫星移动通信", None, PLAN),
    Segment(("174",), "special_segment", "卫星移动通信、应急通信", None, PLAN),
    Segment(("145",), "", "中国联通", None, BLOCKS),  # began as a data card, an ordinary number now
    Segment(("147",), "", "中国移动", None, BLOCKS),  # the same
    Segment(("190",), "", "中国电信", date(2019, 12, 24), PLAN),
    Segment(("197",), "", "中国移动", date(2019, 12, 24), PLAN),
    Segment(("196",), "", "中国联通", date(2019, 12, 24), PLAN),
    Segment(("192",), "", "中国广电", date(2019, 12, 24), PLAN),
)

_NOTES = {
    head if len(head) == 4 else f"{head}{digit}": segment.reason
    for segment in SEGMENTS
    if segment.reason
    for head in segment.heads
    for digit in ("0123456789" if len(head) == 3 else "0")
}
_MACHINE = re.compile(r"(?:14[0-4]\d{10}|106[0-9]\d{9})")


def is_machine_number(national: str) -> bool:
    """Whether it is a 13-digit number of a machine (electricity meters have them)."""
    return bool(_MACHINE.fullmatch(national))


def known_note(mobile: str) -> str:
    """The reason that the table has for the segment of a mobile; empty for an ordinary one."""
    return _NOTES.get(mobile[:4], "")


def segment_reason(mobile: str) -> str:
    """What to say about the segment of an 11-digit mobile; empty for an ordinary one."""
    note = known_note(mobile)
    if note or national_pattern("mobile").fullmatch(mobile):
        return note
    return "special_segment" if is_allotted(mobile) else "rare_segment"
