"""Whether this installation is well: what `doctor` tells the administrator, and what `/readyz` answers."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from models import Lease, db
from models.clock import utcnow
from models.faces import found_faces, missing_libraries, missing_packages
from models.home import CHECKOUT, HomeUnusable, home_path, prepare_home
from models.processes import is_served, queue_url
from models.words import N_, Said
from services import (
    Refused,
    balance_results,
    count_checks,
    publication_checks,
    search_checks,
    sheet_balances,
    upgrades,
)

LEAST_FREE = 1 << 30
CLOCK_SILENCE = timedelta(minutes=2)
CLOCK_LEASE = "clock"
NOT_RUNNING = N_("服务没有在运行，要用网页和流程时运行 ./lamplighter serve。")


@dataclass(frozen=True)
class Check:
    """One thing looked at: whether it is well, what to do or to know, and what was found."""

    name: str
    ok: bool
    advice: str = ""
    found: dict[str, Any] = field(default_factory=dict)

    def as_row(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "advice": self.advice, **self.found}


def check_everything(app: Flask) -> list[Check]:
    """All checks of this machine, in the order in which one mends them."""
    machine = (home, disk, libraries, fonts, front_end, database, queue, clock)
    return _run(app, (*machine, finding, counts, letters, sheets, published))


def check_readiness(app: Flask) -> list[Check]:
    """What a web request needs: the database at this version, the queue, the clock."""
    return _run(app, (database, queue, clock))


def require_printing() -> None:
    """Refuse to serve where Chinese would print as boxes or not at all."""
    for check in (libraries(), fonts()):
        if not check.ok:
            raise Refused(check.advice)


def require_queue(app: Flask) -> None:
    """Refuse to work without a queue server."""
    try:
        redis.from_url(app.config["REDIS_URL"], socket_timeout=5).ping()
    except (redis.RedisError, ValueError) as error:
        raise Refused(_queue_advice(app, error)) from error


def is_queue_embedded(app: Flask) -> bool:
    """Whether `serve` starts the queue server itself."""
    return bool(app.config["REDIS_URL"] == queue_url(app.config["HOME"]))


def home(app: Flask) -> Check:
    """The home folder can be written, and others cannot read it."""
    place: Path = app.config["HOME"]
    try:
        prepare_home(place)
    except HomeUnusable as error:
        return Check("home", False, str(error))
    if place.stat().st_mode & 0o007:
        return Check("home", True, f"数据目录里有客户资料，但本机其他账号也能读。请运行: chmod 700 {place}")
    return Check("home", True)


def disk(app: Flask) -> Check:
    """At least 1 GiB is free where the data lies."""
    place: Path = app.config["HOME"]
    free = shutil.disk_usage(place if place.exists() else CHECKOUT).free
    advice = (
        f"数据目录所在的磁盘只剩 {free / 2**30:.1f} GB，请清理或扩容到至少 1 GB。"
        if free < LEAST_FREE
        else ""
    )
    return Check("disk", free >= LEAST_FREE, advice, {"free_bytes": free})


def libraries(_app: Flask | None = None) -> Check:
    """The shared libraries that lay out pages."""
    missing = missing_libraries()
    return Check("libraries", not missing, _install(missing, "排版缺少系统组件") if missing else "")


def fonts(_app: Flask | None = None) -> Check:
    """The five faces: real, standing in, or none, in which case nothing may be printed."""
    faces = found_faces(font_folders())
    found = {"faces": [asdict(face) for face in faces]}
    if not all(face.family for face in faces):
        wanted = [name for name in missing_packages() if name.startswith("fonts-")]
        return Check("fonts", False, _install(wanted, "没有中文字体，打印出来会是方框"), found)
    standing_in = [f"{face.label}(暂用 {face.family})" for face in faces if not face.real]
    advice = f"没有真正的{'、'.join(standing_in)}。可以把本局有授权的字体文件放进数据目录的 fonts/。"
    return Check("fonts", True, advice if standing_in else "", found)


def front_end(_app: Flask | None = None) -> Check:
    """The front-end files that set-up fetches."""
    there = (CHECKOUT / "static" / "vendor" / "manifest.json").exists()
    advice = "缺少前端文件。请在能访问 npm 镜像时运行 ./lamplighter doctor，它会自己取。"
    return Check("front_end", there, "" if there else advice)


def database(app: Flask) -> Check:
    """The database answers and stands at this version."""
    try:
        state = upgrades.database_state(app)
    except SQLAlchemyError as error:
        reason = getattr(error, "orig", None) or error
        advice = Said(
            "数据库连不上: %(reason)s。请检查 LAMPLIGHTER_DATABASE_URL 和数据库服务。", reason=reason
        )
        return Check("database", False, advice)
    return Check(
        "database", state in (upgrades.CURRENT, upgrades.EMPTY), upgrades.ADVICE[state], {"state": state}
    )


def queue(app: Flask) -> Check:
    """The queue server answers and never throws anything away; the embedded one is only there while serving."""
    if is_queue_embedded(app) and not is_served(app.config["HOME"]):
        return Check("queue", True, NOT_RUNNING)
    try:
        server = redis.from_url(app.config["REDIS_URL"], socket_timeout=5)
        server.ping()
        policy = server.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
    except redis.ResponseError:
        return Check("queue", True, N_("队列服务不让查看它的设置。请确认 maxmemory-policy 是 noeviction。"))
    except (redis.RedisError, ValueError) as error:
        return Check("queue", False, _queue_advice(app, error))
    advice = (
        ""
        if policy == "noeviction"
        else Said("队列服务的 maxmemory-policy 是 %(policy)s，会丢任务。请改成 noeviction。", policy=policy)
    )
    return Check("queue", not advice, advice)


def clock(app: Flask) -> Check:
    """The clock was seen within two minutes; where nothing is served on this machine, that is only said."""
    if is_queue_embedded(app) and not is_served(app.config["HOME"]):
        return Check("clock", True, NOT_RUNNING)
    try:
        seen = db.session.scalar(select(Lease.seen_at).where(Lease.name == CLOCK_LEASE))
    except SQLAlchemyError:
        return Check("clock", False, N_("数据库还用不了，看不到时钟。"))
    if seen is not None and utcnow() - seen < CLOCK_SILENCE:
        return Check("clock", True)
    since = Said("从 %(time)s UTC 起", time=f"{seen:%Y-%m-%d %H:%M}") if seen else N_("一直")
    advice = Said(
        "时钟%(since)s没有运行，定时计划和等待都停着。请运行 ./lamplighter clock 或 serve。", since=since
    )
    return Check("clock", False, advice)


def finding(_app: Flask) -> Check:
    """Search found everybody when it was last proved."""
    try:
        proof = search_checks.last_proof(db.session())
    except SQLAlchemyError:
        return Check("search", True)
    if not proof.get("wrong"):
        return Check("search", True, found=proof)
    advice = Said(
        "%(day)s 夜里核对检索时有 %(number)s 户对不上，已重写。请运行 ./lamplighter search 再核对，并告诉维护人员。",
        day=proof["day"], number=proof["wrong"],
    )  # fmt: skip
    return Check("search", False, advice, proof)


def counts(_app: Flask | None = None) -> Check:
    """The nightly check found the kept counts equal to the records."""
    try:
        found = count_checks.last_result(db.session())
    except SQLAlchemyError:
        return Check("counts", True)  # what is wrong with the database, its own check says
    number = found.get("number", 0)
    advice = Said("质量统计有 %(number)s 项和资料对不上。请在“判定与统计”页面点“重新统计”。", number=number)
    return Check("counts", not number, advice if number else "", {"checked_at": found.get("at", "")})


def sheets(_app: Flask | None = None) -> Check:
    """The nightly look found every scanned side accounted for."""
    try:
        found = sheet_balances.last_check(db.session())
    except SQLAlchemyError:
        return Check("sheets", True)
    if not found.get("number"):
        return Check("sheets", True)
    advice = Said(
        "%(day)s 夜里核对扫描件，批次 %(batches)s 的面数、队列或回函对不上。请按批次核对原件。",
        day=found["day"], batches="、".join(map(str, found["batches"])),
    )  # fmt: skip
    return Check("sheets", False, advice, {"checked_at": found["day"]})


def letters(_app: Flask | None = None) -> Check:
    """The nightly proof found the balances of letters adding up."""
    try:
        found = balance_results.last_result(db.session())
    except SQLAlchemyError:
        return Check("balances", True)
    number = found.get("number", 0)
    advice = Said("函件的平衡表有 %(number)s 处对不上。请在“核对活动”页面查看。", number=number)
    return Check("balances", not number, advice if number else "", {"checked_at": found.get("at", "")})


def published(_app: Flask | None = None) -> Check:
    """The last whole look at every publication found its file and the database alike."""
    try:
        found = publication_checks.wrong(db.session())
    except SQLAlchemyError:
        return Check("publications", True)
    advice = Said(
        "发布 %(numbers)s 的结果文件不在、被改动过，或与数据库不一致。请从备份中恢复。",
        numbers="、".join(found),
    )
    return Check("publications", not found, advice if found else "")


def font_folders() -> Sequence[Path]:
    """Where a bureau puts its own licensed fonts, if it did."""
    folder = home_path() / "fonts"
    return [folder] if folder.is_dir() else []


def _run(app: Flask, checks: Sequence[Callable[[Flask], Check]]) -> list[Check]:
    with app.app_context():
        return [check(app) for check in checks]


def _install(packages: Sequence[str], what: str) -> str:
    sudo = "" if os.getuid() == 0 else "sudo "
    return f"{what}。请运行: {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"


def _queue_advice(app: Flask, error: Exception) -> str:
    if is_queue_embedded(app):
        return Said(
            "队列服务没有回答(%(error)s)。请先运行 ./lamplighter serve；"
            "多台机器时设置 LAMPLIGHTER_REDIS_URL。",
            error=error,
        )
    return Said("队列服务连不上(%(error)s)。请检查 LAMPLIGHTER_REDIS_URL 和队列服务器。", error=error)
