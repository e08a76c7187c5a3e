"""Judging postcodes: six digits, the first two of which tell the province."""

from __future__ import annotations

import re
from functools import lru_cache

from quality.divisions import read_region
from quality.fakes import fake_reasons
from quality.postcode_prefixes import PREFIXES
from quality.texts import flatten, read_missing
from quality.verdicts import NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid, one

_LONGEST = 50  # characters
_FIVE, _SIX = re.compile(r"\d{5}", re.ASCII), re.compile(r"\d{6}", re.ASCII)
_LABEL = re.compile(r"^(?:邮政编码|邮编|邮码|p\.?c\.?)[:.\s]*|\.0+$|^[='\"]+|['\",.;]+$", re.IGNORECASE)


@lru_cache(maxsize=4096)  # a bureau has some hundred postcodes
def judge_postcode(text: str, column: str = "postcode", context: Context = NOWHERE) -> Verdict:
    """Judge a postcode; the region's province must be the postcode's, and supplies a 0 that a spreadsheet took."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    if len(text) > _LONGEST:
        return invalid("postcode_length")
    digits = _LABEL.sub("", flatten(text)).replace(" ", "")
    repairs = () if digits == text.strip() else ("postcode_format",)
    province = read_region(context.region).province
    if _FIVE.fullmatch(digits) and province in PREFIXES.get("0" + digits[:1], ()):
        digits, repairs = "0" + digits, (*repairs, "postcode_zero")
    if not _SIX.fullmatch(digits):
        return invalid("postcode_length")
    if digits[:2] not in PREFIXES:
        return invalid("postcode_unknown")
    doubts = _doubts(digits, province)
    if doubts:
        return one(SUSPECT, "postcode", digits, reasons=(*doubts, *repairs))
    return one(REPAIRABLE if repairs else VALID, "postcode", digits, reasons=repairs)


def _doubts(digits: str, province: str) -> tuple[str, ...]:
    if fake_reasons(digits):
        return ("postcode_dummy",)
    is_elsewhere = bool(province) and province not in PREFIXES[digits[:2]]
    return ("postcode_other_province",) if is_elsewhere else ()
