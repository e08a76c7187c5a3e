"""`standings COMPETITION`: the standings of a competition, frozen or live, now or as they were."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from models.clock import ZONE
from screens.commands import CreateApp, working
from services import Refused, boards, competitions

HELP = "竞赛名次"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The competition, the board, and the moment."""
    parser.add_argument("competition", metavar="COMPETITION", help="竞赛编码或编号")
    parser.add_argument(
        "--board", choices=competitions.BOARDS, default="unit", help="单位榜或个人榜(默认单位榜)"
    )
    parser.add_argument("--at", metavar="TIME", help="某一时刻的名次，例如 2026-11-21T18:00")


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """One row a competitor, best first, division by division."""
    with working(create_app, args) as session:
        competition = competitions.by_code(session, args.competition)
        rows = boards.board(session, competition, args.board, at=_moment(args.at))
        return {
            "competition": competition.code,
            "state": competition.state,
            "rows": [_row(row) for row in rows],
        }


def summary(result: Mapping[str, Any]) -> str:
    """A line a row."""
    lines = [f"{row['rank']:>3}  {row['score']:>9.2f}  {row['who']['name']}" for row in result["rows"]]
    return "\n".join(lines) or "还没有得分记录。"


def _row(row: boards.Row) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "who": {"code": row.code, "name": row.name},
        "division": row.division,
        "score": row.score,
        "numerator": row.numerator,
        "denominator": row.denominator,
        "tied": row.tied,
    }


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"时间「{text}」无法识别，请写成 2026-11-21T18:00。") from None
    return found if found.tzinfo else found.replace(tzinfo=ZONE)
