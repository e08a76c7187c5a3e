"""`replies`: the customers' page on a machine of its own, and the sealed files between it and the inner network.

`export` and `import` run inside, against the database; `load`, `serve` and `collect` run outside and know only the
file `replies.db` in their home.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from models import Staff
from models.home import home_path, prepare_home
from screens.commands import CreateApp, acts_as, say, working
from screens.outposts import create_outpost
from screens.processes import address_of, listen
from screens.servers import serve_pages
from services import exchange, reply_exchange, traces
from services.outposts import Outpost
from services.people import require

HELP = "客户网上回复: 在外网机上单独运行，与内网用加密的交换文件往来"
DEEDS = {
    "export": "内网: 把可以网上回复的函件导出为交换文件",
    "load": "外网机: 装入内网导出的交换文件",
    "serve": "外网机: 运行客户回复的页面",
    "collect": "外网机: 把收到的回复导出为交换文件",
    "import": "内网: 导入外网机收到的回复",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which file."""
    deeds = parser.add_subparsers(dest="deed", required=True, metavar="|".join(DEEDS))
    for name, text in DEEDS.items():
        one = deeds.add_parser(name, help=text)
        one.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="只打印一个 JSON 对象")
        if name != "serve":
            one.add_argument("file", metavar="FILE", type=Path, help="交换文件")
        if name in ("export", "import"):
            acts_as(one)
        if name == "serve":
            one.add_argument("--host", default="127.0.0.1", help="监听地址(默认 127.0.0.1；前面放反向代理)")
            one.add_argument("--port", type=int, default=8080, help="端口(默认 8080)")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any] | None:
    """Do one of them."""
    deeds: dict[str, Callable[..., dict[str, Any] | None]] = {
        "export": _export,
        "load": _load,
        "serve": _serve,
        "collect": _collect,
        "import": _import,
    }
    return deeds[args.deed](args, create_app)


def summary(result: Mapping[str, Any]) -> str:
    """What was done, in words."""
    words = {
        "letters": "可以回复的函件 {} 封",
        "closed": "已回复的 {} 封",
        "received": "内网已收到、这里清除的回复 {} 份",
        "answers": "回复 {} 份",
        "recorded": "新记下 {} 份",
        "known": "以前已导入 {} 份",
        "duplicates": "客户已有回复、另存 {} 份",
        "unknown": "对不上函件 {} 份",
    }
    told = [text.format(result[name]) for name, text in words.items() if name in result]
    return "，".join(told) + "。"


def _export(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    key = exchange.load_key(home_path())
    with working(create_app, args) as session:
        require(session.get_one(Staff, traces.actor_id(session)), "letters.export")
        session.rollback()
        session.info["readonly"] = True  # a long export keeps nobody from writing
        made = reply_exchange.export(session, key, args.file)
        session.rollback()
        session.info["readonly"] = False
        reply_exchange.keep_export(session, made)
    return {"letters": made.letters, "closed": made.closed, "bytes": made.bytes}


def _import(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    key, done = exchange.load_key(home_path()), reply_exchange.Imported()
    with working(create_app, args) as session:
        require(session.get_one(Staff, traces.actor_id(session)), "returns.key")
        for part in reply_exchange.take_in(session, key, args.file):
            session.commit()
            done += part
    return asdict(done)


def _load(args: argparse.Namespace, _create_app: CreateApp) -> dict[str, Any]:
    with _outpost() as outpost:
        return asdict(outpost.load(args.file))


def _collect(args: argparse.Namespace, _create_app: CreateApp) -> dict[str, Any]:
    with _outpost() as outpost:
        answers, size = outpost.collect(args.file)
    return {"answers": answers, "bytes": size}


def _serve(args: argparse.Namespace, _create_app: CreateApp) -> None:
    with _outpost() as outpost, listen(args.host, args.port) as listener:
        app = create_outpost(home_path(), outpost, hops=os.environ.get("LAMPLIGHTER_PROXY_HOPS", "0"))
        outpost.engine.dispose()  # no connection is shared by the processes
        say(f"客户回复页面: {address_of(listener)}  (按 Ctrl-C 停止)")
        serve_pages(app, listener, processes=2)


@contextmanager
def _outpost() -> Iterator[Outpost]:
    home = prepare_home(home_path())
    outpost = Outpost(home, exchange.load_key(home))
    try:
        yield outpost
    finally:
        outpost.engine.dispose()
