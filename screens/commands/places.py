"""`places import`: the bureau's own divisions, or dated renames, for judging addresses."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from screens.commands import CreateApp, acts_as, working
from services import Refused
from services.place_imports import import_file

HELP = "导入行政区划或区划更名,供判定地址时使用: places import 文件.csv"


def arguments(parser: argparse.ArgumentParser) -> None:
    """`import FILE.csv`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="import")
    load = actions.add_parser("import", help="导入一份 CSV")
    columns = "省, 市, 区县, 乡镇, 来源；更名另有 原名称, 现名称, 变更日期"
    load.add_argument("file", type=Path, help=f"CSV 文件，列: {columns}")
    load.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(load)


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring the file in, all of it or nothing."""
    if not args.file.is_file():
        raise Refused(f"没有文件 {args.file}。请检查路径。")
    with working(create_app, args) as session:
        done = import_file(session, args.file)
        return {"created": done.created, "updated": done.updated, "unchanged": done.unchanged}


def summary(result: Mapping[str, Any]) -> str:
    """What came in."""
    return f"新增 {result['created']} 处，更新 {result['updated']} 处，未变 {result['unchanged']} 处。"
