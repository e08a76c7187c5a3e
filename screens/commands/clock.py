"""`clock`: schedules, sweeping and sealing, one role of several machines; two of them do no harm."""

from __future__ import annotations

import argparse

from screens.commands import CreateApp
from services import upgrades
from workflows.clock import run as run_clock

HELP = "只运行时钟进程(多台机器时用)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """No options."""


def run(args: argparse.Namespace, create_app: CreateApp) -> None:
    """Run the clock until stopped."""
    app = create_app()
    with app.app_context():
        upgrades.make_ready(app)
    run_clock(app)
