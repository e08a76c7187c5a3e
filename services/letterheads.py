"""The letterhead profile of the bureau, as paper takes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Letterhead
from models.home import home_path
from paper import letterheads
from services import Refused

FONTS = "fonts"


def current(session: Session) -> letterheads.Letterhead:
    """The profile that documents are printed with: the first row, its options, and the bureau's own font folder."""
    row = session.scalars(select(Letterhead).order_by(Letterhead.id).limit(1)).one_or_none()
    if row is None:
        raise Refused("还没有单位抬头。请运行 ./lamplighter upgrade 装入初始数据，再在“设置”中填写抬头。")
    known = {one.name for one in fields(letterheads.Letterhead)}
    values: dict[str, Any] = {name: getattr(row, name) for name in known if hasattr(row, name)}
    values |= {name: value for name, value in row.options.items() if name in known}
    values["copy_to"] = tuple(line.strip() for line in str(row.copy_to).splitlines() if line.strip())
    folder = home_path() / FONTS
    return letterheads.Letterhead(**values | {"font_folder": str(folder) if folder.is_dir() else ""})


def from_plain(values: Mapping[str, Any]) -> letterheads.Letterhead:
    """A letterhead that went through JSON, as planned rows do."""
    plain: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
    return letterheads.Letterhead(**plain)
