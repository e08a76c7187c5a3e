"""Dates and moments as bureaus write them, spreadsheet serials included."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo

from quality.texts import flatten

_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets, as it works out for days after 1900-02-28
_SERIALS = range(10_000, 80_000)  # 1927-05-18 to 2119-01-10
_DATE = r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?)|(\d{2})(\d{2}))"
_MOMENT = re.compile(rf"{_DATE}(?:[T\s]*(\d{{1,2}})[:时](\d{{1,2}})(?:[:分](\d{{1,2}})?(?:\.\d+)?秒?)?分?)?")
_WHOLE = re.compile(r"\d{5,8}\.0")
_SERIAL = re.compile(r"(\d{5})(?:\.(\d+))?")
_PLAIN = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", re.ASCII)  # as most exports write it
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})")


def parse_date(text: str) -> date | None:
    """The date in a text (2026-01-05, 2026/1/5, 20260105, 2026年1月5日, 46027, with or without time), or None."""
    moment = parse_moment(text, UTC)
    return moment.date() if moment else None


def parse_moment(text: str, zone: tzinfo) -> datetime | None:
    """The moment in a text, in the given time zone; 0:00 where only a date is written; None when there is none."""
    if _PLAIN.fullmatch(text):
        return _read_plain(text, zone)
    flat = flatten(text).strip("'\"=")
    flat = flat[:-2] if _WHOLE.fullmatch(flat) else flat
    serial = _SERIAL.fullmatch(flat)
    if serial and int(serial.group(1)) in _SERIALS:
        return _from_serial(int(serial.group(1)), float(f"0.{serial.group(2) or 0}"), zone)
    compact = _COMPACT.fullmatch(flat)
    if compact:
        return _moment([int(group) for group in compact.groups()], zone)
    found = _MOMENT.fullmatch(flat)
    if not found:
        return None
    year, month, day, short_month, short_day, *clock = found.groups()
    numbers = [year, month or short_month, day or short_day, *(part or "0" for part in clock)]
    return _moment([int(number) for number in numbers], zone)


def _read_plain(text: str, zone: tzinfo) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        return None


def _from_serial(days: int, part: float, zone: tzinfo) -> datetime:
    midnight = datetime.combine(_EPOCH + timedelta(days=days), datetime.min.time(), tzinfo=zone)
    return midnight + timedelta(seconds=round(part * 86_400))


def _moment(numbers: list[int], zone: tzinfo) -> datetime | None:
    year, month, day, hour, minute, second = numbers
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None
