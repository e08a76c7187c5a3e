"""Judging telephone numbers: libphonenumber's metadata behind our own splitter and checks."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

from quality.area_codes import plain_area_code
from quality.fakes import fake_reasons
from quality.phone_cells import Cell, has_wide_digits, plain_digits, read_cell
from quality.phone_readings import BAD, DOUBTFUL, GOOD, Reading, read_number
from quality.plain_numbers import plain_number
from quality.segment_homes import is_elsewhere
from quality.segments import known_note
from quality.texts import flatten, read_missing
from quality.verdicts import INVALID, NONE, NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid

_PLAIN = re.compile(r"[+(]?[1-9(0][0-9 ()-]{5,18}[0-9]", re.ASCII)
_FORMAT = str.maketrans(dict.fromkeys("+ ()-"))
_WIDE = re.compile("[０-９]")
_NARROW = str.maketrans("０１２３４５６７８９＋－（）\u3000", "0123456789+-() ")
_COUNTRY_CODES = frozenset(("", "86", "0086"))
_MOBILE, _NO_EXTENSION = ("mobile",), ("",)
_LONGEST = 300  # characters; more is no phone cell
_WORST_FIRST = (
    "service_number", "masked", "digits_lost", "no_area_code", "bad_local_digit", "unknown_area_code", "wrong_length",
)  # fmt: skip


def judge_phone(text: str, column: str = "phone", context: Context = NOWHERE) -> Verdict:
    """Judge a phone cell of the column mobile, landline or phone (either). Values are E.164 without extension.

    Local numbers get the area code of the context; retired ones are replaced where the upgrade is confirmed.
    """
    home = _home(context.area_code)
    if text.isascii():
        found = _judge_plain(text, (), column, context)
    else:
        found = _judge_plain(text.translate(_NARROW), _wide_repairs(text), column, context)
    return found or read_missing(text) or _judge_cell(text, column, context, home)


def _judge_plain(text: str, repairs: tuple[str, ...], column: str, context: Context) -> Verdict | None:
    """The usual cells, which hold one number and nothing else; None for all others."""
    if len(text) == 11 and text[0] == "1" and text[1] > "2" and text.isdigit():
        return _judge_mobile(text, repairs, column, context)
    if not _PLAIN.fullmatch(text):
        return None
    digits = text.translate(_FORMAT)
    national, code = digits[-11:], digits[:-11]
    if code in _COUNTRY_CODES and national[0] == "1" and national[1] > "2" and len(national) == 11:
        if not (code == "0086" and text.startswith("+")):
            return _judge_mobile(national, repairs, column, context)
    reading = read_number(digits, plus=text.startswith("+"), home=_home(context.area_code))
    return _verdict(Cell((reading,), repairs), column, context) if reading and reading.state != BAD else None


def _wide_repairs(text: str) -> tuple[str, ...]:
    return ("full_width",) if _WIDE.search(text) else ()


def _judge_cell(text: str, column: str, context: Context, home: str) -> Verdict:
    if len(text) > _LONGEST:
        return invalid("not_a_number")
    cell = read_cell(plain_digits(flatten(text)), home)
    repairs = (*cell.repairs, "full_width") if has_wide_digits(text) else cell.repairs
    return _verdict(Cell(cell.readings, repairs), column, context)


@lru_cache(maxsize=256)
def _home(area_code: str) -> str:
    return plain_area_code(area_code)


def _judge_mobile(digits: str, repairs: tuple[str, ...], column: str, context: Context) -> Verdict | None:
    """A clean mobile that the library knows; None where there is a doubt to be told."""
    value = plain_number(digits)
    if not value or column == "landline" or fake_reasons(digits) or _doubts(value, context):
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
    if doubts := _doubts(reading.value, context):
        return reading._replace(state=DOUBTFUL, notes=(*reading.notes, *doubts))
    home = _home(context.area_code)
    is_ordinary = reading.state == GOOD and reading.kind == "mobile" and not reading.notes
    if home and is_ordinary and reading.value.startswith("+861") and is_elsewhere(reading.value[3:], home):
        return reading._replace(notes=(*reading.notes, "segment_elsewhere"))
    return reading


def _verdict(cell: Cell, column: str, context: Context) -> Verdict:
    weighed = Cell(tuple(_weighed(reading, context) for reading in cell.readings), cell.repairs)
    good = _distinct(weighed, GOOD)
    if good:
        return _usable(good, weighed, column)
    doubtful = _distinct(weighed, DOUBTFUL)
    if doubtful:
        return _with_values(SUSPECT, doubtful, (*_repairs(doubtful, weighed), *_notes(doubtful, column)))
    return _invalid(weighed)


def _usable(good: list[Reading], cell: Cell, column: str) -> Verdict:
    repairs = list(_repairs(good, cell))
    states = [reading.state for reading in cell.readings]
    if states.count(GOOD) > 1:
        repairs.append("several_numbers")
    if states.count(GOOD) < len(states):
        repairs.append("bad_part")
    return _with_values(REPAIRABLE if repairs else VALID, good, (*repairs, *_notes(good, column)))


def _invalid(cell: Cell) -> Verdict:
    reasons = [reason for reading in cell.readings for reason in reading.notes]
    if not reasons:
        return invalid("not_a_number")
    worst = min(reasons, key=lambda reason: _WORST_FIRST.index(reason) if reason in _WORST_FIRST else 99)
    first = next(reading for reading in cell.readings if worst in reading.notes)
    return Verdict(INVALID, first.kind or NONE, (), first.notes)


def _with_values(verdict: str, readings: list[Reading], reasons: tuple[str, ...]) -> Verdict:
    return Verdict(
        verdict,
        readings[0].kind,
        tuple([reading.value for reading in readings]),
        tuple(dict.fromkeys(reasons)) if reasons else (),
        tuple([reading.kind for reading in readings]),
        tuple([reading.extension for reading in readings]),
    )


def _distinct(cell: Cell, state: str) -> list[Reading]:
    """The readings of a state, each value once and where it stood first."""
    if len(cell.readings) == 1:
        return [reading for reading in cell.readings if reading.state == state]
    found = {reading.value: reading for reading in reversed(cell.readings) if reading.state == state}
    return list(reversed(found.values()))


def _repairs(readings: list[Reading], cell: Cell) -> tuple[str, ...]:
    return (*cell.repairs, *chain.from_iterable([reading.repairs for reading in readings]))


def _notes(readings: list[Reading], column: str) -> tuple[str, ...]:
    return tuple(chain.from_iterable([(*reading.notes, *_column_note(reading, column)) for reading in readings]))


def _column_note(reading: Reading, column: str) -> tuple[str, ...]:
    if column == reading.kind or column == "phone":
        return ()
    other = {"mobile": "landline", "landline": "mobile"}.get(column)
    return ("other_kind",) if other and reading.kind == other else ()
