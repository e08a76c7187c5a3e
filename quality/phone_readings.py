"""One number without its surroundings: digits in, what they are out."""

from __future__ import annotations

import re
from typing import NamedTuple

import phonenumbers

from quality.area_codes import find_merger, local_lengths, split_national
from quality.fakes import fake_reasons
from quality.number_upgrades import find_upgrade
from quality.segments import is_machine_number, segment_reason

GOOD = "good"
DOUBTFUL = "doubtful"
BAD = "bad"

COUNTRY_CODES = {"香港": "+852", "澳门": "+853"}  # said instead of an area code
_NEIGHBOUR = re.compile(r"(?:852|853)\d{8}|886\d{8,9}")
_OLD_NEIGHBOURS = ("0851",)  # 0852 and 0853 were area codes there until 2014
_SERVICE = re.compile(r"1[0-2]\d|1[0-2]\d{3}|10[01]\d{3,5}|1[12]\d{4}|9[56]\d{3,6}|106\d{5,13}")
_MOBILE = re.compile(r"1[3-9]\d{9}")


class Reading(NamedTuple):
    """What a number was read as. `repairs` say what had to be mended, `notes` what else is worth knowing."""

    state: str
    kind: str
    value: str = ""
    repairs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    extension: str = ""


def read_mobile(digits: str, *repairs: str) -> Reading:
    """Eleven digits beginning with 13 to 19."""
    segment = segment_reason(digits)
    fakes = fake_reasons(digits)
    doubts = (segment, *fakes) if segment == "rare_segment" else fakes
    if doubts:
        return Reading(DOUBTFUL, "mobile", f"+86{digits}", repairs, doubts)
    return Reading(GOOD, "mobile", f"+86{digits}", repairs, (segment,) if segment else ())


def read_number(digits: str, *, plus: bool, home: str) -> Reading | None:
    """Read digits as one number; None when they are not one. `home` is the area code to supply, or empty."""
    if plus:
        return _read_international(digits, home)
    if _MOBILE.fullmatch(digits):
        return read_mobile(digits)
    if digits.startswith("0"):
        return _read_with_zero(digits, home)
    if digits.startswith("86") and len(digits) > 9:
        return _read_national(digits[2:], home)
    if _NEIGHBOUR.fullmatch(digits) and home not in _OLD_NEIGHBOURS:
        return _mended(_read_foreign(digits), "missing_country_code")
    return _read_hotline(digits) or _read_machine(digits) or _read_service(digits) or read_local(digits, home)


def read_without_zero(digits: str, home: str) -> Reading | None:
    """A landline whose 0 a spreadsheet took away (757 83331234)."""
    reading = _read_area(digits, home) if 9 <= len(digits) <= 11 else None
    return _mended(reading, "missing_zero") if reading and reading.state != BAD else None


def read_local(digits: str, home: str) -> Reading | None:
    """Seven or eight digits: a local number, which needs the area code of the unit."""
    if home.startswith("+"):
        return _mended(_read_foreign(home[1:] + digits), "missing_country_code") if len(digits) == 8 else None
    if len(digits) not in (7, 8) or digits[0] not in "2345678":
        return None
    if not home:
        return Reading(BAD, "landline", notes=("no_area_code",))
    reading = _read_landline(home, digits, home)
    return _mended(reading, "missing_area_code")


def explain(digits: str) -> str:
    """Why digits are no number at all."""
    if digits.startswith("0") and len(digits) >= 9 and not split_national(digits[1:])[0]:
        return "unknown_area_code"
    return "wrong_length"


def _mended(reading: Reading | None, repair: str) -> Reading | None:
    if reading is None:
        return None
    return Reading(reading.state, reading.kind, reading.value, (*reading.repairs, repair), reading.notes)


def _read_international(digits: str, home: str) -> Reading | None:
    if digits.startswith("86"):
        return _read_national(digits[2:], home)
    return _read_foreign(digits)


def _read_national(national: str, home: str) -> Reading | None:
    """After the country code: a mobile, or an area code with or without its 0."""
    if _MOBILE.fullmatch(national):
        return read_mobile(national)
    if national.startswith("0"):
        return _read_with_zero(national, home)
    return _read_hotline(national) or _read_machine(national) or _read_area(national, home)


def _read_with_zero(digits: str, home: str) -> Reading | None:
    rest = digits[1:]
    if _MOBILE.fullmatch(rest):
        return read_mobile(rest, "stray_zero")
    if digits.startswith("00"):
        return _read_double_zero(rest, home)
    if rest.startswith("86") and len(rest) > 11:
        reading = _read_national(rest[2:], home)
    else:
        reading = _read_hotline(rest)
    return _mended(reading, "stray_zero") if reading else _read_area(rest, home)


def _read_double_zero(rest: str, home: str) -> Reading | None:
    """00 dials abroad (0086, 00852); where that makes no number, one 0 was too many."""
    if rest.startswith("086"):
        return _read_national(rest[3:], home)
    stray = _read_with_zero(rest, home)
    if stray and stray.state == GOOD:
        return _mended(stray, "stray_zero")
    return _read_foreign(rest[1:]) or stray


def _read_area(national: str, home: str) -> Reading | None:
    area, local = split_national(national)
    return _read_landline(area, local, home) if area else None


def _read_landline(area: str, local: str, home: str) -> Reading | None:
    if _is_service(local):
        return Reading(BAD, "service", notes=("service_number",))
    if len(local) not in (7, 8):
        return None
    if local[0] not in "2345678":
        return Reading(BAD, "landline", notes=("bad_local_digit", *_dummy(local)))
    rule = find_upgrade(area, local)
    if rule and not rule.is_certain(home):
        return Reading(DOUBTFUL, "landline", f"+86{area[1:]}{local}", (), ("number_retired",))
    if rule:
        return _landline(rule.new_area, rule.prefix + local, "number_upgraded")
    if merged := find_merger(area, local):
        return _landline(merged.new_area, local, "number_upgraded")
    return _landline(area, local) if len(local) in local_lengths(area) else None


def _landline(area: str, local: str, *repairs: str) -> Reading:
    fakes = fake_reasons(local)
    return Reading(DOUBTFUL if fakes else GOOD, "landline", f"+86{area[1:]}{local}", repairs, fakes)


def _dummy(local: str) -> tuple[str, ...]:
    return ("known_dummy",) if "known_dummy" in fake_reasons(local) else ()


def _read_hotline(digits: str) -> Reading | None:
    if len(digits) != 10 or digits[:3] not in ("400", "800"):
        return None
    return Reading(GOOD, "service", f"+86{digits}", (), ("hotline_number",))


def _read_machine(digits: str) -> Reading | None:
    if len(digits) != 13 or not is_machine_number(digits):
        return None
    return Reading(GOOD, "mobile", f"+86{digits}", (), ("iot_segment",))


def _read_service(digits: str) -> Reading | None:
    return Reading(BAD, "service", notes=("service_number",)) if _is_service(digits) else None


def _is_service(digits: str) -> bool:
    return digits[:1] in ("1", "9") and bool(_SERVICE.fullmatch(digits))


def _read_foreign(digits: str) -> Reading | None:
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return None
    if number.country_code == 86 or not phonenumbers.is_valid_number(number):
        return None
    is_fixed = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.FIXED_LINE
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Reading(GOOD, "landline" if is_fixed else "mobile", value, (), ("foreign_number",))
