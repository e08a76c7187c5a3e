"""The walk list (走访清单): a day's doors in order."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass


@dataclass(frozen=True)
class WalkRow:
    """One door. The list stays in the house and shows what the task needs, unmasked."""

    token: str
    account_no: str
    name: str
    address: str
    reason: str
    phone: str = ""
    hints: tuple[str, ...] = ()
    remark: str = ""


@dataclass(frozen=True)
class WalkGroup:
    """An estate, road or meter book with its doors in walking order."""

    title: str
    rows: tuple[WalkRow, ...]


@dataclass(frozen=True)
class WalkList:
    number: str
    territory: str
    manager: str
    day: dt.date
    groups: tuple[WalkGroup, ...]
    unit: str = ""
    start: str = ""
    copy: int = 1
