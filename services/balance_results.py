"""What the latest nightly proof of the balances of letters found, as it was kept: read without what proves it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting

KEY = "balances_checked"


def last_result(session: Session) -> dict[str, Any]:
    """What the latest proof found; empty before the first."""
    value = session.scalar(select(Setting.value).where(Setting.key == KEY))
    return value if isinstance(value, dict) else {}
