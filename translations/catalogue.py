"""The English catalogue. `python translations/catalogue.py` brings it to the source and lists what is not translated.

Chinese source strings are the keys: Python and templates by keyword, first data by the columns that people read.
"""

from __future__ import annotations

import csv
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
ENGLISH = ROOT / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS: Any = dict.fromkeys(("_", "gettext", "_l", "lazy_gettext", "N_", "Said", "Refused", "Throttled"))
PYTHON = ("models", "quality", "services", "workflows", "screens")
LEFT_OUT = ("screens/commands/", "templates/print/")  # the shell and the documents speak Chinese
LABELS = {
    "contact_kinds.csv": ("label",),
    "holidays.csv": ("name",),
    "reasons.csv": ("label",),
    "roles.csv": ("label", "description"),
    "rules.csv": ("label",),
}
HEAD = b"""# English for the Chinese source strings. Bring it to the source: python translations/catalogue.py
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Language: en\\n"

"""
SAID = ("name", "title", "description", "label")


def strings() -> Iterator[tuple[str, str]]:
    """Every string of the interface with the file it stands in; keys and codes inside a marked call are none."""
    yield from ((text, name) for text, name in _found() if "%(" in text or not text.isascii())


def _found() -> Iterator[tuple[str, str]]:
    for folder in PYTHON:
        yield from _by_keyword(folder, "*.py", "python")
    yield from _by_keyword("templates", "*.html", "jinja2")
    for name, columns in LABELS.items():
        with (ROOT / "seed" / name).open(encoding="utf-8", newline="") as file:
            yield from ((row[column], f"seed/{name}") for row in csv.DictReader(file) for column in columns)
    for path in sorted((ROOT / "seed" / "workflows").glob("*.toml")):
        found = _said(tomllib.loads(path.read_text("utf-8")))
        yield from ((text, f"seed/workflows/{path.name}") for text in found)


def _by_keyword(folder: str, pattern: str, method: str) -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / folder).rglob(pattern)):
        name = path.relative_to(ROOT).as_posix()
        if not name.startswith(LEFT_OUT):
            found = extract_from_file(method, path, KEYWORDS, options={"silent": "false"})
            yield from ((str(message), name) for _line, message, _comments, _context in found)


def _said(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        yield from (part[key] for key in SAID if isinstance(part.get(key), str))
    inside = part.values() if isinstance(part, Mapping) else part if isinstance(part, list) else ()
    for one in inside:
        yield from _said(one)


def extracted() -> Catalog:
    """The strings as a catalogue without translations."""
    catalogue = Catalog(charset="utf-8")
    for text, name in strings():
        catalogue.add(text, locations=[(name, None)], flags=["python-format"] if "%(" in text else [])
    return catalogue


def english() -> Catalog:
    """The catalogue as it is committed."""
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en")


def update() -> list[str]:
    """Bring the catalogue to the source; new strings come in without a translation, those that went are dropped."""
    catalogue = english()
    catalogue.update(extracted(), no_fuzzy_matching=True, update_header_comment=False)
    write(catalogue)
    return [str(message.id) for message in catalogue if message.id and not message.string]


def write(catalogue: Catalog) -> None:
    """One entry a string, in the order of the strings, so that two changes rarely meet."""
    with ENGLISH.open("wb") as file:
        file.write(HEAD)
        write_po(file, catalogue, width=0, omit_header=True, sort_output=True, ignore_obsolete=True)


if __name__ == "__main__":
    waiting = update()
    sys.stdout.write("".join(f"{text}\n" for text in waiting) + f"not translated: {len(waiting)}\n")
