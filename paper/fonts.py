"""Which families a document names, what characters they can show, how wide a text is: without layout."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.sax.saxutils import escape

from fontTools.ttLib import TTFont

from models.faces import FoundFace, chinese_families, found_faces

MM_PER_PT = 25.4 / 72
LAST_RESORT = ("Noto Serif CJK SC", "Noto Sans CJK SC")


@dataclass(frozen=True)
class Family:
    """A face as a style sheet names it: its families in order; bold where a stand-in must be to look like it."""

    css: str
    names: tuple[str, ...]
    bold: bool


def family(face: str, *, own: str = "", folder: str = "") -> Family:
    """The family list of a face: the bureau's own, what this machine has, then what covers rare characters."""
    found = _found(folder)[face]
    names = tuple(dict.fromkeys(name for name in (own, found.family, *LAST_RESORT) if name))
    bold = face == "xiaobiaosong" and not found.real and not own
    return Family(", ".join(f"'{name}'" for name in names), names, bold)


def missing_glyphs(text: str, *, folder: str = "") -> str:
    """The characters of a text that no installed font can show, each once: they would print as boxes."""
    known = covered(folder)
    if known.issuperset(text):
        return ""
    rest = [one for one in dict.fromkeys(text) if one not in known and not one.isspace()]
    folders = (Path(folder),) if folder else ()
    return "".join(one for one in rest if not _other_families(one, folders))


def ems(face: str | tuple[str, ...], folder: str = "") -> Mapping[str, float]:
    """The width of every character of a face in em; what it lacks is a full square."""
    return _widths(face, folder)


def first_widths(families: tuple[str, ...], folder: str = "") -> Mapping[str, float]:
    """The same for the characters of the first of some families that is installed: it shows all that it has."""
    return next((widths for name in families if (widths := _advances(name, folder))), {})


def strangers(known: Iterable[str]) -> re.Pattern[str]:
    """Finds the first character of a text that is none of these, which have two bytes in UTF-16."""
    codes = sorted(ord(one) for one in known)
    starts = [code for before, code in zip([-2, *codes], codes, strict=False) if code != before + 1]
    ends = [code for code, after in zip(codes, [*codes[1:], -2], strict=True) if after != code + 1]
    ranges = "".join(f"\\u{start:04x}-\\u{end:04x}" for start, end in zip(starts, ends, strict=True))
    return re.compile(f"[^{ranges}]" if ranges else ".", re.DOTALL)


def text_width(
    text: str, size_pt: float, *, face: str | tuple[str, ...] = "heiti", folder: str = ""
) -> float:
    """Width in mm of a text on one line; `face` may be families in order; what they lack counts as a full square."""
    return sum(map(_widths(face, folder).__getitem__, text)) * size_pt * MM_PER_PT


def fontconfig_file(folder: str) -> str:
    """A fontconfig configuration that adds the bureau's own fonts to those of the system."""
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>'
        f'<include ignore_missing="yes">/etc/fonts/fonts.conf</include><dir>{escape(folder)}</dir></fontconfig>'
    )


@lru_cache(maxsize=8)
def _found(folder: str) -> dict[str, FoundFace]:
    return {face.key: face for face in found_faces([Path(folder)] if folder else [])}


@lru_cache(maxsize=4096)
def _other_families(character: str, folders: tuple[Path, ...]) -> frozenset[str]:
    return chinese_families(folders, probe=character)


@lru_cache(maxsize=8)
def covered(folder: str) -> frozenset[str]:
    """Every character that one of the five faces has here."""
    names = {face.family for face in _found(folder).values()}
    return frozenset(one for name in names for one in _advances(name, folder))


class _Widths(dict[str, float]):
    """Advance widths in em, as they are asked for: few characters are used, and a small table is a fast one."""

    def __init__(self, families: Sequence[str], folder: str) -> None:
        super().__init__()
        self.families, self.folder = families, folder

    def __missing__(self, character: str) -> float:
        tables = (_advances(name, self.folder) for name in self.families)
        self[character] = next((table[character] for table in tables if character in table), 1.0)
        return self[character]


@lru_cache(maxsize=32)
def _widths(face: str | tuple[str, ...], folder: str) -> _Widths:
    """Advance widths of a face, or of the first of some families that has each character."""
    return _Widths((_found(folder)[face].family,) if isinstance(face, str) else face, folder)


@lru_cache(maxsize=32)
def _advances(name: str, folder: str) -> dict[str, float]:
    """Advance widths in em of every character of a family."""
    found = _file_of(name, folder)
    if found is None:
        return {}
    with TTFont(found[0], fontNumber=found[1], lazy=True) as font:
        em, metrics = font["head"].unitsPerEm, font["hmtx"].metrics
        return {chr(code): metrics[glyph][0] / em for code, glyph in font.getBestCmap().items()}


def _file_of(name: str, folder: str) -> tuple[str, int] | None:
    """File and index of the family's regular weight (80 in fontconfig's counting), or of the nearest to it."""
    fonts = [font for font in _listed(folder) if name in font.names]
    best = min(fonts, key=lambda font: (abs(font.weight - 80), font.file), default=None)
    return (best.file, best.index) if best else None


@dataclass(frozen=True)
class _Listed:
    names: tuple[str, ...]
    weight: float
    index: int
    file: str


@lru_cache(maxsize=8)
def _listed(folder: str) -> tuple[_Listed, ...]:
    """Every installed font, as fontconfig lists them."""
    program = shutil.which("fc-list")
    if program is None:
        return ()
    with tempfile.NamedTemporaryFile("w", suffix=".conf") as config:
        environment = dict(os.environ)
        if folder:
            config.write(fontconfig_file(folder))
            config.flush()
            environment["FONTCONFIG_FILE"] = config.name
        command = [program, "--format", "%{family}\t%{weight}\t%{index}\t%{file}\n"]
        listed = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 own words
    return tuple(_listed_font(line) for line in listed.stdout.splitlines() if line.count("\t") == 3)


def _listed_font(line: str) -> _Listed:
    names, weight, index, file = line.split("\t")
    number = weight.strip("[]").split(" ")[0]
    return _Listed(tuple(names.split(",")), float(number or 80), int(index) & 0xFFFF, file)
