"""The shell's commands: one table, and what all of them share.

A command lives in one module of this package and has `HELP` (one line), `arguments(parser)` and
`run(args, create_app)`, which returns what `--json` prints. `summary(result)` says the same to a person; without it
the fields are listed. A module that serves a second command prefixes these names: `UNDO_HELP`, `undo_arguments`,
`undo_run`, `undo_summary`. A result whose `ok` is false ends with exit code 1.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Flask
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from models.base import db
from models.home import HomeUnusable
from models.scope import OutOfScope
from services import Refused
from services.people import SHELL, acting
from services.upgrades import make_ready

CreateApp = Callable[..., Flask]

# `test` is not here: `./lamplighter test` hands over to pytest itself.
# name: module, or module:prefix where a module serves more than one command. Loaded when called: `doctor` and
# `check` must not pay for what printing or counting imports.
COMMANDS: dict[str, str] = {
    "demo": "demo",
    "serve": "serve",
    "web": "web",
    "worker": "worker",
    "clock": "clock",
    "upgrade": "upgrades",
    "doctor": "doctor",
    "user": "people:user",
    "units": "people:units",
    "places": "places",
    "check": "check",
    "import": "imports",
    "undo": "imports:undo",
    "search": "search",
    "assess": "assessments",
    "workflow": "workflows",
    "print": "letters:print",
    "undelivered": "letters:undelivered",
    "replies": "replies",
    "messages": "messages",
    "intake": "intake",
    "form-map": "intake:map",
    "sample": "samples",
    "standings": "competitions",
    "notices": "notices",
    "report": "reports",
}


def main(argv: Sequence[str], create_app: CreateApp) -> int:
    """Run one command line and return its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    os.umask(0o077)
    if not argv or argv[0] not in COMMANDS:
        say(_usage(argv[0] if argv else ""))
        return 0 if argv and argv[0] in ("-h", "--help") else 2
    module, prefix = _load(argv[0])
    args = _parser(argv[0], module, prefix).parse_args(argv[1:])
    return _run(module, prefix, args, create_app)


def say(text: str) -> None:
    """Progress and messages: to stderr, so that stdout holds the result alone."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def acts_as(parser: argparse.ArgumentParser) -> None:
    """Give a changing command its `--as LOGIN`."""
    parser.add_argument(
        "--as", dest="acting", metavar="LOGIN", default=None, help="以哪个账号的身份执行(默认 shell)"
    )


@contextmanager
def working(create_app: CreateApp, args: argparse.Namespace) -> Iterator[Session]:
    """A session on a database that is ready, with the scope of whoever acts; committed at the end, else rolled back."""
    app = create_app()
    with app.app_context():
        make_ready(app)
        session = db.session()
        try:
            acting(session, getattr(args, "acting", None) or SHELL)
            yield session
            session.commit()
        except BaseException:
            session.rollback()
            raise


def _load(name: str) -> tuple[ModuleType, str]:
    path, _colon, prefix = COMMANDS[name].partition(":")
    return importlib.import_module(f"{__name__}.{path}"), f"{prefix}_" if prefix else ""


def _parser(name: str, module: ModuleType, prefix: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        f"lamplighter {name}", description=getattr(module, f"{prefix}help".upper())
    )
    parser.add_argument("--json", action="store_true", help="在标准输出上只打印一个 JSON 对象")
    getattr(module, f"{prefix}arguments")(parser)
    return parser


def _run(module: ModuleType, prefix: str, args: argparse.Namespace, create_app: CreateApp) -> int:
    try:
        result = getattr(module, f"{prefix}run")(args, create_app)
    except (Refused, HomeUnusable) as refusal:
        return _refuse(args, str(refusal))
    except OutOfScope as outside:
        return _refuse(
            args, f"超出这个账号的管辖范围，没有改动任何数据({outside})。请换用管得到的账号(--as)。"
        )
    except OperationalError as error:
        return _refuse(args, f"数据库用不了: {error.orig}\n请运行 ./lamplighter doctor 查看原因。")
    if result is not None or args.json:
        show(args, result or {}, getattr(module, f"{prefix}summary", _listed))
    return 1 if result and result.get("ok") is False else 0


def _refuse(args: argparse.Namespace, message: str) -> int:
    say(message)
    if args.json:
        _write(json.dumps({"error": message}, ensure_ascii=False))
    return 1


def show(
    args: argparse.Namespace, result: Mapping[str, Any], summary: Callable[[Mapping[str, Any]], str]
) -> None:
    """Print a result on stdout: as JSON where that was asked for, else in words."""
    if args.json:
        _write(json.dumps(result, ensure_ascii=False, default=_plain))
    else:
        _write(summary(result))


def _write(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _listed(result: Mapping[str, Any]) -> str:
    return "\n".join(f"{key}: {_short(value)}" for key, value in result.items())


def _short(value: Any) -> str:
    return (
        json.dumps(value, ensure_ascii=False, default=_plain)
        if isinstance(value, list | dict)
        else str(value)
    )


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _usage(wrong: str) -> str:
    head = f"没有这个命令: {wrong}\n" if wrong and not wrong.startswith("-") else ""
    names = ", ".join(["test", *COMMANDS])
    return f"{head}用法: ./lamplighter 命令 [参数]   (./lamplighter 命令 --help 看参数)\n命令: {names}"
