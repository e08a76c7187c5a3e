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
MOST_GRAMS = 3

# Bits of `search_rows.facets`; stored: never renumbered, only added to.
CLASS_BITS = {name: 1 << place for place, name in enumerate(CUSTOMER_CLASSES)}
CLOSED = 1 << 3
VERDICT_BITS = {pair: 1 << (4 + place) for place, pair in enumerate(product(JUDGED, (*VERDICTS, NONE)))}
REACH_SHIFT = 22
REACH_BITS = {name: bit << REACH_SHIFT for name, bit in BITS.items()} | {NONE: 1 << 27}

_PAIRS_OF_DIGITS = frozenset(map("".join, product("0123456789", repeat=2)))
_THREE_DIGITS = re.compile(r"(?=([0-9]{3}))")


@lru_cache(maxsize=4096)
def plain(text: str) -> str:
    """A text as it is compared: one width, small letters, letters and digits only."""
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
    lines = [plain(customer.account_no), plain(customer.name)]
    for row in contacts:
        if row.kind in PHONES:
            lines.append(plain_phone(row.value, row.raw))
        elif row.kind in SEARCHED:
            lines.append(plain(row.value or row.raw))
    return "\n".join(line for line in dict.fromkeys(lines) if line)


def facets_of(customer: Any, contacts: Iterable[Any]) -> int:
    """What filters may ask of a customer, as a sum of bits."""
    found = CLASS_BITS.get(customer.customer_class, 0) | (CLOSED if customer.closed_on else 0)
    found |= (customer.reach & EVERY) << REACH_SHIFT if customer.reach else REACH_BITS[NONE]
    kinds = set()
    for row in contacts:
        if row.kind in JUDGED:
            found |= VERDICT_BITS.get((row.kind, row.verdict), 0)
            kinds.add(row.kind)
    for kind in JUDGED:
        if kind not in kinds:
            found |= VERDICT_BITS[kind, NONE]
    return found


def grams(text: str) -> set[str]:
    """Every pair of neighbouring signs of a line, and every three digits; two digits alone stand nearly everywhere."""
    found: set[str] = set()
    for line in text.split("\n"):
        found.update(map(add, line, line[1:]))
    found -= _PAIRS_OF_DIGITS
    found.update(_THREE_DIGITS.findall(text))
    return found


def asked_grams(word: str) -> list[str]:
    """A few grams that a text must have to hold a word: side by side from the end, where words differ most."""
    found: list[str] = []
    end = len(word)
    while end > 1 and len(found) < MOST_GRAMS:
        size = 3 if end > 2 and _is_number(word[end - 3 : end]) else 2
        piece = word[end - size : end]
        is_gram = size == 3 or piece not in _PAIRS_OF_DIGITS
        found += [piece] if is_gram else []
        end -= size if is_gram else 1
    return found or sorted(grams(word))[:MOST_GRAMS]


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
