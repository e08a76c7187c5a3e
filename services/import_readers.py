"""Reading and judging ahead: while one chunk is written, child processes judge the next ones.

Run as a module by itself; it gets its work through stdin and hands rows back through stdout, and ends with that pipe.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from models.home import CHECKOUT
from services import Refused, import_rows, import_spools
from services.import_rows import ReadRow
from services.import_units import Units

WORTH_A_CHILD = 4  # chunks; starting a child costs about as much as judging one
MOST_CHILDREN = 4  # writing is the slower half from here on

Span = tuple[int, int]


def read_chunks(spool: Path, spans: Sequence[Span], units: Units) -> Iterator[list[ReadRow]]:
    """The rows of each span, judged, in order; by children where there are cores and chunks enough."""
    children = min(len(os.sched_getaffinity(0)) - 1, MOST_CHILDREN, len(spans) // WORTH_A_CHILD)
    if children < 1:
        for first, last in spans:
            yield import_rows.read_rows(import_spools.read(spool, first, last), units)
        return
    with ExitStack() as stack:
        shares = [(spool, spans[place::children], units) for place in range(children)]
        readers = [stack.enter_context(_child(share)) for share in shares]
        for place in range(len(spans)):
            yield _next(readers[place % children])


@contextmanager
def _child(share: tuple[Path, Sequence[Span], Units]) -> Iterator[Connection]:
    """A child at work on its share of the spans, a chunk ahead; it is gone at the end."""
    command = [sys.executable, "-m", "services.import_readers"]
    with subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:  # noqa: S603
        assert child.stdin is not None and child.stdout is not None  # noqa: S101 both are pipes
        try:
            with Connection(os.dup(child.stdin.fileno()), readable=False) as work:
                work.send(share)
            with Connection(os.dup(child.stdout.fileno()), writable=False) as rows:
                yield rows
        finally:
            child.kill()


def _next(reader: Connection) -> list[ReadRow]:
    try:
        rows: list[ReadRow] = reader.recv()
    except EOFError as end:
        raise Refused(
            "判定数据的进程中途结束了，可能是内存不足。请关掉其他程序，再导入同一个文件接着做。"
        ) from end
    return rows


def main() -> None:
    """The child: judge span after span until the pipe is closed."""
    gc.disable()  # a short life of plain rows: nothing to collect
    with Connection(os.dup(0), writable=False) as work:
        spool, spans, units = work.recv()
    with Connection(os.dup(1), readable=False) as answer:
        for first, last in spans:
            try:
                answer.send(import_rows.read_rows(import_spools.read(spool, first, last), units))
            except BrokenPipeError:
                return


if __name__ == "__main__":
    main()
