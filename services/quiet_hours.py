"""Quiet hours (免打扰时段): when no SMS goes out; a setting of the bureau, in business time."""

from __future__ import annotations

from datetime import time, timedelta

from sqlalchemy.orm import Session

from models import Setting
from models.clock import now
from services import Refused

KEY = "message_quiet_hours"  # {"from": "21:00", "until": "08:00"}, or null for none
USUAL = {"from": "21:00", "until": "08:00"}
CHANNELS = ("sms",)


def quiet_for(session: Session, channel: str) -> timedelta | None:
    """How long until messages may go out again; None where they may now."""
    hours = quiet_hours(session)
    if channel not in CHANNELS or hours is None:
        return None
    begins, ends = (time.fromisoformat(hours[name]) for name in ("from", "until"))
    moment = now(session)
    at = moment.time()
    within = begins <= at < ends if begins < ends else at >= begins or at < ends
    if not within:
        return None
    end = moment.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0)
    return (end if end > moment else end + timedelta(days=1)) - moment


def quiet_hours(session: Session) -> dict[str, str] | None:
    """From when until when no SMS goes out; None where the bureau has said that they may always."""
    row = session.get(Setting, KEY)
    return dict(USUAL) if row is None else row.value


def set_quiet_hours(session: Session, begins: str, ends: str) -> None:
    """Set the quiet hours as `21:00`, `08:00`; both empty: none."""
    try:
        hours = {"from": f"{time.fromisoformat(begins):%H:%M}", "until": f"{time.fromisoformat(ends):%H:%M}"}
    except ValueError:
        if begins or ends:
            raise Refused("免打扰时段要写成两个时刻，例如 21:00 到 08:00；都不填为不设。") from None
        hours = {}
    if hours and hours["from"] == hours["until"]:
        raise Refused("免打扰时段的开始和结束不能相同。")
    session.merge(Setting(key=KEY, value=hours or None))
