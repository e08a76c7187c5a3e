"""A phone cell taken apart: the numbers in it, their extensions, and the words around them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from quality.area_codes import is_area_code, split_national
from quality.phone_readings import (
    BAD,
    COUNTRY_CODES,
    DOUBTFUL,
    GOOD,
    Reading,
    explain,
    read_number,
    read_without_zero,
)

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−─━ー~", "-"))
_CHINESE_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")
_CHINESE_RUN = re.compile(r"[零〇一二三四五六七八九幺](?:[\s-]?[零〇一二三四五六七八九幺]){6,}")
_MIXED_RUN = re.compile(r"[\d零〇一二三四五六七八九幺](?:-?[\d零〇一二三四五六七八九幺]){9,12}")
_WHOLE_NUMBER = re.compile(r"1[3-9]\d{9}|0\d{2,3}-?[2-8]\d{6,7}")
_LETTERS = re.compile(r"(?<![A-Za-z])[OoIl]+(?=[\s-]?\d)|(?<=\d)[OoIl]+(?![A-Za-z])")
LETTER_DIGITS = str.maketrans("OoIl", "0011")
_WHOLE_FLOAT = re.compile(r"(?<![\d.])(\d{7,15})\.0+(?!\d)")
_SCIENTIFIC = re.compile(r"(?<![\d.])(\d)(?:\.(\d+))?E\+?(\d{1,2})(?!\d)", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<![\d,])\d{1,3}(?:,\d{3}){2,4}(?![\d,])")
_WRAPPED = re.compile(r'="([^"]*)"|\'(.*)')
_MASKED = re.compile(r"\d{2,}[\s-]*[*×•●xX]{2,}[\s-]*\d*")
_MARK = "\x01"  # stands before an extension
_EXTENSION = re.compile(
    r"(?<=[\d)])[\s,.(-]*(?:(?:转接?|轉)(?:分机)?|分机号?|分機|内线|ext(?:ension)?\.?|x|#|\*)\s*[:.-]?\s*(\d{1,6})(?!\d)\)?",
    re.IGNORECASE,
)
_ODD = re.compile(r"[^0-9 /()+、,;:联系移动固定手机电话-]|,\d{3},")
_MAY_BE_SPREADSHEET = re.compile(r"[.,eE]")
_MAY_HAVE_EXTENSION = re.compile(r"[转轉分内eExX#*]")
_SPAN = re.compile(rf"[+(]*\d(?:[\d\s()+.{_MARK}-]*\d)?\)*")
_CHUNK = re.compile(rf"([\s().-]*)([+{_MARK}]?)(\d+)")
_TWINS = re.compile(r"(1[3-9]\d{9})(?=1[3-9]\d{9}(?:1[3-9]\d{9})?$)")
_BREAKS = re.compile(r"[/\\、;,|&。]|或者?|以及|和|及")
_LABEL = re.compile(
    r"(?:联系|移动|固定|办公|住宅|家庭|家里|单位|本人|客户|用户|业主|户主|备用|方式|号码|手机|座机|固话|小灵通|传真"
    r"|电话|电|话|号|长途|宅|家|办|公|短|no|tel|telephone|phone|mobile|mob|cell|fax|[mtphf]|[:.\s]|[一二三1-9])+",
    re.IGNORECASE,
)
_DEAD_AFTER = re.compile(
    r"空号|停机|停用|已换|换号|作废|错误|错号|有误|打不通|不通|无法接通|非本人|不是本人|不用|注销|销号|关机|旧号"
)
_DEAD_BEFORE = re.compile(r"旧|原|老号|以前|空号|停机|停用|作废")
_UNTIDY = re.compile(r"['\"`=_!?<>]")
_WORDINGS = 4096  # wordings around numbers that are kept as read
_TRIM = " ()-:.'\"`=_!?<>[]【】《》“”‘’"
_JOINED = 13  # chunks that one number may be written in
_TWO_MOBILES = 22  # digits


@dataclass(frozen=True)
class Cell:
    """What stands in a cell: every number read, and what had to be mended about the cell as a whole."""

    readings: tuple[Reading, ...]
    repairs: tuple[str, ...]


class _Chunk(NamedTuple):
    glue: str
    mark: str
    digits: str


def read_cell(flat: str, home: str) -> Cell:
    """Take a flattened cell apart; `home` is the area code to supply to local numbers."""
    if flat.isdigit() and len(flat) < _TWO_MOBILES:
        return Cell(tuple(_read_span(flat, home)), ())
    text, repairs, readings = _mend(flat)
    home = next((code for word, code in COUNTRY_CODES.items() if word in text), home)
    spans = list(_SPAN.finditer(text))
    edges = [0, *(edge for span in spans for edge in span.span()), len(text)]
    gaps = [text[edges[place] : edges[place + 1]] for place in range(0, len(edges), 2)]
    for place, span in enumerate(spans):
        found = _read_span(span.group(), _carried(readings) or home)
        if any(reading.state == BAD for reading in found):
            near = gaps[place] + gaps[place + 1]
            found = [reading for reading in found if not _is_note(reading, near)]
        readings += _mark_dead(found, before=gaps[place], after=gaps[place + 1])
        repairs += ["stray_characters"] if "." in span.group() else []
    return Cell(tuple(readings), tuple(dict.fromkeys([*repairs, *_gap_repairs(gaps)])))


def has_wide_digits(text: str) -> bool:
    """Whether digits or letters stand there in another form than plain ASCII."""
    return not text.isascii() and any(
        not char.isascii() and (char.isdecimal() or unicodedata.normalize("NFKC", char)[0].isascii())
        for char in text
        if char.isalnum()
    )


def plain_digits(text: str) -> str:
    """Decimal digits of any script as ASCII."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in text)


