"""`messages results`: what the network made of messages, from the gateway's result file."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from screens.commands import CreateApp, acts_as, working
from services import Refused
from workflows.message_results import COUNTED, take_in

HELP = "登记短信网关导出的状态报告: messages results 文件.csv"


def arguments(parser: argparse.ArgumentParser) -> None:
    """`results FILE.csv`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="results")
    results = actions.add_parser("results", help="登记一份状态报告，重复登记没有影响")
    results.add_argument("file", metavar="FILE", type=Path, help="CSV 文件，列: 编号, 结果(送达或失败), 原因")
    results.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(results)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring the file in, each chunk committed by itself."""
    if not args.file.is_file():
        raise Refused(f"没有文件 {args.file}。请检查路径。")
    taken = Counter[str]()
    with working(create_app, args) as session:
        for more in take_in(session, args.file):
            session.commit()
            taken += more
    return {name: taken[name] for name in COUNTED}


def summary(result: Mapping[str, Any]) -> str:
    """What the lines came to."""
    return "，".join(f"{label} {result[name]} 条" for name, label in COUNTED.items()) + "。"
