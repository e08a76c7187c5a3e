"""Scans read through a child process: files that come from outside are opened there and nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.home import CHECKOUT
from paper.codes import Code, parse_code
from paper.marks import Mark
from paper.scans import ScanError

CHILD = CHECKOUT / "paper" / "scan_reader.py"
AT_ONCE = 24  # sides looked at, then read
PATIENCE = 180.0  # seconds for one request
MOST_DEATHS = 6  # of a reader's children: then what its file still holds is unreadable


@dataclass(frozen=True)
class Looked:
    """A side before it is read: its number, the digest of its picture (none: unreadable), what its codes say."""

    number: int
    digest: str = ""
    texts: tuple[str, ...] = ()
    is_blank: bool = False

    @property
    def codes(self) -> tuple[Code, ...]:
        """Its codes that are ours, whole and with the right check characters."""
        codes = (parse_code(text) for text in self.texts)
        return tuple(code for code in codes if code is not None and code.kind is not None)


@dataclass(frozen=True)
class ReadSide:
    """A side after it was read; `picture` lies in the folder until the caller takes it."""

    looked: Looked
    placed: tuple[float, ...] = ()
    codes: int = 0
    residual: float | None = None
    marks: Mapping[str, Mark] = field(default_factory=dict)
    picture: Path | None = None
    media: str = ""


PagesOf = Callable[[Sequence[Looked]], Mapping[int, Mapping[str, Any]]]


class _Died(Exception):
    """The child ended or did not answer in time."""


class ScanReader:
    """One child at work; used as a context, it is gone at the end."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._child: subprocess.Popen[bytes] | None = None
        self._deaths = 0

    def __enter__(self) -> ScanReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def count_sides(self, path: Path) -> int:
        """How many sides a file holds; a `ScanError` says why it is none of ours."""
        try:
            return int(self._ask({"do": "count", "path": str(path)})["sides"])
        except _Died as error:
            raise ScanError("broken") from error

    def read(self, path: Path, first: int, last: int, *, pages_of: PagesOf) -> Iterator[list[ReadSide]]:
        """The sides of a file from first to last, some at a time.

        `pages_of` says for sides that were looked at which page of which form they are, by number; it is asked once
        for all of them. A side on which the child dies is unreadable; the others are read nevertheless, unless it dies
        again and again: nobody waits for hours on a file that was made to that end.
        """
        at = first
        while at <= last:
            some = self._some(path, at, min(at + AT_ONCE - 1, last), pages_of)
            yield some
            at += len(some)

    def _some(self, path: Path, first: int, last: int, pages_of: PagesOf) -> list[ReadSide]:
        if self._deaths >= MOST_DEATHS:
            return [ReadSide(Looked(number)) for number in range(first, last + 1)]
        try:
            return self._looked_and_read(path, first, last, pages_of)
        except _Died:
            self._deaths += 1
            if first == last:
                return [ReadSide(Looked(first))]
            return [
                one for number in range(first, last + 1) for one in self._some(path, number, number, pages_of)
            ]

    def _looked_and_read(self, path: Path, first: int, last: int, pages_of: PagesOf) -> list[ReadSide]:
        answer = self._ask({"do": "look", "path": str(path), "first": first, "last": last})
        looked = [_looked(one) for one in answer["looked"]]
        pages = pages_of(looked)
        maps = {id(page): page for page in pages.values()}
        request = {
            "do": "read",
            "folder": str(self._folder),
            "maps": {str(key): page for key, page in maps.items()},
            "pages": {str(number): str(id(page)) for number, page in pages.items()},
        }
        readings = self._ask(request)["readings"]
        return [_read(one, readings.get(str(one.number)), self._folder) for one in looked]

    def _ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        child = self._started()
        assert child.stdin is not None and child.stdout is not None  # noqa: S101 both are pipes
        watch = threading.Timer(PATIENCE, child.kill)
        watch.start()
        try:
            child.stdin.write(json.dumps(request).encode() + b"\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except OSError:
            line = b""
        finally:
            watch.cancel()
        if not line.endswith(b"\n"):
            self._end()
            raise _Died
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ScanError(answer["error"])
        return answer

    def _started(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
            self._child = subprocess.Popen(  # noqa: S603 our own module; nothing of a file stands in the command
                [sys.executable, "-E", "-s", str(CHILD), str(os.getpid())],
                cwd=CHECKOUT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**kept, "PATH": "/nonexistent", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
            )
        return self._child

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            with suppress(BrokenPipeError), child:
                pass  # its pipes are closed and it is waited for


def _looked(one: Mapping[str, Any]) -> Looked:
    if "digest" not in one:
        return Looked(int(one["number"]))
    texts = tuple(str(text) for text in one["texts"])
    return Looked(int(one["number"]), str(one["digest"])[:64], texts, bool(one["blank"]))


def _read(looked: Looked, answer: Mapping[str, Any] | None, folder: Path) -> ReadSide:
    if answer is None:
        return ReadSide(looked)
    marks = {
        name: Mark(float(ink), bool(value), bool(sure))
        for name, (ink, value, sure) in answer["marks"].items()
    }
    return ReadSide(
        looked,
        tuple(float(value) for value in answer["placed"]),
        int(answer["codes"]),
        answer["residual"],
        marks,
        folder / str(looked.number),
        str(answer["media"]),
    )
