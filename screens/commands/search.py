"""`search`: proves that lists and search read what customers and contacts say, and writes anew what does not."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from models.scope import ALL, working_as
from screens.commands import CreateApp, say, working
from services import search_checks

HELP = "核对客户检索，重写对不上的"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Nothing, or only looking."""
    parser.add_argument("--dry-run", action="store_true", help="只核对，不重写")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Go through all customers, span by span; every span is committed."""
    wrong = 0
    with working(create_app, args) as session, working_as(session, ALL):
        session.commit()
        session.info["readonly"] = args.dry_run  # whoever only looks keeps nobody from writing
        spans = map(len, search_checks.differences(session)) if args.dry_run else search_checks.mend(session)
        for place, number in enumerate(spans, start=1):
            session.commit()
            wrong += number
            if place % PROGRESS == 0:
                say(f"{place * search_checks.CHUNK}")
    return {"ok": not (args.dry_run and wrong), "wrong": wrong, "mended": 0 if args.dry_run else wrong}


PROGRESS = 20


def summary(result: Mapping[str, Any]) -> str:
    """How many were wrong, and whether they are mended."""
    if not result["wrong"]:
        return "检索和客户资料全部一致。"
    done = "已重写" if result["mended"] else "没有改动，去掉 --dry-run 就重写"
    return f"有 {result['wrong']} 户的检索对不上，{done}。"
