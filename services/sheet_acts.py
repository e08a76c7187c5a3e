"""Sheets that no machine could place: a person says whose they are, or what they are instead."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import FormVersion, Letter, Sheet, Staff
from models.clock import utcnow
from models.scope import ALL, working_as
from services import Refused, files, key_jobs, letters, traces
from services.people import require
from services.sheet_states import LIVE

OPEN = ("unidentified", "foreign", "blank", "front", "duplicate")  # states in which a sheet answers nothing
ASIDE = ("foreign", "blank", "front")
QUALITY = 70


def assign(session: Session, sheet: Sheet, text: str, *, staff: Staff) -> Letter:
    """The form of a letter, by the number or token that a person read off it; it is then reviewed as a whole.

    Refused where the customer's form is there already.
    """
    _check(sheet, staff)
    letter = letters.letter_by_code(session, text)
    _refuse_second(session, letter)
    page = _form_page(session, letter)
    sheet.letter_id, sheet.token, sheet.kind, sheet.page = letter.id, letter.token, "L", page
    sheet.notice_id = None
    sheet.form_version_id, sheet.unit_id = letter.form_version_id, letter.unit_id
    sheet.marks, sheet.placed, sheet.residual = {}, [], None
    _decide(session, sheet, "review", staff=staff)
    sheet.reason = "assigned"
    traces.record(session, "sheet.assigned", sheet, details={"letter": letter.id})
    key_jobs.open_jobs(session, [sheet])
    return letter


def put_aside(session: Session, sheet: Sheet, state: str, *, staff: Staff) -> None:
    """Say that a sheet is something else: blank, a letter's front, or nothing of ours."""
    _check(sheet, staff)
    if state not in ASIDE:
        raise Refused("不能归为这一类。请刷新页面后重新选择。")
    traces.record(session, "sheet.put_aside", sheet, details={"from": sheet.state, "to": state})
    _decide(session, sheet, state, staff=staff)


def turn(session: Session, sheet: Sheet, *, staff: Staff) -> None:
    """Turn the picture of a sheet that could not be registered by a quarter, clockwise."""
    require(staff, "scans.run")
    path = files.location(sheet.image_sha256)
    if sheet.placed or not sheet.image_sha256 or not path.exists():
        raise Refused("这一面不能转动：图像已按码对正，或已不在系统里。")
    with Image.open(path) as picture, tempfile.TemporaryDirectory() as folder:
        media, target = Image.MIME[picture.format or "PNG"], Path(folder) / "turned"
        turned = picture.transpose(Image.Transpose.ROTATE_270)
        turned.save(target, picture.format, **({"quality": QUALITY} if picture.format == "JPEG" else {}))
        sheet.image_sha256 = files.store(session, target, sheet.image_sha256[:16], media).sha256


def _check(sheet: Sheet, staff: Staff) -> None:
    require(staff, "scans.run")
    if sheet.state not in OPEN:
        raise Refused("这一面已认出函件，不能再改归属。请在录入台处理。")


def _refuse_second(session: Session, letter: Letter) -> None:
    with working_as(session, ALL):
        copies = select(Letter.id).where(Letter.recipient_id == letter.recipient_id)
        query = select(Sheet.id).where(Sheet.letter_id.in_(copies), Sheet.state.in_(LIVE))
        if session.scalars(query.limit(1)).one_or_none() is not None:
            raise Refused(
                "函件 %(letter)s 的登记表已经扫描过，这一面留作重复。", letter=letters.number_of(letter)
            )


def _form_page(session: Session, letter: Letter) -> int:
    form = session.get_one(FormVersion, letter.form_version_id)
    return next((page["number"] for page in form.boxes.get("pages", []) if page["boxes"]), 2)


def _decide(session: Session, sheet: Sheet, state: str, *, staff: Staff) -> None:
    sheet.state, sheet.reason = state, ""
    sheet.decided_by_id, sheet.decided_at = staff.id, utcnow()
    session.flush()
