"""Tokens, check characters and the square codes that stand on paper."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from models.words import N_
from paper.matrices import Rows, matrix

KINDS = {"L": N_("函件"), "V": N_("走访任务"), "N": N_("考核通知单")}
PLACES = ("1", "2", "3", "4", "W")  # top left, top right, bottom left, bottom right, window

TOKEN_LENGTH = 10
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
RADIX_36 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
FORMAT = "1"

_TOKEN = re.compile(f"[{CROCKFORD}]{{{TOKEN_LENGTH}}}")
_KIND = re.compile(f"([{''.join(KINDS)}])[{FORMAT}IL]")
_FORGIVEN = str.maketrans("ILO", "110")
_TYPED = str.maketrans({"。": ".", "．": ".", "｡": ".", "－": "", "-": "", "—": ""})


@dataclass(frozen=True)
class Code:
    """What a code says. A token typed by hand has neither kind, page nor place."""

    token: str
    kind: str | None = None
    page: int | None = None
    place: str | None = None


@dataclass(frozen=True)
class Stamp:
    """A code with its place on a page: x, y and size in mm from the top left."""

    text: str
    x: float
    y: float
    size: float


def new_token() -> str:
    """Ten random characters (50 bits) that carry nothing about the customer."""
    return "".join(secrets.choice(CROCKFORD) for _ in range(TOKEN_LENGTH))


def normalise_token(text: str) -> str | None:
    """The token a person meant: case, spaces, hyphens, full width and I, L, O are forgiven; else None."""
    token = _typed(text).translate(_FORGIVEN)
    return token if _TOKEN.fullmatch(token) else None


def check_characters(text: str) -> str:
    """Two check characters after ISO 7064 MOD 1271-36 over digits and capital letters."""
    value = (1272 - int(text + "00", 36) % 1271) % 1271
    return RADIX_36[value // 36] + RADIX_36[value % 36]


def code_text(kind: str, token: str, *, page: int, place: str) -> str:
    """The text inside a printed code, e.g. `L1.ABCDEFGHJK.1.3W.W`."""
    if place not in PLACES:
        raise ValueError(f"no code for place {place!r}")
    return f"{_start(kind, token, page)}.{place}"


@lru_cache(maxsize=64)
def _start(kind: str, token: str, page: int) -> str:
    """What the codes of one page have in common."""
    if kind not in KINDS or not _TOKEN.fullmatch(token):
        raise ValueError(f"no code for kind {kind!r}, token {token!r}")
    check = check_characters(f"{kind}{FORMAT}{token}{page}")
    return f"{kind}{FORMAT}.{token}.{page}.{check}"


def parse_code(text: str) -> Code | None:
    """Read what a scanner or a person typed: a whole code, or the token alone; None if it is neither."""
    typed = _typed(text)
    if "." not in typed:
        token = normalise_token(typed)
        return Code(token) if token else None
    return _parse_parts(typed.split("."))


def _parse_parts(parts: list[str]) -> Code | None:
    if len(parts) != 5:
        return None
    kind, token, page, check, place = _KIND.fullmatch(parts[0]), normalise_token(parts[1]), *parts[2:]
    if kind is None or token is None or not re.fullmatch("[1-9][0-9]?", page) or place not in PLACES:
        return None
    if check != check_characters(f"{kind[1]}{FORMAT}{token}{page}"):
        return None
    return Code(token, kind=kind[1], page=int(page), place=place)


def _typed(text: str) -> str:
    """Capitals without blanks and hyphens; behind a Chinese input method a scanner sends full width and 。."""
    return "".join(unicodedata.normalize("NFKC", text.translate(_TYPED)).translate(_TYPED).upper().split())


def code_rows(text: str) -> Rows:
    """The modules of a letter's, visit's or notice's code: always version 2-Q, 25 by 25; 1 is dark."""
    return matrix(text, "Q")


def link_rows(url: str) -> Rows:
    """The modules of the code of an address (capitals keep it small) for a customer's phone."""
    return matrix(url, "M")


def runs(rows: Rows) -> Iterator[tuple[int, int, int]]:
    """The dark runs of a code, as column, row and width in modules."""
    for y, row in enumerate(rows):
        for run in re.finditer(rb"\x01+", row):
            yield run.start(), y, run.end() - run.start()


def svg(rows: Rows) -> str:
    """A code as inline SVG; the box it stands in gives it its size."""
    path = "".join(f"M{x} {y}h{width}v1h-{width}z" for x, y, width in runs(rows))
    return f'<svg viewBox="0 0 {len(rows)} {len(rows)}"><path d="{path}"/></svg>'
