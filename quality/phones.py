"""Judging telephone numbers: libphonenumber's metadata behind our own splitter and checks."""

from __future__ import annotations

import re
from functools import lru_cache

from quality.area_codes import plain_area_code
from quality.fakes import fake_reasons
from quality.phone_cells import LETTER_DIGITS, Cell, has_wide_digits, plain_digits, read_cell
from quality.phone_readings import BAD, DOUBTFUL, GOOD, Reading, read_number
from quality.plain_numbers import plain_mobile
from quality.segment_homes import is_elsewhere
from quality.segments import known_note
from quality.texts import flatten, read_missing
from quality.verdicts import INVALID, NONE, NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid

_PLAIN = re.compile(r"[+(]?[1-9(0][0-9 ()-]{5,18}[0-9]", re.ASCII)
_FORMAT = str.maketrans(dict.fromkeys("+ ()-"))
_WIDE = re.compile("[０-９]")
_NARROW = str.maketrans("０１２３４５６７８９＋－（）\u3000", "0123456789+-() ")
_LETTERED = re.compile("(?=.*[0-9])[0-9OoIl]{7,13}")
_NUMBER = r"(1[3-9][0-9]{9}|0[0-9]{2,3}-?[2-8][0-9]{6,7})"
_LABEL = r"((?:手机号?码?|(?:联系|移动|固定)?电话|座机|固话|[Tt][Ee][Ll])[:：]? ?)?"
_EXTENSION = r"(?:-?转(?:分机)?([0-9]{1,6}))?"
_COMMON = re.compile(rf"{_LABEL}{_NUMBER}{_EXTENSION}(?: ?[/、;；,，] ?{_NUMBER})?")
_COUNTRY_CODES = frozenset(("", "86", "0086"))
_MOBILE, _NO_EXTENSION, _ELSEWHERE = ("mobile",), ("",), ("segment_elsewhere",)
_LONGEST = 300  # characters; more is no phone cell
_WORST_FIRST = (
    "service_number", "masked", "digits_lost", "no_area_code", "bad_local_digit", "unknown_area_code", "wrong_length",
)  # fmt: skip


def judge_phone(text: str, column: str = "phone", context: Context = NOWHERE) -> Verdict:
    """Judge a phone cell of the column mobile, landline or phone (either). Values are E.164 without extension.

    Local numbers get the area code of the context; retired ones are replaced where the upgrade is confirmed.
    """
    if len(text) == 11 and (found := _judge_mobile(text, (), column, context)):
        return found
    plain, repairs = _tidied(text)
    found = _judge_plain(plain, repairs, column, context)
    if plain is text and 8 < len(text) < 16 and text.isdigit() and text.strip("0"):
        return found or _verdict(read_cell(text, _home(context.area_code)), column, context)
    return (
        found
        or _judge_common(plain, repairs, column, context)
        or read_missing(text)
        or _judge_cell(text, column, context)
    )


def _tidied(text: str) -> tuple[str, tuple[str, ...]]:
    """Full-width digits and letters among digits made plain, and the repair that this is."""
    if text.isdigit() and text.isascii():
        return text, ()
    if not text.isascii():
        return text.translate(_NARROW), ("full_width",) if _WIDE.search(text) else ()
    if _LETTERED.fullmatch(text):
        return text.translate(LETTER_DIGITS), ("letter_for_digit",)
    return text, ()


def _judge_plain(text: str, repairs: tuple[str, ...], column: str, context: Context) -> Verdict | None:
    """The usual cells, which hold one number and nothing else; None for all others."""
    if not _PLAIN.fullmatch(text):
        return None
    digits = text.translate(_FORMAT)
    national, code = digits[-11:], digits[:-11]
    if code in _COUNTRY_CODES and national[0] == "1" and national[1] > "2" and len(national) == 11:
        if not (code == "0086" and text.startswith("+")):
            return _judge_mobile(national, repairs, column, context)
    reading = read_number(digits, plus=text.startswith("+"), home=_home(context.area_code))
    return _verdict(Cell((reading,), repairs), column, context) if reading and reading.state != BAD else None


def _judge_common(text: str, repairs: tuple[str, ...], column: str, context: Context) -> Verdict | None:
    """The shapes met most: a label, an extension, two numbers; what is not clear at once is left to the splitter."""
    common = _COMMON.fullmatch(text)
    if not common:
        return None
    label, number, extension, other = common.groups()
    repairs = ("label", *repairs) if label else repairs
    numbers = (number, other) if other else (number,)
    if not extension and (mobiles := _judge_mobiles(numbers, repairs, column, context)):
        return mobiles
    home = _home(context.area_code)
    readings = [read_number(one.replace("-", ""), plus=False, home=home) for one in numbers]
    known = [reading for reading in readings if reading and reading.state != BAD]
    if len(known) < len(readings):
        return None
    if extension:
        known[0] = known[0]._replace(extension=extension)
    return _verdict(Cell(tuple(known), repairs), column, context)


def _judge_mobiles(
    numbers: tuple[str, ...], repairs: tuple[str, ...], column: str, context: Context
) -> Verdict | None:
    """One or two clean mobiles; None where one of them is something else."""
    found = [_judge_mobile(number, (), column, context) for number in numbers]
    known = [verdict for verdict in found if verdict]
    if len(known) < len(found):
        return None
    values = tuple(dict.fromkeys([verdict.values[0] for verdict in known]))
    several = ("several_numbers",) if len(known) > 1 else ()
    notes = dict.fromkeys([note for verdict in known for note in verdict.reasons])
    reasons = (*repairs, *several, *notes)
    kinds, extensions = _MOBILE * len(values), _NO_EXTENSION * len(values)
    return Verdict(REPAIRABLE if repairs or several else VALID, "mobile", values, reasons, kinds, extensions)


