"""`user add`: a person with an account. `units import`: the unit tree from a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from models.people import root_unit, unit_by_code_or_name
from screens.commands import CreateApp, acts_as, working
from services import Refused, units
from services.people import acting_staff, require
from services.staff import NewStaff, add_staff

USER_HELP = "管理账号: user add 登录名"
UNITS_HELP = "管理单位: units import 文件.csv"


def user_arguments(parser: argparse.ArgumentParser) -> None:
    """`add LOGIN --name N --role R [--unit CODE] --password-stdin`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="add")
    add = actions.add_parser("add", help="新建账号")
    add.add_argument("login", help="登录名(小写字母、数字、点、横线、下划线)")
    add.add_argument("--name", required=True, help="姓名")
    add.add_argument(
        "--role", required=True, action="append", help="角色代码，例如 administrator；可以写多次"
    )
    add.add_argument("--unit", default="", help="单位代码或名称(默认最上级单位)")
    add.add_argument("--password-stdin", action="store_true", required=True, help="从标准输入读密码(第一行)")
    add.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(add)


def user_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Make the account."""
    password = sys.stdin.readline().rstrip("\r\n")
    with working(create_app, args) as session:
        _require(session, "staff.edit")
        unit = unit_by_code_or_name(session, args.unit) if args.unit else root_unit(session)
        if unit is None:
            raise Refused(f"没有单位「{args.unit}」。请用单位代码，或先用 units import 导入单位。")
        draft = NewStaff(args.login, args.name, unit_id=unit.id, roles=tuple(args.role), password=password)
        return {"id": add_staff(session, draft).id, "login": args.login}


def user_summary(result: Mapping[str, Any]) -> str:
    """What was made."""
    return f"账号「{result['login']}」已建好，编号 {result['id']}。"


def units_arguments(parser: argparse.ArgumentParser) -> None:
    """`import FILE.csv`."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="import")
    load = actions.add_parser("import", help="从 CSV 导入单位")
    load.add_argument(
        "file", type=Path, help="CSV 文件，列: code, name, parent, kind, area_code, region, deadline_days, phones"
    )
    load.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    acts_as(load)


def units_run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Bring the file in, all of it or nothing."""
    if not args.file.is_file():
        raise Refused(f"没有文件 {args.file}。请检查路径。")
    with working(create_app, args) as session:
        _require(session, "units.edit")
        done = units.import_file(session, args.file)
        return {"created": done.created, "updated": done.updated}


def units_summary(result: Mapping[str, Any]) -> str:
    """What came in."""
    return f"新建单位 {result['created']} 个，更新 {result['updated']} 个。"


def _require(session: Session, permission: str) -> None:
    staff = acting_staff(session)
    if staff is not None:
        require(staff, permission)
