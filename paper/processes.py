"""Sharing work between processes without changing what comes of it: results arrive in the order of their parts."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from typing import Any, TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

ALONE = 20  # parts that are done before it pays to start other processes
AHEAD = 2  # parts that wait for each process

_work: Callable[[int, Any], Any]


def cores() -> int:
    """The processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chunked(items: Iterable[Part], size: int) -> Iterator[list[Part]]:
    """Lists of so many items; the last may be shorter."""
    source = iter(items)
    while chunk := list(islice(source, size)):
        yield chunk


def in_order(
    work: Callable[[int, Part], Result], parts: Iterable[Part], *, processes: int, alone: int = ALONE
) -> Iterator[tuple[Part, Result]]:
    """`work(number, part)` of each part with the part, in order; where many follow, other processes do them.

    They are forked, so that `work` need not be sent to them; never more than a few parts are in memory.
    """
    numbered = enumerate(parts)
    for number, part in islice(numbered, alone) if processes > 1 else numbered:
        yield part, work(number, part)
    first = next(numbered, None)
    if first is None:
        return
    waiting: deque[tuple[Part, Future[Result]]] = deque()
    fork = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(processes, mp_context=fork, initializer=_start, initargs=(work,)) as pool:
        waiting.append((first[1], pool.submit(_done, *first)))
        for number, part in numbered:
            waiting.append((part, pool.submit(_done, number, part)))
            if len(waiting) > AHEAD * processes:
                known, future = waiting.popleft()
                yield known, future.result()
        while waiting:
            known, future = waiting.popleft()
            yield known, future.result()


def _start(work: Callable[[int, Any], Any]) -> None:
    global _work  # noqa: PLW0603 what a forked process does all its life
    _work = work


def _done(number: int, part: Any) -> Any:
    return _work(number, part)
