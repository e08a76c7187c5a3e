"""From plain values to the HTML of a document: the templates of templates/print, every value escaped and cleaned."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from models.faces import FACES
from paper import codes, figures, fonts
from paper.letterheads import Letterhead

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "print"
GETA = "〓"  # what Chinese printing sets for a character that it does not have

_BLANKS = re.compile("[\t\r\n\v\f\x85\u2028\u2029]+")
_UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e01ef]"
)
_UNFIT = re.compile(f"{_BLANKS.pattern}|{_UNSEEN.pattern}")


def printable(text: str, *, folder: str = "") -> str:
    """A value as paper can show it: no control or direction characters, 〓 for what no font has."""
    if not _not_as_it_is(folder).search(text):
        return text
    kept = visible(text)
    missing = fonts.missing_glyphs(kept, folder=folder)
    return kept.translate({ord(character): GETA for character in missing}) if missing else kept


def is_printable(text: str, *, folder: str = "") -> bool:
    """Whether paper can show a text as it is: then `printable` gives it back unchanged."""
    return not _not_as_it_is(folder).search(text) or (
        not _UNFIT.search(text) and not fonts.missing_glyphs(text, folder=folder)
    )


@lru_cache(maxsize=8)
def _not_as_it_is(folder: str) -> re.Pattern[str]:
    """Finds what none of our faces has, or what turns, hides or breaks a line; a rare character, too, that is fit."""
    return fonts.strangers(one for one in fonts.covered(folder) if one <= "\uffff" and not _UNFIT.match(one))


def visible(text: str) -> str:
    """A text on one line, without characters that show nothing or turn the direction of writing."""
    return _UNSEEN.sub("", _BLANKS.sub(" ", text)) if _UNFIT.search(text) else text


def compose(template: str, letterhead: Letterhead, **values: Any) -> str:
    """Fill one template of templates/print; a name that is not given is an error, never a blank."""
    page = _environment(letterhead.font_folder).get_template(template)
    return page.render(letterhead=letterhead, families=_families(letterhead), **values)


def _families(letterhead: Letterhead) -> dict[str, fonts.Family]:
    folder = letterhead.font_folder
    return {face: fonts.family(face, own=getattr(letterhead, face), folder=folder) for face in FACES}


@lru_cache(maxsize=4)
def _environment(folder: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: _shown(value, folder),
    )
    for name in (
        "percent",
        "rate",
        "fraction",
        "interval",
        "points",
        "count",
        "score",
        "signed_score",
        "rank",
        "move",
    ):
        environment.filters[name] = getattr(figures, name)
    for name in ("long_date", "short_date", "cutoff", "as_of", "month"):
        environment.filters[name] = getattr(figures, name)
    environment.filters["breakable"] = lambda text: _breakable(text, folder)
    environment.globals["code"] = _code
    environment.globals["link_code"] = _link_code
    return environment


def _breakable(text: str, folder: str) -> Markup:
    """Running text in which a line may also end between a rate and the numbers behind it."""
    return Markup(str(escape(printable(text, folder=folder))).replace("%（", "%\u200b（"))  # noqa: S704 escaped


def _code(kind: str, token: str, page: int, place: str) -> Markup:
    return Markup(codes.svg(codes.code_rows(codes.code_text(kind, token, page=page, place=place))))  # noqa: S704 numbers only


def _link_code(text: str) -> Markup:
    return Markup(codes.svg(codes.link_rows(text)))  # noqa: S704 numbers only


def _shown(value: Any, folder: str) -> Any:
    return (
        printable(value, folder=folder) if isinstance(value, str) and not isinstance(value, Markup) else value
    )
