"""The child process that opens scanned files: requests as JSON lines on stdin, answers as JSON lines on stdout.

Whatever a hostile file does happens here, under limits. It is asked to count the sides of a file, to look at some (and
keeps them in memory), and to read what it looked at with the form maps it is given; pictures go into a folder.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

if __name__ == "__main__":  # the rest of these packages would take seconds to load, and is not needed
    for _name in ("models", "paper"):
        _package = ModuleType(_name)
        _package.__path__ = [str(Path(__file__).resolve().parent.parent / _name)]
        sys.modules[_name] = _package
    del sys.path[0]

from paper.scans import ScanError, count_sides, sides  # noqa: E402
from paper.sides import Reading, Seen, look_at, read  # noqa: E402

MEMORY = 2 * 1024**3
_PR_SET_PDEATHSIG = 1
PIXELS_AT_ONCE = 130_000_000

Request = Mapping[str, Any]
Answer = dict[str, Any]


class Reader:
    """What the child keeps between two requests: the sides it has looked at."""

    def __init__(self) -> None:
        self._seen: dict[int, Seen] = {}

    def count(self, request: Request) -> Answer:
        return {"sides": count_sides(Path(request["path"]))}

    def look(self, request: Request) -> Answer:
        """Look at sides from `first` on, as many as fit into memory: who asked goes on behind the last one."""
        self._seen, looked, pixels = {}, [], 0
        for side in sides(Path(request["path"]), request["first"], request["last"]):
            seen = look_at(side)
            looked.append(_looked(side.number, seen))
            if seen is not None:
                self._seen[side.number] = seen
                pixels += seen.grey.size
            if pixels > PIXELS_AT_ONCE:
                break
        return {"looked": looked}

    def read(self, request: Request) -> Answer:
        """Read what was looked at; `pages` says by number which of the `maps` a side is a page of."""
        folder, maps, readings = Path(request["folder"]), request["maps"], {}
        for number, seen in self._seen.items():
            key = request["pages"].get(str(number))
            reading = read(seen, maps[key] if key is not None else None)
            (folder / str(number)).write_bytes(reading.picture)
            readings[str(number)] = _plain(reading)
        self._seen = {}
        return {"readings": readings}


def _looked(number: int, seen: Seen | None) -> Answer:
    if seen is None:
        return {"number": number}
    texts = [one.text[:200] for one in seen.found]
    return {"number": number, "digest": seen.digest, "texts": texts, "blank": seen.is_blank}


def _plain(reading: Reading) -> Answer:
    marks = {name: [mark.ink, mark.value, mark.sure] for name, mark in reading.marks.items()}
    return {
        "placed": reading.placed,
        "codes": reading.codes,
        "residual": reading.residual,
        "marks": marks,
        "media": reading.media,
    }


def _limit(parent: int) -> None:
    """Cap the memory; the parent keeps the time. The child goes when the parent goes."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Answer request after request until the pipe is closed."""
    _limit(int(sys.argv[1]))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is no answer
    reader = Reader()
    acts: dict[str, Callable[[Request], Answer]] = {
        "count": reader.count,
        "look": reader.look,
        "read": reader.read,
    }
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = acts[request["do"]](request)
        except ScanError as error:
            answer = {"error": error.code}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
