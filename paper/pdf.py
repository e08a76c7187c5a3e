"""Laying out in child processes: memory and time are bounded, and nothing is fetched but what came with the job."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paper.fonts import fontconfig_file

CHILD = Path(__file__).resolve().parent / "layout.py"
CHILDREN = 2

Box = tuple[float, float, float, float]


class PaperError(Exception):
    """A document could not be made; the message tells the user which, where and what to do."""


@dataclass(frozen=True)
class Limits:
    """What one child may use; past it, it is killed."""

    memory_mb: int = 3072
    cpu_seconds: int = 120
    wall_seconds: int = 300


@dataclass(frozen=True)
class Job:
    """One HTML text to lay out; `what` names it in messages, `assets` are what `asset:` addresses may show.

    The pages of `more` texts follow in the same file, with the same fonts. With `fields`, the elements with
    `data-field` are drawn empty and their boxes told; `glyphs` are the texts of each face that are to be stamped there.
    """

    html: str
    what: str
    tags: bool = False
    folder: str = ""
    assets: Mapping[str, bytes] = field(default_factory=dict)
    limits: Limits = Limits()
    more: tuple[str, ...] = ()
    fields: bool = False
    glyphs: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class LaidOut:
    """A laid-out document; anchors hold, for each page, id -> (x1, y1, x2, y2) in mm."""

    pdf: bytes
    pages: int
    anchors: list[dict[str, Box]]
    warnings: list[str]
    fields: list[list[dict[str, Any]]] = field(default_factory=list)
    faces: Mapping[str, Any] = field(default_factory=dict)
    fonts: Mapping[str, Any] = field(default_factory=dict)


def lay_out(job: Job) -> LaidOut:
    """Run one child; whatever goes wrong in it becomes a PaperError that names the document."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 our own script; nothing of the job stands in the command
                [sys.executable, "-I", str(CHILD)],
                input=_request(job),
                capture_output=True,
                timeout=job.limits.wall_seconds,
                env=_environment(job.folder, Path(folder)),
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"{job.what}：排版超过{job.limits.wall_seconds}秒，已停止。请减少内容后再试。"
            raise PaperError(message) from None
    if done.returncode != 0:
        raise PaperError(_reason(job, done))
    return _answer(done.stdout)


def lay_out_all(jobs: Iterable[Job]) -> Iterator[LaidOut]:
    """Lay out many jobs on both cores, in order, never holding more than a few in memory."""
    waiting: deque[Future[LaidOut]] = deque()
    with ThreadPoolExecutor(CHILDREN) as pool:
        for job in jobs:
            waiting.append(pool.submit(lay_out, job))
            if len(waiting) > CHILDREN:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _request(job: Job) -> bytes:
    assets = {name: base64.b64encode(content).decode() for name, content in job.assets.items()}
    limits = {"memory_mb": job.limits.memory_mb, "cpu_seconds": job.limits.cpu_seconds}
    texts = {"html": job.html, "more": job.more, "fields": job.fields, "glyphs": job.glyphs}
    return json.dumps({**texts, "tags": job.tags, "assets": assets, **limits}).encode()


def _environment(fonts: str, folder: Path) -> dict[str, str]:
    """Only what the layout needs: no secret of the parent's environment, and no path to run anything by."""
    kept = {name: os.environ[name] for name in ("HOME", "XDG_CACHE_HOME") if name in os.environ}
    if fonts:
        config = folder / "fonts.conf"
        config.write_text(fontconfig_file(fonts), encoding="utf-8")
        kept["FONTCONFIG_FILE"] = str(config)
    return {**kept, "PATH": "/nonexistent", "LANG": "C.UTF-8", "PYTHONUTF8": "1"}


def _reason(job: Job, done: subprocess.CompletedProcess[bytes]) -> str:
    limits = job.limits
    last = "".join(done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:])
    if done.returncode < 0 or "MemoryError" in last:
        caps = f"内存{limits.memory_mb}MB、处理器{limits.cpu_seconds}秒"
        return f"{job.what}：排版超出限额（{caps}），已停止。请减少内容后再试。"
    return f"{job.what}：排版失败（{last[:200]}）。请运行 ./lamplighter doctor 检查字体和程序库。"


def _answer(output: bytes) -> LaidOut:
    head, pdf = output.split(b"\n", 1)
    answer = json.loads(head)
    anchors = [
        {name: (box[0], box[1], box[2], box[3]) for name, box in page.items()} for page in answer["anchors"]
    ]
    stamped = {name: answer[name] for name in ("fields", "faces", "fonts") if name in answer}
    return LaidOut(pdf, answer["pages"], anchors, answer["warnings"], **stamped)
