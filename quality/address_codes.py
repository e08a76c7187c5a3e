"""The code that tells how an address was understood (`Verdict.code`), and what it says in sentences.

A letter, the level, and what was noticed, joined with `-`. V every part known · P in part (a county that no table has,
words that fit nowhere) · U not understood · A two places fit · C parts contradict each other · R under a former name.
Notices: `R:old>new(year)` renamed, `T:town` the town told the county, `Z` a zone that is no division, `P:county` a
county unknown, `A:…` and `C:…` what is uncertain or contradicts, `O` outside the unit's region.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.words import N_, Said

LEVELS = (
    N_("没有认出地址。"),
    N_("只写到市。"),
    N_("写到区县。"),
    N_("写到乡镇、街道。"),
    N_("写到路或村。"),
    N_("写到门牌或楼栋。"),
    N_("写到房号。"),
)
LETTERS = {
    "V": N_("区划都查得到。"),
    "P": N_("有的部分在区划表里查不到，或有认不出的文字。"),
    "A": N_("有两处相符，不能确定是哪一处。"),
    "C": N_("各部分互相矛盾。"),
    "R": N_("写的是旧名，已换成现名。"),
}
NOTES = {
    "Z": N_("写的是开发区一类的区域，不是行政区划。"),
    "P:county": N_("区划表里没有所写的区县。"),
    "O": N_("不在本单位所在的省、市。"),
}
AMBIGUOUS = {"place_uncertain", "district_divided", "two_addresses"}
CONTRADICTORY = {"province_conflict", "county_conflict", "town_conflict", "postcode_conflict"}
RENAMED = {"district_renamed", "town_renamed", "plate_changed"}
_RENAMED = re.compile(r"R:(\D+)>(\D+)\((\d{4})\)")
_DIVIDED = re.compile(r"A:(\D+)>(\D+)\((\d{4})\)")


def make_code(level: int, reasons: Sequence[str], notes: Sequence[str], *, is_known: bool) -> str:
    """The code of an address: its reasons give the letter, the notices follow."""
    said = set(reasons)
    letter = "R" if said & RENAMED else "V" if is_known else "P"
    letter = "C" if said & CONTRADICTORY else "A" if said & AMBIGUOUS else letter
    outside = "O" if "outside_region" in said else ""
    postcode = "C:postcode" if "postcode_conflict" in said else ""
    found = (f"{letter if level else 'U'}{level}", *notes, outside, postcode)
    return "-".join(part for part in found if part)


def explain(code: str) -> list[Said]:
    """The sentences of a code (`R5-R:郫县>郫都区(2016)`); none for an empty one. What was changed of a door plate is
    left to the reason: it would tell the address."""
    if not code:
        return []
    head, *notes = code.split("-")
    found = [Said(LEVELS[int(head[1])])]
    found += [Said(LETTERS[head[0]])] if head[0] in LETTERS else []
    return found + [said for note in notes if (said := _note(note))]


def _note(note: str) -> Said | None:
    if note in NOTES:
        return Said(NOTES[note])
    if renamed := _RENAMED.fullmatch(note):
        old, new, since = renamed.groups()
        return Said(N_("%(old)s于 %(since)s 年改为%(new)s。"), old=old, new=new, since=since)
    if divided := _DIVIDED.fullmatch(note):
        old, new, since = divided.groups()
        return Said(
            N_("%(old)s于 %(since)s 年撤销，分入%(new)s。"), old=old, new=new.replace("|", "、"), since=since
        )
    if note.startswith("T:"):
        return Said(N_("没有写区县，或写的是旧名，由%(town)s得知。"), town=note[2:])
    return None
