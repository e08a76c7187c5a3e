"""The survey letter (核对函) with the change form (变更登记表) on its back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper import masks
from paper.fonts import missing_glyphs
from paper.letterheads import Letterhead, local_address
from paper.lines import AddressBlock, SetText, address_block, fitting_size, set_text
from paper.pages import printable, visible

NO_NAME = "用电客户"
WINDOW_TOP, WINDOW_LINE, WINDOW_LINES = 41.5, 4.4, 5  # mm, mm, lines
ORGAN_WIDTH, UNIT_WIDTH, ADDRESS_WIDTH, RECORDED_WIDTH = 65.0, 40.0, 162.0, 36.0  # mm
ORGAN_LINES = ((15.0, 1), (14.0, 1), (13.0, 1), (12.0, 1), (11.0, 1), (9.0, 2), (7.0, 2), (5.5, 3))
SIGNED_WIDTH = 150.0
HEAD_LINES = ((10.0, 1), (9.0, 1), (8.0, 1), (7.0, 2), (6.0, 2), (5.0, 3))
ONE_LINE = (
    (10.0, 1),
    (9.0, 2),
    (8.0, 2),
    (7.0, 2),
    (6.0, 3),
)  # pt, lines: the first that holds the value is taken
MANY_LINES = ((10.0, 4), (9.0, 4), (8.0, 5), (7.0, 6), (6.0, 7))


@dataclass(frozen=True)
class Recorded:
    """The contacts on record, in full: the form covers them. An empty text prints 暂无 instead of 无变化."""

    person: str = ""
    mobile: str = ""
    landline: str = ""
    outage_person: str = ""
    outage_mobile: str = ""
    postal_address: str = ""
    postcode: str = ""
    email: str = ""
    wechat: str = ""


@dataclass(frozen=True)
class LetterFacts:
    """One printed copy. Address, addressee and postcode stand in the window in full; all else is masked."""

    serial: str
    token: str
    address: str
    addressee: str
    account_no: str
    name: str
    unit: str
    supply_address: str
    sent_on: dt.date
    reply_by: dt.date
    postcode: str = ""
    recorded: Recorded = Recorded()
    copy: int = 1
    form_version: int = 1
    reply_url: str = ""
    reminder: bool = False


@dataclass(frozen=True)
class Problem:
    """What a letter could not show as given: a character without glyph, or an address that did not fit."""

    serial: str
    field: str
    reason: str
    text: str


@dataclass(frozen=True)
class Printed:
    """What a print run came to; a letter whose address does not fit is a problem and has no pages."""

    letters: int
    pages: int
    bytes: int
    seconds: float
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class LetterSheet:
    """What the templates show of one letter: masked, measured and broken into lines that fit their boxes."""

    facts: LetterFacts
    organ: SetText
    signed_size: float
    window: tuple[str, ...]
    window_top: float
    window_size: float
    account_no: str
    name: str
    unit: SetText
    supply_address: SetText
    recorded: dict[str, SetText]


def fits_address(
    address: str, addressee: str, postcode: str = "", *, letterhead: Letterhead | None = None
) -> bool:
    """Whether the window can hold this address and name; if not, the recipient is left out: address_too_long."""
    return window_block(address, addressee, postcode, letterhead=letterhead) is not None


def window_block(
    address: str, addressee: str, postcode: str = "", *, letterhead: Letterhead | None = None
) -> AddressBlock | None:
    """The lines in the window; with a letterhead, its own province and city are left out."""
    local = local_address(address, letterhead) if letterhead else address
    folder = letterhead.font_folder if letterhead else ""
    texts = (local, addressee if addressee.strip() else NO_NAME, postcode)
    shown = [printable(text, folder=folder) for text in texts]
    return address_block(shown[0], shown[1], shown[2], folder=folder)


def letter_sheet(facts: LetterFacts, letterhead: Letterhead) -> LetterSheet | None:
    """Everything of one letter, ready to be set; None where its address does not fit the window."""
    block = window_block(facts.address, facts.addressee, facts.postcode, letterhead=letterhead)
    if block is None:
        return None
    window = tuple(line for line in (block.postcode, *block.address, *block.addressee) if line)
    supply = masks.mask_address(facts.supply_address)
    return LetterSheet(
        facts=facts,
        organ=set_text(letterhead.organ, ORGAN_WIDTH, sizes=ORGAN_LINES, face="heiti"),
        signed_size=fitting_size(letterhead.organ, SIGNED_WIDTH, largest=12, smallest=5, face="fangsong"),
        window=window,
        window_top=WINDOW_TOP + (WINDOW_LINES - len(window)) * WINDOW_LINE / 2,
        window_size=block.size,
        account_no=masks.mask_account(facts.account_no),
        name=masks.mask_name(facts.name),
        unit=set_text(printable(facts.unit), UNIT_WIDTH, sizes=HEAD_LINES),
        supply_address=set_text(printable(supply), ADDRESS_WIDTH, sizes=HEAD_LINES),
        recorded=_recorded(facts.recorded),
    )


def _recorded(recorded: Recorded) -> dict[str, SetText]:
    person = masks.mask_name(recorded.outage_person)
    mobile = masks.mask_phone(recorded.outage_mobile)
    return {
        "person": _set(masks.mask_name(recorded.person), ONE_LINE),
        "mobile": _set(masks.mask_phone(recorded.mobile), ONE_LINE),
        "landline": _set(masks.mask_phone(recorded.landline), ONE_LINE),
        "outage": SetText(tuple(printable(line) for line in (person, mobile) if line), 9.0),
        "postal_address": _set(masks.mask_address(recorded.postal_address), MANY_LINES),
        "postcode": _set(recorded.postcode.strip()[:10], ONE_LINE),
        "email": _set(masks.mask_email(recorded.email), ONE_LINE),
        "wechat": _set(masks.mask_wechat(recorded.wechat), ONE_LINE),
    }


def _set(text: str, sizes: tuple[tuple[float, int], ...]) -> SetText:
    return set_text(printable(text), RECORDED_WIDTH, sizes=sizes)


def unprintable(facts: LetterFacts, *, folder: str = "") -> list[Problem]:
    """The characters of a letter's own texts that no font here has: they would print as 〓."""
    texts = {"addressee": facts.addressee, "address": facts.address, "name": facts.name, "unit": facts.unit}
    found = {name: missing_glyphs(visible(text), folder=folder) for name, text in texts.items()}
    return [
        Problem(facts.serial, name, "missing_glyph", missing) for name, missing in found.items() if missing
    ]
