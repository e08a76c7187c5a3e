"""What a read side is: which state it gets, and why; pure but for the rows it is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from models import Letter, Sheet
from paper.scan_children import ReadSide
from services import key_fields
from services.key_fields import SIGNED

RESIDUAL = 0.6  # mm: above it the boxes are not where they are looked for
ENOUGH_CODES = 3  # of a side that was designed with four
LIVE = ("accepted", "review", "to_key", "keyed")  # sheets whose answer counts
ENDED = ("closed", "cancelled")
LATER = ("signature", "signed_on")  # seen, never keyed


@dataclass
class Known:
    """What came in before, so that nothing counts twice; grows with every sheet that is decided."""

    digests: set[str] = field(default_factory=set)
    pages: set[tuple[int, int]] = field(default_factory=set)
    keyed: set[int] = field(default_factory=set)
    notices: set[int] = field(default_factory=set)


def identity(read: ReadSide) -> tuple[str, str]:
    """The state of a side that answers nothing of ours, and why; two empty texts where it may."""
    looked = read.looked
    if not looked.digest:
        return "unidentified", "unreadable"
    if looked.is_blank:
        return "blank", ""
    if not looked.codes:
        return ("foreign", "other_code") if looked.texts else ("unidentified", "no_code")
    if {code.kind for code in looked.codes} == {"V"}:
        return "foreign", "walk_list"
    if len({(code.kind, code.token, code.page) for code in looked.codes}) > 1:
        return "unidentified", "two_sheets"
    return "", ""


def state_of(sheet: Sheet, letter: Letter | None, known: Known, *, codes: int) -> tuple[str, str]:
    """The state of a side with a letter's code, and why it is not simply accepted."""
    if letter is None:
        return "foreign", "unknown_token"
    page = _page(sheet)
    if sheet.page == 1 and not (page and page["boxes"]):
        return "front", ""
    again = _again(sheet, letter, known)
    if again:
        return "duplicate", again
    doubt = _doubt(sheet, letter, len(page["codes"]) if page else 0, codes) or _doubtful_marks(sheet)
    if doubt:
        return "review", doubt
    return ("to_key", "handwriting") if key_fields.written_fields(sheet) else ("accepted", "")


def _page(sheet: Sheet) -> key_fields.Box | None:
    pages: Sequence[key_fields.Box] = sheet.form_version.boxes.get("pages", []) if sheet.form_version else []
    return next((page for page in pages if page["number"] == sheet.page), None)


def _again(sheet: Sheet, letter: Letter, known: Known) -> str:
    if sheet.digest in known.digests:
        return "same_picture"
    if (letter.recipient_id, sheet.page) in known.pages:
        return "scanned_before"
    return "keyed_before" if letter.recipient_id in known.keyed else ""


def _doubt(sheet: Sheet, letter: Letter, printed: int, codes: int) -> str:
    if not printed:
        return "no_map"
    if letter.state == "spoiled":
        return "spoiled_letter"
    if letter.campaign.state in ENDED:
        return "late"
    if sheet.residual is None or sheet.residual > RESIDUAL:
        return "residual"
    return "few_codes" if printed > ENOUGH_CODES > codes else ""


def _doubtful_marks(sheet: Sheet) -> str:
    if any(not sheet.marks[name]["sure"] for name in key_fields.ticks_of(sheet)):
        return "uncertain_tick"
    on = key_fields.marked(sheet)
    if key_fields.contradicting(sheet) or {"all.same", "other.not_theirs"} <= on:
        return "contradiction"
    if not on - set(LATER):
        return "nothing_filled"
    return "" if SIGNED in on or key_fields.written_fields(sheet) else "unsigned"