def _mend(flat: str) -> tuple[str, list[str], list[Reading]]:
    """What spreadsheets and fingers did to the text, undone; with the numbers that cannot be restored."""
    repairs: list[str] = []
    if not _ODD.search(flat):
        return flat, repairs, []
    text = flat.translate(_DASHES)
    if wrapped := _WRAPPED.fullmatch(text):
        text = wrapped.group(1) or wrapped.group(2) or ""
        repairs.append("stray_characters")
    text, masked = _MASKED.subn(" ", text)
    readings = [Reading(BAD, "none", notes=("masked",))] * masked
    if _MAY_BE_SPREADSHEET.search(text):
        text = _restore_floats(text, repairs, readings)
    mended = _restore_digits(text)
    if mended != text:
        repairs.append("letter_for_digit")
    if _MAY_HAVE_EXTENSION.search(mended):
        mended = _EXTENSION.sub(rf"{_MARK}\1 ", mended).rstrip()
    return mended, repairs, readings


def _restore_digits(text: str) -> str:
    """Letters and Chinese numerals written for digits, as digits."""
    if not text.isascii():
        text = _CHINESE_RUN.sub(lambda run: run.group().translate(_CHINESE_DIGITS), text)
        text = _MIXED_RUN.sub(_restore_mixed, text)
    return _LETTERS.sub(lambda run: run.group().translate(LETTER_DIGITS), text)


def _restore_mixed(run: re.Match[str]) -> str:
    """Numerals among digits, where exactly one number comes of it (not the 一 of 一楼 behind a number)."""
    digits = run.group().translate(_CHINESE_DIGITS)
    return digits if _WHOLE_NUMBER.fullmatch(digits) else run.group()


def _restore_floats(text: str, repairs: list[str], readings: list[Reading]) -> str:
    def restore(match: re.Match[str]) -> str:
        first, rest, power = match.group(1), match.group(2) or "", int(match.group(3))
        if len(rest) == power:
            repairs.append("spreadsheet_number")
            return first + rest
        readings.append(Reading(BAD, "none", notes=("digits_lost",)))
        return " "

    restored, floats = _WHOLE_FLOAT.subn(r"\1", _SCIENTIFIC.sub(restore, text))
    restored, grouped = _THOUSANDS.subn(lambda run: run.group().replace(",", ""), restored)
    repairs += ["spreadsheet_number"] if floats or grouped else []
    return restored


def _read_span(span: str, home: str) -> list[Reading]:
    """Numbers in a run of digits, spaces and hyphens: the longest that make sense, from the left."""
    chunks = _chunks(span)
    found: list[Reading] = []
    place = 0
    while place < len(chunks):
        chunk = chunks[place]
        if found and _is_extension(chunk, found[-1]):
            found[-1] = found[-1]._replace(extension=chunk.digits)
            place += 1
            continue
        reading, taken = _longest(chunks[place : place + _JOINED], _carried(found) or home)
        found.append(reading)
        place += taken
    return found


def _chunks(span: str) -> list[_Chunk]:
    chunks = []
    for glue, mark, digits in _CHUNK.findall(span):
        if len(digits) < _TWO_MOBILES:
            chunks.append(_Chunk(glue, mark, digits))
            continue
        first, *others = _TWINS.sub(r"\1 ", digits).split()
        chunks += [_Chunk(glue, mark, first), *(_Chunk(" ", "", other) for other in others)]
    return chunks


