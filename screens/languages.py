"""The languages of the interface: Chinese stands in the source, English in translations/."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import session
from flask_babel import force_locale, get_translations
from flask_security import current_user

from models.home import CHECKOUT

LOCALES = {"zh_CN": "中文", "en": "English"}
# the libraries name their simplified Chinese by script and region; asked for zh_CN, Flask-Admin would speak English
BABEL_NAMES = {"zh_CN": "zh_Hans_CN", "en": "en"}
_FORCED: ContextVar[str] = ContextVar("forced", default="")
CATALOGUES = CHECKOUT / "translations"
SHORTEST = 3  # what stands fast in a sentence must say so much, or it would be found in every text


def compiled(home: Path) -> Path:
    """The folder of the compiled catalogues, in the home; compiled where a catalogue has changed since."""
    folder = home / "translations"
    for source in CATALOGUES.glob("*/LC_MESSAGES/*.po"):
        target = (folder / source.relative_to(CATALOGUES)).with_suffix(".mo")
        age = source.stat().st_mtime_ns
        if not target.exists() or target.stat().st_mtime_ns != age:
            _compile(source, target, age)
    return folder


def _compile(source: Path, target: Path, age: int) -> None:
    """Whole or not at all: several processes may start together."""
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}")
    with source.open("rb") as text, draft.open("wb") as file:
        write_mo(file, read_po(text))
    os.utime(draft, ns=(age, age))
    draft.replace(target)


@contextmanager
def in_chinese() -> Iterator[None]:
    """For what goes on paper: Chinese, whatever the asking person reads."""
    token = _FORCED.set("zh_CN")
    try:
        with force_locale(BABEL_NAMES["zh_CN"]):
            yield
    finally:
        _FORCED.reset(token)


def chosen() -> str:
    """The language of the asking person, else of this browser, else Chinese."""
    if _FORCED.get():
        return _FORCED.get()
    locale = current_user.locale if current_user.is_authenticated else session.get("locale", "")
    return locale if locale in LOCALES else "zh_CN"


def babel_name() -> str:
    """The same, as the libraries' catalogues are named."""
    return BABEL_NAMES[chosen()]


def told(text: str) -> str:
    """A stored Chinese sentence in the language of the asking person; what the catalogue does not know stays."""
    known = get_translations()
    if not text or chosen() == "zh_CN":
        return text
    said = str(known.ugettext(text))
    return said if said != text else _filled(text) or _by_parts(text)


def _by_parts(text: str) -> str:
    """Titles and lists are stored as one text; what stands between their parts is looked up too."""
    for joint in (" · ", "、"):
        if joint in text:
            return str(get_translations().ugettext(joint)).join(told(part) for part in text.split(joint))
    return text


def _filled(text: str) -> str:
    for landmark, pattern, source in _patterns(chosen()):
        match = pattern.fullmatch(text) if landmark in text else None
        if match:
            values = {name: told(value) for name, value in match.groupdict().items()}
            return str(get_translations().ugettext(source)) % values
    return ""


@cache
def _patterns(_language: str) -> list[tuple[str, re.Pattern[str], str]]:
    """The strings with values as patterns, each with its longest fixed part; the most telling ones first."""
    found = []
    for source in get_translations()._catalog:
        parts = re.split(r"%\((\w+)\)s", source) if isinstance(source, str) else [""]
        names, landmark = parts[1::2], max(parts[::2], key=len)
        if len(landmark) >= SHORTEST and len(set(names)) == len(names) > 0:
            fixed = (f"(?P<{part}>.*)" if at % 2 else re.escape(part) for at, part in enumerate(parts))
            found.append((landmark, re.compile("".join(fixed), re.DOTALL), source))
    return sorted(found, key=lambda one: -len(re.sub(r"%\(\w+\)s", "", one[2])))
