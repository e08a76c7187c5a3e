"""`doctor`: looks at fonts, libraries, database, queue, clock, disk, and says what to do."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from models.home import HomeUnusable
from screens.commands import CreateApp
from services import Refused, health

HELP = "检查字体、组件、数据库、队列、时钟、磁盘，并说明怎么办"

LABELS = {
    "home": "数据目录",
    "settings": "环境变量",
    "disk": "磁盘",
    "libraries": "排版组件",
    "fonts": "字体",
    "front_end": "前端文件",
    "database": "数据库",
    "queue": "队列",
    "clock": "时钟",
    "search": "检索",
    "counts": "实时统计",
    "sheets": "扫描件平衡",
    "balances": "函件平衡",
    "publications": "发布结果",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Check everything; nothing is changed."""
    try:
        checks = health.check_everything(create_app())
    except HomeUnusable as unusable:
        checks = [health.Check("home", False, str(unusable))]
    except Refused as refusal:
        checks = [health.Check("settings", False, str(refusal))]
    return {"ok": all(check.ok for check in checks), "checks": [check.as_row() for check in checks]}


def summary(result: Mapping[str, Any]) -> str:
    """One line a check, its advice below it."""
    lines = []
    for check in result["checks"]:
        lines.append(f"{'正常' if check['ok'] else '有问题'}  {LABELS[check['name']]}")
        lines += [f"      {check['advice']}"] if check["advice"] else []
    return "\n".join([*lines, "全部正常。" if result["ok"] else "请按上面的说明处理后再运行一次 doctor。"])