def _longest(chunks: list[_Chunk], home: str) -> tuple[Reading, int]:
    bad: tuple[Reading, int] | None = None
    for count in range(_reach(chunks), 0, -1):
        reading = _read_chunks(chunks[:count], home)
        if reading and reading.state != BAD:
            return reading, count
        if reading and not bad:
            bad = reading, count
    return bad or _take_unread(chunks, home)


def _take_unread(chunks: list[_Chunk], home: str) -> tuple[Reading, int]:
    """What is no number: an area code takes its local part with it, anything else goes up to the next number."""
    count = 2 if chunks[0].digits.startswith("0") and len(chunks[0].digits) < 6 else 1
    while count < len(chunks) and not chunks[count].mark and not _begins(chunks[count:], home):
        count += 1
    return _unread("".join(chunk.digits for chunk in chunks[:count])), min(count, len(chunks))


def _begins(chunks: list[_Chunk], home: str) -> bool:
    readings = (_read_chunks(chunks[:count], home) for count in range(_reach(chunks), 0, -1))
    return any(reading and reading.state != BAD for reading in readings)


def _reach(chunks: list[_Chunk]) -> int:
    """How many chunks may belong to the number that begins with the first: up to the next plus or extension."""
    return next((place for place, chunk in enumerate(chunks) if place and chunk.mark), len(chunks))


def _read_chunks(chunks: list[_Chunk], home: str) -> Reading | None:
    digits = "".join(chunk.digits for chunk in chunks)
    is_abroad = chunks[0].mark == "+"
    reading = read_number(digits, plus=is_abroad, home=home)
    if reading or is_abroad:
        return reading
    starts_with_area = split_national(digits)[0][1:] == chunks[0].digits
    return read_without_zero(digits, home) if len(chunks) == 1 or starts_with_area else None


def _unread(digits: str) -> Reading:
    return Reading(BAD, "none", digits, notes=(explain(digits),))


def _is_extension(chunk: _Chunk, reading: Reading) -> bool:
    if reading.state == BAD or reading.extension or len(chunk.digits) > 6 or is_area_code(chunk.digits):
        return False
    return chunk.mark == _MARK or chunk.glue.strip() in ("-", "(", "-(")


def _carried(readings: list[Reading]) -> str:
    """The area code of the landline before: the next number of the cell shares it."""
    before = next(
        (reading for reading in reversed(readings) if reading.kind == "landline" and reading.value), None
    )
    is_ours = before is not None and before.state != BAD and before.value.startswith("+86")
    return split_national(before.value[3:])[0] if before and is_ours else ""


def _is_note(reading: Reading, near: str) -> bool:
    """A few digits between words (2楼, 3号) belong to the words."""
    return reading.state == BAD and 0 < len(reading.value) < 5 and any(map(str.isalpha, near))


def _mark_dead(found: list[Reading], *, before: str, after: str) -> list[Reading]:
    if found and _says_dead_behind(after):
        found[-1] = _dead(found[-1])
    if found and _says_dead_ahead(before):
        found[0] = _dead(found[0])
    return found


@lru_cache(maxsize=_WORDINGS)
def _says_dead_behind(after: str) -> bool:
    return bool(_DEAD_AFTER.search(_BREAKS.split(after)[0]))


@lru_cache(maxsize=_WORDINGS)
def _says_dead_ahead(before: str) -> bool:
    return bool(_DEAD_BEFORE.search(_BREAKS.split(before)[-1])) and not _DEAD_AFTER.search(before)


def _dead(reading: Reading) -> Reading:
    if reading.state == BAD:
        return reading
    return reading._replace(state=DOUBTFUL, notes=(*reading.notes, "noted_dead"))


def _gap_repairs(gaps: list[str]) -> list[str]:
    repairs = [repair for gap in gaps if gap for repair in _wording_repairs(gap)]
    if repairs:
        return repairs
    edges = gaps[0] + gaps[-1] if len(gaps) > 1 else ""
    is_untidy = (bool(edges) and bool(_BREAKS.search(edges))) or any(map(_UNTIDY.search, gaps))
    return ["stray_characters"] if is_untidy else []


@lru_cache(maxsize=_WORDINGS)
def _wording_repairs(gap: str) -> tuple[str, ...]:
    """What must be mended about the words between numbers; the same few words stand in most cells."""
    pieces = [piece.strip(_TRIM) for piece in _BREAKS.split(gap)]
    return tuple(_piece_repair(piece) for piece in pieces if piece)


def _piece_repair(piece: str) -> str:
    if _LABEL.fullmatch(piece):
        return "label"
    return "note" if any(map(str.isalpha, piece)) else "stray_characters"


__all__ = ["BAD", "DOUBTFUL", "GOOD", "LETTER_DIGITS", "Cell", "has_wide_digits", "plain_digits", "read_cell"]
