"""`check`: judge a customer file without storing anything."""

from __future__ import annotations

import argparse
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from flask import Flask

from models.words import VERDICTS
from quality.area_codes import plain_area_code
from quality.divisions import read_region
from quality.verdicts import Context
from screens.commands import say
from services import Refused
from services.checks import Tally, judge_rows, write_cells
from services.tables import Table, open_table

HELP = "核对一份客户清单:逐格判定号码、地址、姓名、邮箱等,不保存任何数据。"


def arguments(parser: argparse.ArgumentParser) -> None:
    """FILE, where the judged cells go, and what a local leaves out."""
    parser.add_argument("file", metavar="FILE", type=Path, help="CSV 或 XLSX 文件")
    parser.add_argument("-o", "--output", metavar="OUT.csv", type=Path, help="每个判定的格子写一行")
    parser.add_argument("--area-code", type=_area_code, default="", help="缺区号的固定电话按此区号补,如 0757")
    parser.add_argument("--region", type=_region, default="", help="缺省市的地址按此地区补,如 广东省佛山市")


def run(args: argparse.Namespace, create_app: Callable[..., Flask]) -> dict[str, Any]:
    """Judge the file and return the counts by column."""
    started = time.monotonic()
    if args.output and args.output.resolve() == args.file.resolve():
        raise Refused("结果不能写到正在核对的文件上,请换一个文件名。")
    table = open_table(args.file)
    tally = Tally()
    cells = judge_rows(table, tally, Context(args.area_code, args.region))
    if args.output:
        write_cells(cells, args.output)
    else:
        deque(cells, maxlen=0)
    _tell(table, tally)
    return {
        "rows": tally.rows,
        "fields": tally.fields,
        "seconds": round(time.monotonic() - started, 3),
        "unreadable": len(tally.unreadable),
        "unmapped": list(table.unmapped),
        "encoding": table.encoding or table.kind,
        "output": str(args.output) if args.output else None,
    }


def summary(result: Mapping[str, Any]) -> str:
    """A table of columns and verdicts."""
    heads = "  ".join(VERDICTS.values())
    lines = [f"{result['rows']} 行,用时 {result['seconds']} 秒", f"各列判定:{heads}"]
    lines += [f"  {name}: {'  '.join(map(str, counts.values()))}" for name, counts in result["fields"].items()]
    return "\n".join([*lines, *([f"明细:{result['output']}"] if result["output"] else [])])


def _tell(table: Table, tally: Tally) -> None:
    if table.unmapped:
        say(f"没有认出的列(未核对):{'、'.join(table.unmapped)}")
    if table.damaged:
        say(f"文件中有 {table.damaged} 处文字损坏,已以“\ufffd”代替。")
    if tally.unreadable:
        first = "、".join(map(str, tally.unreadable[:10]))
        say(f"{len(tally.unreadable)} 行的列数与标题行不符或户号丢失了末几位:第 {first} 行等,请改正后重新核对。")


def _area_code(text: str) -> str:
    code = plain_area_code(text)
    if text and not code:
        raise argparse.ArgumentTypeError(f"没有“{text}”这个区号")
    return code


def _region(text: str) -> str:
    if text and not read_region(text).province:
        raise argparse.ArgumentTypeError(f"不认识地区“{text}”,请写省和市,如 广东省佛山市")
    return text
