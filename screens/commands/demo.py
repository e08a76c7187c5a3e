"""`demo`: the whole loop on a generated bureau in a home of its own; then it serves, and a newcomer goes on."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, select

from models import Customer, Setting, db
from models.clock import ZONE
from models.home import CHECKOUT, prepare_home
from models.processes import is_served
from models.scope import ALL, working_as
from models.search import empty_grams
from screens.commands import CreateApp, say, show
from screens.commands.serve import serve
from screens.commands.worker import worker_children
from screens.processes import Child, address_of, listen, only_one, queue_child
from seed import demo, load, results
from seed.bureau import make_bureau
from seed.stage import Stage
from services import Refused, accounts, health, upgrades
from workflows.clock import run as run_clock
from workflows.queues import QUEUES

HELP = "在生成的数据上走完一整轮: 导入、评价、核对函、回函、退信、走访、竞赛、通知单；然后提供服务"
HOME = "LAMPLIGHTER_HOME"
CUSTOMERS = 2000
PATIENCE = 20.0


def arguments(parser: argparse.ArgumentParser) -> None:
    """How many customers, which seed, where the papers go, and whether to serve afterwards."""
    parser.add_argument("--customers", type=_count, default=CUSTOMERS, metavar="N", help="客户数(默认 2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="随机种子(同一种子数据相同，默认 1)")
    parser.add_argument(
        "--out", type=Path, default=None, metavar="DIR", help="单据输出目录(默认演示目录下的 out)"
    )
    parser.add_argument("--no-serve", dest="serves", action="store_false", help="做完就结束，不提供服务")
    parser.add_argument("--host", default="127.0.0.1", help="监听地址(默认 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, help="端口(默认 8000)")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Play the loop, print what came of it, then serve unless told otherwise."""
    os.environ.setdefault(HOME, str(CHECKOUT / "instance" / "demo"))
    if not args.serves:
        return play(args, create_app)
    with listen(args.host, args.port) as listener:
        show(args, play(args, create_app), summary)
        serve(
            create_app, listener, ready=lambda: say(f"掌灯已启动: {address_of(listener)}  (按 Ctrl-C 停止)")
        )
    sys.exit(0)  # the result is printed already


def play(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """The loop itself, on this machine's own queue, workers and clock."""
    started = time.monotonic()
    app = create_app()
    stage = Stage(
        bureau=make_bureau(args.seed),
        customers=args.customers,
        seed=args.seed,
        out=_folder(args.out or app.config["HOME"] / "out"),
        first_day=demo.first_day(datetime.now(UTC).astimezone(ZONE).date()),
        say=say,
    )
    health.require_printing()
    password = accounts.one_time_password()
    with app.app_context():
        _make_ready(app)
    with machine(app) as is_alive, app.app_context():
        stage.is_alive = is_alive
        played = demo.play(stage, password=password)
        figures = results.figures(stage, played)
    return {**figures, "password": password, "seconds": round(time.monotonic() - started, 1)}


def summary(result: Mapping[str, Any]) -> str:
    """What was done, where the papers lie, and who may sign in."""
    people = "\n".join(
        f"  {row['login']:<16}{row['role']}　{row['name']}　{row['unit']}" for row in result["logins"]
    )
    counts = "，".join(f"{label} {result[name]}" for name, label in results.COUNTED.items())
    return (
        f"演示完成，用时 {result['seconds']} 秒：{counts}。\n单据在 {result['out']}\n"
        f"登录账号（密码都是 {result['password']}）：\n{people}"
    )


@contextmanager
def machine(app: Flask) -> Iterator[Any]:
    """The embedded queue, the workers and the clock while the block runs; none of them outlives it or us."""
    lock = only_one(prepare_home(app.config["HOME"]))
    with app.app_context():
        db.engine.dispose()
    queue = [queue_child(app.config["HOME"])] if health.is_queue_embedded(app) else []
    children = [*queue, *worker_children(app, QUEUES), Child("lamp-clock", lambda: run_clock(app))]
    try:
        for child in children:
            child.start()
        yield lambda: all(child.is_alive() for child in children)
    finally:
        _stop([child for child in children if not child.last])
        _stop(queue)
        os.close(lock)


def _stop(children: list[Child]) -> None:
    for child in children:
        child.send(signal.SIGTERM)
    until = time.monotonic() + PATIENCE
    while any(child.is_alive() for child in children) and time.monotonic() < until:
        time.sleep(0.05)
    for child in children:
        child.end()


def _make_ready(app: Flask) -> None:
    """A database of this version without customers; one that an earlier demo filled is emptied first."""
    home = app.config["HOME"]
    if is_served(home):
        raise Refused(f"数据目录 {home} 正在提供服务。请先停掉它，再运行 demo；或用 {HOME} 指定另一个目录。")
    upgrades.upgrade(app)
    session = db.session()
    with working_as(session, ALL):
        if not session.scalar(select(func.count()).select_from(Customer)):
            session.rollback()
            return
        if session.get(Setting, demo.MARK) is None:
            raise Refused(
                f"数据目录 {home} 里已有不是演示生成的客户，没有改动它。请用 {HOME} 为演示指定另一个空目录。"
            )
    session.rollback()
    say("清空上一次演示的数据。")
    _empty(app)


def _empty(app: Flask) -> None:
    """Delete every row that the earlier demo left, children first, and load the first data again."""
    with db.engine.begin() as connection:
        empty_grams(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        for table in reversed(db.metadata.sorted_tables):
            connection.execute(table.delete())
    for name in ("files", "outbox"):
        shutil.rmtree(app.config["HOME"] / name, ignore_errors=True)
    (app.config["HOME"] / "anchors.log").unlink(missing_ok=True)
    load(db.session())
    db.session.commit()


def _folder(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refused(
            f"输出目录 {path} 不能建立（{error.strerror}）。请用 --out 换一个可写的目录。"
        ) from error
    return path.resolve()


def _count(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 1_000_000:
        raise ValueError(text)
    return number
