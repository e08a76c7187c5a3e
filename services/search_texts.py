"""What may be searched of a customer, as plain text and as grams; and what a filter may ask, as bits. Values only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import lru_cache
from itertools import product
from operator import add
from typing import Any

from models.words import CUSTOMER_CLASSES, VERDICTS
from services.reach import BITS, EVERY

PHONES = ("mobile", "landline")
SEARCHED = (*PHONES, "person", "supply_address", "postal_address")
JUDGED = ("mobile", "landline", "supply_address")
NONE = "none"
NO_DAY = date(1, 1, 1)  # sorts before every opening day

# Bits of `search_rows.facets`; stored: never renumbered, only added to.
CLASS_BITS = {name: 1 << place for place, name in enumerate(CUSTOMER_CLASSES)}
CLOSED = 1 << 3
VERDICT_BITS = {pair: 1 << (4 + place) for place, pair in enumerate(product(JUDGED, (*VERDICTS, NONE)))}
REACH_SHIFT = 22
REACH_BITS = {name: bit << REACH_SHIFT for name, bit in BITS.items()} | {NONE: 1 << 27}

_PAIRS_OF_DIGITS = frozenset(map("".join, product("0123456789", repeat=2)))
_THREE_DIGITS = re.compile(r"(?=([0-9]{3}))")


def plain(text: str) -> str:
    """A text as it is compared: one width, small letters, letters and digits only."""
    if text.isalnum() and unicodedata.is_normalized("NFKC", text):
        return text.lower()
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).lower()))


def plain_phone(value: str, raw: str) -> str:
    """A number as people type it: national, with the area code's nought; what has no standard value, as it came."""
    if not value.startswith("+86"):
        return plain(value or raw)
    digits = value[3:]
    return (
        digits if (len(digits) == 11 and digits[0] == "1") or digits[:3] in ("400", "800") else f"0{digits}"
    )


def text_of(customer: Any, contacts: Iterable[Any]) -> str:
    """The searchable text of a customer: account number, name, and the current values, one a line, none twice."""
    lines = {plain(customer.account_no): None, plain(customer.name): None}
    for row in contacts:
        kind = row.kind
        if kind in PHONES:
            lines[plain_phone(row.value, row.raw)] = None
        elif kind in SEARCHED:
            lines[plain(row.value or row.raw)] = None
    lines.pop("", None)
    return "\n".join(lines)


def facets_of(customer: Any, contacts: Iterable[Any]) -> int:
    """What filters may ask of a customer, as a sum of bits."""
    verdicts = tuple([(row.kind, row.verdict) for row in contacts])
    return _facets(customer.customer_class, customer.closed_on is not None, customer.reach, verdicts)


@lru_cache(maxsize=4096)
def _facets(customer_class: str, is_closed: bool, reach: int, verdicts: tuple[tuple[str, str], ...]) -> int:
    found = CLASS_BITS.get(customer_class, 0) | (CLOSED if is_closed else 0)
    found |= (reach & EVERY) << REACH_SHIFT if reach else REACH_BITS[NONE]
    for pair in verdicts:
        found |= VERDICT_BITS.get(pair, 0)
    kinds = {kind for kind, _verdict in verdicts}
    return found | sum(VERDICT_BITS[kind, NONE] for kind in JUDGED if kind not in kinds)


def grams(text: str) -> set[str]:
    """Every pair of neighbouring signs of a line, and every three digits; two digits alone stand nearly everywhere."""
    pairs = set(map(add, text, text[1:]))
    found = {pair for pair in pairs if "\n" not in pair and pair not in _PAIRS_OF_DIGITS}
    found.update(_THREE_DIGITS.findall(text))
    return found


def words_of(text: str) -> tuple[str, ...]:
    """What was typed as words that must all occur; digits set apart by spaces are one number, without its +86."""
    words = [word for word in map(plain, text.split()) if word]
    if not words or not all(map(_is_number, words)):
        return tuple(words)
    number = "".join(words)
    abroad = unicodedata.normalize("NFKC", text).lstrip().startswith(("+86", "0086"))
    return (number.removeprefix("00").removeprefix("86") if abroad else number,)


def _is_number(word: str) -> bool:
    return word.isascii() and word.isdigit()


def gram_numbers(text: str) -> list[int]:
    """The grams as whole numbers, for an index of numbers; two signs of the rarest planes may share one."""
    return sorted({gram_number(gram) for gram in grams(text)})


def gram_number(gram: str) -> int:
    """One gram as a whole number of four bytes."""
    if len(gram) == 3:
        return int(gram)
    number = (ord(gram[0]) & 0xFFFF) << 16 | ord(gram[1]) & 0xFFFF
    return number - (1 << 32) if number >= 1 << 31 else number
