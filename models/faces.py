"""The five faces of Chinese documents, and which of them this machine has: asked of fontconfig, which is what prints.

Runs as a program too (`python models/faces.py`), with the standard library alone: it prints the Debian packages that
printing lacks on this machine, one a line, and nothing where everything is there.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

# 仿宋 and 小标宋 have no free font that covers names: a bureau puts its licensed ones into LAMPLIGHTER_HOME/fonts.
SERIF = ("Noto Serif CJK SC", "Source Han Serif SC", "Songti SC", "SimSun")
SANS = ("Noto Sans CJK SC", "Source Han Sans SC", "PingFang SC", "Microsoft YaHei", "SimHei")

PROBE = "掌灯客户联系信息核对函供电局单位年月日户名地址邮政编码〔〕①"


@dataclass(frozen=True)
class Face:
    """A face of official documents: the families that are it, and those that stand in for it, best first."""

    label: str
    real: tuple[str, ...]
    stand_in: tuple[str, ...] = ()


FACES = {
    "fangsong": Face(
        "仿宋",
        ("FangSong_GB2312", "仿宋_GB2312", "FangSong", "仿宋", "STFangsong", "FZFangSong-Z02S", "FandolFang"),
        SERIF,
    ),
    "kaiti": Face(
        "楷体",
        (
            "KaiTi_GB2312",
            "楷体_GB2312",
            "KaiTi",
            "楷体",
            "STKaiti",
            "Kaiti SC",
            "FZKai-Z03S",
            "AR PL KaitiM GB",
        ),
        SERIF,
    ),
    "xiaobiaosong": Face(
        "小标宋", ("FZXiaoBiaoSong-B05S", "FZXiaoBiaoSong-B05", "方正小标宋简体", "方正小标宋_GBK"), SERIF
    ),
    "songti": Face("宋体", SERIF, SANS),
    "heiti": Face("黑体", SANS, SERIF),
}

LIBRARIES = {
    "libgobject-2.0": "libpango-1.0-0",
    "libpango-1.0": "libpango-1.0-0",
    "libharfbuzz": "libpango-1.0-0",
    "libfontconfig": "libpango-1.0-0",
    "libpangoft2-1.0": "libpangoft2-1.0-0",
    "libharfbuzz-subset": "libharfbuzz-subset0",
}


@dataclass(frozen=True)
class FoundFace:
    """What prints for a face here: a family, real or standing in; no family where Chinese would print as boxes."""

    key: str
    label: str
    family: str
    real: bool


def missing_libraries() -> list[str]:
    """The Debian packages of the shared libraries that WeasyPrint loads and this machine lacks."""
    return sorted({package for name, package in LIBRARIES.items() if _load(name) is None})


def found_faces(folders: Sequence[Path] = ()) -> list[FoundFace]:
    """What prints for each of the five faces, the bureau's own fonts in `folders` included."""
    families = chinese_families(folders)
    return [_found(key, face, families) for key, face in FACES.items()]


def chinese_families(folders: Sequence[Path] = (), *, probe: str = PROBE) -> frozenset[str]:
    """The font families that have every character of `probe`; none where fontconfig is not there."""
    library = _load("libfontconfig")
    return _Fontconfig(library).covering(probe, folders) if library is not None else frozenset()


def missing_packages() -> list[str]:
    """The Debian packages without which Chinese prints as boxes, or a second level as something other than 楷体."""
    packages = missing_libraries()
    faces = {face.key: face for face in found_faces()}
    if not faces["songti"].real or not faces["heiti"].real:
        packages.append("fonts-noto-cjk")
    if not faces["kaiti"].real:
        packages.append("fonts-arphic-gkai00mp")
    return packages


def _found(key: str, face: Face, families: frozenset[str]) -> FoundFace:
    real = _first(face.real, families)
    return FoundFace(key, face.label, real or _first(face.stand_in, families), bool(real))


def _first(wanted: Iterable[str], families: frozenset[str]) -> str:
    return next((family for family in wanted if family in families), "")


def _load(name: str) -> ctypes.CDLL | None:
    for file in (f"{name}.so.0", f"{name}.so.1", f"{name}.0.dylib", f"{name}.1.dylib", f"{name}.dylib"):
        try:
            return ctypes.CDLL(file)
        except OSError:
            continue
    return None


class _Fontconfig:
    """The few calls of fontconfig that tell which families have which characters."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.call = library
        for name in ("FcInitLoadConfigAndFonts", "FcPatternCreate", "FcFontList", "FcObjectSetCreate"):
            getattr(library, name).restype = ctypes.c_void_p

    def covering(self, probe: str, folders: Sequence[Path]) -> frozenset[str]:
        config = ctypes.c_void_p(self.call.FcInitLoadConfigAndFonts())
        for folder in folders:
            self.call.FcConfigAppFontAddDir(config, str(folder).encode())
        fonts = self._listed(config)
        names = {name for pattern in fonts if self._has(pattern, probe) for name in self._families(pattern)}
        self.call.FcConfigDestroy(config)
        return frozenset(names)

    def _listed(self, config: ctypes.c_void_p) -> list[ctypes.c_void_p]:
        class FontSet(ctypes.Structure):
            _fields_ = (
                ("count", ctypes.c_int),
                ("room", ctypes.c_int),
                ("fonts", ctypes.POINTER(ctypes.c_void_p)),
            )

        objects = ctypes.c_void_p(self.call.FcObjectSetCreate())
        for name in (b"family", b"charset"):
            self.call.FcObjectSetAdd(objects, name)
        self.call.FcFontList.restype = ctypes.POINTER(FontSet)
        found = self.call.FcFontList(config, ctypes.c_void_p(self.call.FcPatternCreate()), objects).contents
        return [ctypes.c_void_p(found.fonts[at]) for at in range(found.count)]

    def _has(self, pattern: ctypes.c_void_p, probe: str) -> bool:
        charset = ctypes.c_void_p()
        if self.call.FcPatternGetCharSet(pattern, b"charset", 0, ctypes.byref(charset)) != 0:
            return False
        return all(self.call.FcCharSetHasChar(charset, ord(character)) for character in probe)

    def _families(self, pattern: ctypes.c_void_p) -> Iterable[str]:
        name, at = ctypes.c_char_p(), 0
        while self.call.FcPatternGetString(pattern, b"family", at, ctypes.byref(name)) == 0:
            yield (name.value or b"").decode(errors="replace")
            at += 1


if __name__ == "__main__":
    sys.stdout.write("".join(f"{package}\n" for package in missing_packages()))
