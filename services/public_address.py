"""The address under which customers reach the page behind the code on their letter; none is printed without it."""

from __future__ import annotations

import os
import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Setting
from services import Refused, traces

KEY = "public_address"
VARIABLE = "LAMPLIGHTER_PUBLIC_ADDRESS"
SHAPE = re.compile(r"https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?")


def current(session: Session) -> str:
    """The address as it is set here, else as the environment gives it; empty where there is none."""
    kept = session.scalar(select(Setting.value).where(Setting.key == KEY))
    return str(kept if kept is not None else os.environ.get(VARIABLE, "")).strip().rstrip("/")


def check_environment() -> None:
    """Refuse to start with an address in the environment that no code on a letter can hold: paper cannot be mended."""
    text = os.environ.get(VARIABLE, "").strip()
    if not is_fit(text):
        raise Refused(
            "环境变量 %(name)s 要写成 https://主机名 的样子，后面不带路径，例如 https://hd.example.cn；"
            "现在是「%(text)s」。请改正，或去掉它。",
            name=VARIABLE,
            text=text[:80],
        )


def is_fit(text: str) -> bool:
    """Whether a text is an address that can stand in a code in capitals (https, a host, perhaps a port), or none."""
    wanted = text.strip().rstrip("/").lower()
    return not wanted or SHAPE.fullmatch(wanted) is not None


def change(session: Session, text: str) -> str:
    """Set the address, or none."""
    wanted = text.strip().rstrip("/").lower()
    if not is_fit(wanted):
        raise Refused(
            "公网地址要写成 https://主机名 的样子，后面不带路径，例如 https://hd.example.cn；现在是「%(text)s」。",
            text=text.strip()[:80],
        )
    row = session.merge(Setting(key=KEY, value=wanted))
    traces.record(session, "setting.changed", row, details={"public_address": wanted})
    return wanted


def reply_url(address: str, reply_token: str) -> str:
    """What the code on a letter holds, in capitals; empty without an address."""
    return f"{address}/R/{reply_token}".upper() if address else ""
