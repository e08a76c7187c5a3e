"""`upgrade`: migrates the database to this version."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from screens.commands import CreateApp
from services import upgrades

HELP = "把数据库升级到本程序的版本"

DONE = {
    upgrades.EMPTY: "数据库已建好。",
    upgrades.BEHIND: "数据库已升级到本版本。",
    upgrades.CURRENT: "数据库已经是本版本，没有要升级的。",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(args: argparse.Namespace, create_app: CreateApp) -> dict[str, Any]:
    """Migrate and put in first data that is missing."""
    app = create_app()
    with app.app_context():
        before = upgrades.upgrade(app)
        return {"before": before, "after": upgrades.database_state(app)}


def summary(result: Mapping[str, Any]) -> str:
    """What was done, in a sentence."""
    return DONE[result["before"]]
