"""Reprints (补打) by number: one letter, a range, or what jammed; the same serials, further copies, new tokens."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models import Campaign, Letter
from services import Refused, letters
from services.letter_copies import counting
from services.letters import Plan

MOST = 500  # letters that one person reprints or spoils in one go
_RANGE = re.compile(r"(\d{1,9})(?:\s*[-－–—~～]\s*(\d{1,9}))?")
_BETWEEN = re.compile(r"[\s,，、;；]+")


def serials_in(text: str) -> list[int]:
    """The numbers that `12、15-18` names, in order, each once."""
    found: set[int] = set()
    for part in _BETWEEN.split(re.sub(r"\s*([-－–—~～])\s*", r"\1", text.strip())):
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise Refused("「%(text)s」不是函件的编号。请写编号或范围，如：12、15-18。", text=part[:40])
        found.update(range(first, min(last, first + MOST) + 1))
        if len(found) > MOST:
            raise Refused("一次最多写 %(most)s 封的编号，请分几次办理。", most=MOST)
    return sorted(found)


def named(serials: Sequence[int]) -> str:
    """Numbers in order as one writes them: `12、15-18`."""
    spans: list[list[int]] = []
    for serial in serials:
        if spans and serial == spans[-1][1] + 1:
            spans[-1][1] = serial
        else:
            spans.append([serial, serial])
    return "、".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def plan(session: Session, campaign: Campaign, text: str, *, form_version: int, reason: str) -> list[Plan]:
    """Further copies of the numbers that `text` names; refused with the first that cannot be printed again."""
    if not reason.strip():
        raise Refused("补打要写明原因（如：卡纸、污损、客户称未收到），原因会记入打印台账。")
    wanted = serials_in(text)
    found = newest(session, campaign.id, wanted)
    missing = sorted(set(wanted) - {letter.serial for letter in found})
    if missing:
        raise Refused(
            "核对活动 %(code)s 没有编号 %(serials)s 的函件。请核对编号。",
            code=campaign.code, serials="、".join(map(str, missing[:5])),
        )  # fmt: skip
    return list(letters.plan_reprints(session, found, form_version=form_version, reason=reason))


def newest(session: Session, campaign_id: int, serials: Sequence[int]) -> Sequence[Letter]:
    """The copy of each of these serials of a campaign that is printed again, in order."""
    query = select(Letter).options(joinedload(Letter.recipient)).where(Letter.campaign_id == campaign_id)
    found = session.scalars(query.where(Letter.serial.in_(serials)).order_by(Letter.serial, Letter.copy))
    return [counting(list(copies)) for _serial, copies in groupby(found, key=lambda one: one.serial)]
