"""Judging telephone numbers: libphonenumber's metadata behind our own splitter and checks."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain

from quality.area_codes import plain_area_code
from quality.fakes import fake_reasons
from quality.phone_cells import Cell, has_wide_digits, plain_digits, read_cell
from quality.phone_readings import BAD, DOUBTFUL, GOOD, Reading, read_mobile, read_number
from quality.segments import segment_reason
from quality.texts import flatten, read_missing
from quality.verdicts import INVALID, NONE, NOWHERE, REPAIRABLE, SUSPECT, VALID, Context, Verdict, invalid

_PLAIN = re.compile(r"[+(]?[1-9(0][0-9 ()-]{5,18}[0-9]", re.ASCII)
_FORMAT = re.compile(r"[+ ()-]")
_LONGEST = 300  # characters; more is no phone cell
_WORST_FIRST = (
    "service_number", "masked", "digits_lost", "no_area_code", "bad_local_digit", "unknown_area_code", "wrong_length",
)  # fmt: skip


def judge_phone(text: str, column: str = "phone", context: Context = NOWHERE) -> Verdict:
    """Judge a phone cell of the column mobile, landline or phone (either). Values are E.164 without extension.

    Local numbers get the area code of the context; retired ones are replaced where the upgrade is confirmed.
    """
    if len(text) == 11 and text.isascii() and text.isdigit() and "3" <= text[1] and text[0] == "1":
        return _judge_mobile(text, column)
    home = _home(context.area_code)
    if _PLAIN.fullmatch(text):
        plain = read_number(_FORMAT.sub("", text), plus=text.startswith("+"), home=home)
        if plain and plain.state != BAD:
            return _verdict(Cell((plain,), ()), column)
    return read_missing(text) or _judge_cell(text, column, home)


def _judge_cell(text: str, column: str, home: str) -> Verdict:
    if len(text) > _LONGEST:
        return invalid("not_a_number")
    cell = read_cell(plain_digits(flatten(text)), home)
    repairs = (*cell.repairs, "full_width") if has_wide_digits(text) else cell.repairs
    return _verdict(Cell(cell.readings, repairs), column)


@lru_cache(maxsize=64)
def _home(area_code: str) -> str:
    return plain_area_code(area_code)


def _judge_mobile(digits: str, column: str) -> Verdict:
    """The usual case: a clean mobile."""
    if column != "landline" and not segment_reason(digits) and not fake_reasons(digits):
        return Verdict(VALID, "mobile", (f"+86{digits}",), (), ("mobile",), ("",))
    reading = read_mobile(digits)
    notes = (*reading.notes, *_column_note(reading, column))
    verdict = VALID if reading.state == GOOD else SUSPECT
    return Verdict(verdict, "mobile", (reading.value,), notes, ("mobile",), ("",))


def _verdict(cell: Cell, column: str) -> Verdict:
    good = _distinct(cell, GOOD)
    doubtful = _distinct(cell, DOUBTFUL)
    if good:
        return _usable(good, cell, column)
    if doubtful:
        return _with_values(SUSPECT, doubtful, (*_repairs(doubtful, cell), *_notes(doubtful, column)))
    return _invalid(cell)


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
        tuple(reading.value for reading in readings),
        tuple(dict.fromkeys(reasons)),
        tuple(reading.kind for reading in readings),
        tuple(reading.extension for reading in readings),
    )


def _distinct(cell: Cell, state: str) -> list[Reading]:
    found = {reading.value: reading for reading in reversed(cell.readings) if reading.state == state}
    return list(reversed(found.values()))


def _repairs(readings: list[Reading], cell: Cell) -> tuple[str, ...]:
    return (*cell.repairs, *chain.from_iterable(reading.repairs for reading in readings))


def _notes(readings: list[Reading], column: str) -> tuple[str, ...]:
    return tuple(chain.from_iterable((*reading.notes, *_column_note(reading, column)) for reading in readings))


def _column_note(reading: Reading, column: str) -> tuple[str, ...]:
    other = {"mobile": "landline", "landline": "mobile"}.get(column)
    return ("other_kind",) if other and reading.kind == other else ()
