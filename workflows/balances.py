"""Steps that prove the balances every night: of letters, counted a second time, and of scanned sides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.orm import Session

from services import balance_checks, sheet_balances
from services.balance_checks import Difference
from services.sheet_balances import Fault
from workflows.steps import Call, Effects, Facts, Item, Options, Planned


def plan_check_letters(session: Session, options: Options, facts: Facts) -> Planned:
    """Count every letter a second time."""
    return _planned(balance_checks.check(session))


def check_letters(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep what does not add up."""
    return Effects(calls=[Call(keep_letters, {"found": item["found"]}) for item in items])


def plan_check_sheets(session: Session, options: Options, facts: Facts) -> Planned:
    """Look whether every scanned side is accounted for."""
    return _planned(sheet_balances.faults(session))


def check_sheets(options: Options, facts: Facts, items: Sequence[Item]) -> Effects:
    """Keep which sides are not."""
    return Effects(calls=[Call(keep_sheets, {"found": item["found"]}) for item in items])


def keep_letters(session: Session, found: Sequence[dict[str, Any]]) -> None:
    """Keep what does not add up of the letters."""
    balance_checks.keep_result(session, [Difference(**one) for one in found])


def keep_sheets(session: Session, found: Sequence[dict[str, Any]]) -> None:
    """Keep what does not add up of the scanned sides."""
    sheet_balances.keep_result(session, [Fault(**one) for one in found])


def _planned(found: Sequence[Difference] | Sequence[Fault]) -> Planned:
    """One item whatever was found: that nothing was is kept too."""
    return Planned([{"found": [asdict(one) for one in found]}], {"number": len(found)})
