"""Judging identity numbers: resident identity cards (GB 11643) and unified social credit codes (GB 32100)."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

from stdnum.cn import ric, uscc
from stdnum.exceptions import InvalidChecksum, InvalidComponent, InvalidFormat, InvalidLength, ValidationError

from quality.texts import flatten, read_missing
from quality.verdicts import NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid, one

_LONGEST = 100  # characters
_AROUND = re.compile(r"[\s'\"=:,;.-]|^(?:身份证号?码?|证件号码?|信用代码)[:\s]*")
_BETWEEN = re.compile(r"[\s-]")
_RIC = re.compile(r"\d{17}[\dX]", re.ASCII)
_CARD = re.compile(r"\d{6}(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{4}", re.ASCII)
_OLD_RIC = re.compile(r"\d{15}", re.ASCII)
_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+?\d+", re.IGNORECASE)
_COLUMNS = {"ric": "uscc", "uscc": "id_number"}  # kind -> the column it does not belong into


def judge_id(text: str, column: str = "id_number", context: Context = NOWHERE) -> Verdict:
    """Judge an identity number: kind ric (a person's) or uscc (an organisation's). Pure: nothing is kept here."""
    nothing = read_missing(text)
    if nothing:
        return nothing
    if len(text) > _LONGEST:
        return invalid("id_length")
    flat = flatten(text)
    number = _AROUND.sub("", flat).upper()
    repairs = () if number == _BETWEEN.sub("", text).upper() else ("id_characters",)
    if "*" in number:
        return invalid("id_masked")
    if _SCIENTIFIC.fullmatch(flat):
        return invalid("id_digits_lost")
    if _OLD_RIC.fullmatch(number):
        number, repairs = _lengthen(number), (*repairs, "id_fifteen_digits")
    verdict = _judge_ric(number, repairs) if _RIC.fullmatch(number) else None
    if verdict is None or (not verdict.values and _is_uscc(number, column)):
        verdict = _judge_uscc(number, repairs)
    if verdict.values and _COLUMNS[verdict.kind] == column:
        return one(verdict.verdict, verdict.kind, number, reasons=(*verdict.reasons, "id_other_kind"))
    return verdict


def _lengthen(number: str) -> str:
    """The eighteen digits of a card of fifteen: the century, and the check digit."""
    longer = f"{number[:6]}19{number[6:]}"
    return longer + str(ric.calc_check_digit(longer + "0"))


def _judge_ric(number: str, repairs: tuple[str, ...]) -> Verdict:
    if ric.calc_check_digit(number) != number[-1]:
        return invalid("id_checksum")
    try:
        birth = _birth_date(number)
        _check_area(number[:10])
    except InvalidComponent:
        reason = "id_unknown_area" if _has_birth_date(number) else "id_birth_date"
        return one(SUSPECT, "ric", number, reasons=(reason, *repairs))
    if birth.year < 1900:
        return one(SUSPECT, "ric", number, reasons=("id_birth_date", *repairs))
    return one(REPAIRABLE if repairs else VALID, "ric", number, reasons=repairs)


@lru_cache(maxsize=4096)
def _check_area(start: str) -> None:
    """InvalidComponent where no county had these six digits in the year that follows; looking it up is slow."""
    try:
        ric.get_birth_place(f"{start}01010000")
    except KeyError as error:  # a city that is known, and no county of it
        raise InvalidComponent() from error


def _birth_date(number: str) -> date:
    """The date in eighteen plain digits; InvalidComponent where there is none."""
    try:
        return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise InvalidComponent() from error


def _has_birth_date(number: str) -> bool:
    try:
        return _birth_date(number).year >= 1900
    except InvalidComponent:
        return False


def _is_uscc(number: str, column: str) -> bool:
    """One wrong card in thirty passes as a credit code: in its own column, digits with a birth date are a card."""
    is_card = column == "id_number" and bool(_CARD.fullmatch(number))
    return not is_card and bool(uscc.is_valid(number))


def _judge_uscc(number: str, repairs: tuple[str, ...]) -> Verdict:
    try:
        uscc.validate(number)
    except (InvalidChecksum, InvalidComponent):
        return invalid("id_checksum")
    except (InvalidLength, InvalidFormat, ValidationError):
        return invalid("id_length")
    return one(REPAIRABLE if repairs else VALID, "uscc", number, reasons=repairs)
