"""The form that starts a campaign: what was typed, as a segment for the preview and as options for the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from screens.pickers import units_in_scope
from services import Refused
from services.campaigns import REPLY_DAYS
from services.reply_checks import CHECKS, USUAL
from services.segments import CONDITIONS, RECENT_DAYS, Segment

MANY = ("kinds", "conditions", "classes")
Fields = MultiDict[str, str]


def unit_choices() -> list[tuple[str, str]]:
    """Units of one's own and below by code, set in by their depth."""
    found = units_in_scope().all()
    top = min((unit.path.count("/") for unit in found), default=0)
    return [(unit.code, "　" * (unit.path.count("/") - top) + unit.name) for unit in found]


def segment_from(form: Fields) -> Segment:
    """The segment that the form describes; numbers that are none are refused with a sentence."""
    return Segment(
        kinds=tuple(form.getlist("kinds")),
        conditions=tuple(form.getlist("conditions")),
        segment=form.get("segment", ""),
        unit=form.get("unit", ""),
        classes=tuple(form.getlist("classes")),
        recent_days=_number(form, "recent_days", RECENT_DAYS, most=3660),
        same_address="same_address" in form,
        by_hand=tuple(re.split(r"[\s,，、;；]+", form.get("by_hand", "").strip())) if form.get("by_hand") else (),
        limit=_number(form, "limit", 0, most=10_000_000),
    )


def values_from(form: Fields) -> dict[str, Any]:
    """The options of the run, as `node.option`."""
    name = form.get("name", "").strip()
    if not name:
        raise Refused(_("请给这次核对活动起一个名称，例如“2026年秋季联系信息核对”。"))
    days = _number(form, "reply_days", REPLY_DAYS, most=365)
    if days < 1:
        raise Refused(_("请客户回复的天数至少是 1 天。"))
    check = form.get("online_check", USUAL)
    if check not in CHECKS:
        raise Refused(_("没有这种核对方式。请刷新页面后重新选择。"))
    values: dict[str, Any] = {"name": name[:120], "reply_days": days, "online_check": check}
    values |= segment_from(form).as_row()
    return {f"select.{key}": value for key, value in values.items()}


def filled(form: Fields) -> Mapping[str, Any]:
    """What the form shows: as it was typed, else the defaults."""
    if form:
        return {**form.to_dict(), **{name: form.getlist(name) for name in MANY}}
    return {
        "kinds": [],
        "conditions": list(CONDITIONS),
        "classes": [],
        "recent_days": RECENT_DAYS,
        "reply_days": REPLY_DAYS,
        "online_check": USUAL,
        "limit": "",
    }


def _number(form: Fields, name: str, default: int, *, most: int) -> int:
    text = form.get(name, "").strip()
    if not text:
        return default
    if not text.isdecimal() or int(text) > most:
        raise Refused(_("“%(text)s”不是可用的数字，请填写 0 到 %(most)s 之间的整数。", text=text[:20], most=most))
    return int(text)