def _judge_cell(text: str, column: str, context: Context) -> Verdict:
    if len(text) > _LONGEST:
        return invalid("not_a_number")
    cell = read_cell(plain_digits(flatten(text)), _home(context.area_code))
    repairs = (*cell.repairs, "full_width") if has_wide_digits(text) else cell.repairs
    return _verdict(Cell(cell.readings, repairs), column, context)


@lru_cache(maxsize=256)
def _home(area_code: str) -> str:
    return plain_area_code(area_code)


def _judge_mobile(digits: str, repairs: tuple[str, ...], column: str, context: Context) -> Verdict | None:
    """A clean mobile that the library knows; None where there is a doubt to be told."""
    value = plain_mobile(digits)
    if not value or column == "landline" or fake_reasons(digits):
        return None
    if context.offices and value in context.offices or context.shared and value in context.shared:
        return None
    home, note = _home(context.area_code), known_note(digits)
    if not note and home and is_elsewhere(digits, home):
        note = "segment_elsewhere"
    reasons = (*repairs, note) if note else repairs
    return Verdict(REPAIRABLE if repairs else VALID, "mobile", (value,), reasons, _MOBILE, _NO_EXTENSION)


def _doubts(value: str, context: Context) -> tuple[str, ...]:
    """Why a value is hardly the customer's own."""
    if value in context.offices:
        return ("office_number",)
    return ("shared_number",) if value in context.shared else ()


def _weighed(reading: Reading, context: Context) -> Reading:
    """A reading in the light of the unit: numbers of its own, of too many customers, of another city."""
    if reading.state == BAD:
        return reading
    if (context.offices or context.shared) and (doubts := _doubts(reading.value, context)):
        return reading._replace(state=DOUBTFUL, notes=(*reading.notes, *doubts))
    home = _home(context.area_code)
    is_ordinary = reading.state == GOOD and reading.kind == "mobile" and not reading.notes
    if home and is_ordinary and reading.value.startswith("+861") and is_elsewhere(reading.value[3:], home):
        return Reading(GOOD, "mobile", reading.value, reading.repairs, _ELSEWHERE, reading.extension)
    return reading


def _verdict(cell: Cell, column: str, context: Context) -> Verdict:
    weighed = [_weighed(reading, context) for reading in cell.readings]
    if len(weighed) == 1 and weighed[0].state != BAD:
        return _verdict_on_one(weighed[0], cell.repairs, column)
    if good := _distinct(weighed, GOOD):
        repairs = [*_repairs(good, cell.repairs), *_split_repairs(weighed)]
        return _with_values(REPAIRABLE if repairs else VALID, good, [*repairs, *_notes(good, column)])
    if doubtful := _distinct(weighed, DOUBTFUL):
        reasons = [*_repairs(doubtful, cell.repairs), *_notes(doubtful, column)]
        return _with_values(SUSPECT, doubtful, reasons)
    return _invalid(cell)


def _split_repairs(readings: list[Reading]) -> list[str]:
    """What it means that a cell held more than the one number."""
    usable = [reading.state for reading in readings].count(GOOD)
    several = ["several_numbers"] if usable > 1 else []
    return [*several, "bad_part"] if usable < len(readings) else several


def _verdict_on_one(reading: Reading, repairs: tuple[str, ...], column: str) -> Verdict:
    repairs = (*repairs, *reading.repairs)
    reasons = (*repairs, *reading.notes, *_column_note(reading, column))
    verdict = SUSPECT if reading.state == DOUBTFUL else REPAIRABLE if repairs else VALID
    distinct = tuple(dict.fromkeys(reasons)) if len(reasons) > 1 else reasons
    return Verdict(verdict, reading.kind, (reading.value,), distinct, (reading.kind,), (reading.extension,))


def _invalid(cell: Cell) -> Verdict:
    if len(cell.readings) == 1:
        return Verdict(INVALID, cell.readings[0].kind or NONE, (), cell.readings[0].notes)
    reasons = [reason for reading in cell.readings for reason in reading.notes]
    if not reasons:
        return invalid("not_a_number")
    worst = min(reasons, key=lambda reason: _WORST_FIRST.index(reason) if reason in _WORST_FIRST else 99)
    first = next(reading for reading in cell.readings if worst in reading.notes)
    return Verdict(INVALID, first.kind or NONE, (), first.notes)


def _with_values(verdict: str, readings: list[Reading], reasons: list[str]) -> Verdict:
    return Verdict(
        verdict,
        readings[0].kind,
        tuple([reading.value for reading in readings]),
        tuple(dict.fromkeys(reasons)),
        tuple([reading.kind for reading in readings]),
        tuple([reading.extension for reading in readings]),
    )


def _distinct(readings: list[Reading], state: str) -> list[Reading]:
    """The readings of a state, each value once and where it stood first."""
    found: dict[str, Reading] = {}
    for reading in readings:
        if reading.state == state:
            found.setdefault(reading.value, reading)
    return list(found.values())


def _repairs(readings: list[Reading], of_the_cell: tuple[str, ...]) -> list[str]:
    return [*of_the_cell, *[repair for reading in readings for repair in reading.repairs]]


def _notes(readings: list[Reading], column: str) -> list[str]:
    return [note for reading in readings for note in (*reading.notes, *_column_note(reading, column))]


def _column_note(reading: Reading, column: str) -> tuple[str, ...]:
    if column == reading.kind or column == "phone":
        return ()
    other = {"mobile": "landline", "landline": "mobile"}.get(column)
    return ("other_kind",) if other and reading.kind == other else ()
