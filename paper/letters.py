"""The survey letter (核对函) with the change form (变更登记表) on its back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from markupsafe import Markup

from paper import masks
from paper.codes import code_rows, code_text, link_rows, svg
from paper.fonts import missing_glyphs
from paper.letterheads import Letterhead, local_address
from paper.lines import (
    WINDOW_WIDTH,
    AddressBlock,
    SetText,
    Value,
    address_block,
    fitting_size,
    lines_of,
    set_text,
)
from paper.pages import is_printable, printable, visible

NO_NAME = "用电客户"
SAME, NONE_YET = "无变化", "暂无"
ASKED = tuple(  # what stands on record, and beside it whether it has changed
    (name, f"{name}_same")
    for name in ("person", "mobile", "landline", "outage", "postal_address", "postcode", "email")
)
ORGAN_WIDTH = 65.0  # mm
ORGAN_LINES = ((15.0, 1), (14.0, 1), (13.0, 1), (12.0, 1), (11.0, 1), (9.0, 2), (7.0, 2), (5.5, 3))
SIGNED_WIDTH = 150.0

# The same name, number and address stand on a letter several times.
_mask_name, _mask_phone, _mask_address = (
    lru_cache(maxsize=64)(mask) for mask in (masks.mask_name, masks.mask_phone, masks.mask_address)
)


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


SAMPLE = LetterFacts(
    serial="HD-2026-11-000001",
    token="0" * 10,
    address="某某区某某街道某某路1号某某花园1座101室",
    addressee="张三",
    account_no="0301234567",
    name="张三",
    unit="某某供电所",
    supply_address="某某区某某街道某某路1号",
    sent_on=dt.date(2026, 11, 21),
    reply_by=dt.date(2026, 12, 20),
    postcode="528000",
    reply_url="HTTPS://EXAMPLE.CN/R/0123456789",
)


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
    """What stands on one letter: its values, masked and cleaned, and its codes by their place.

    `texts` are the values as they are set in their boxes; before the boxes are known, it is empty.
    """

    facts: LetterFacts
    organ: SetText
    signed_size: float
    values: dict[str, Value]
    codes: dict[str, str]
    texts: Mapping[str, SetText] = field(default_factory=dict)

    def text(self, name: str) -> SetText:
        """A value as it is set; not set yet, at the size that the template gives its box."""
        value = self.values.get(name, "")
        return self.texts.get(name) or SetText(lines_of(value), 0)

    def picture(self, place: str) -> Markup:
        """A code as a drawing, on a letter whose texts are set."""
        text = self.codes.get(place) if self.texts else None
        return Markup(svg(link_rows(text) if place == "reply" else code_rows(text)) if text else "")  # noqa: S704 numbers only


def fits_address(
    address: str, addressee: str, postcode: str = "", *, letterhead: Letterhead | None = None
) -> bool:
    """Whether the window can hold this address and name; if not, the recipient is left out: address_too_long."""
    return window_block(address, addressee, postcode, letterhead=letterhead) is not None


def window_block(
    address: str,
    addressee: str,
    postcode: str = "",
    *,
    letterhead: Letterhead | None = None,
    width: float = WINDOW_WIDTH,
) -> AddressBlock | None:
    """The lines in the window, `width` mm wide; with a letterhead, its own province and city are left out."""
    local = local_address(address, letterhead) if letterhead else address
    folder = letterhead.font_folder if letterhead else ""
    texts = (local, addressee if addressee.strip() else NO_NAME, postcode)
    shown = [printable(text, folder=folder) for text in texts]
    return address_block(shown[0], shown[1], shown[2], folder=folder, width=width)


def letter_sheet(facts: LetterFacts, letterhead: Letterhead) -> LetterSheet | None:
    """Everything of one letter, ready to be set; None where its address does not fit the window."""
    block = window_block(facts.address, facts.addressee, facts.postcode, letterhead=letterhead)
    if block is None:
        return None
    return LetterSheet(
        facts=facts,
        organ=_organ(letterhead.organ),
        signed_size=_signed_size(letterhead.organ),
        values=_values(facts, block, letterhead.font_folder),
        codes=_codes(facts),
    )


@lru_cache(maxsize=16)
def _organ(organ: str) -> SetText:
    return set_text(organ, ORGAN_WIDTH, sizes=ORGAN_LINES, face="heiti")


@lru_cache(maxsize=16)
def _signed_size(organ: str) -> float:
    return fitting_size(organ, SIGNED_WIDTH, largest=12, smallest=5, face="fangsong")


def _values(facts: LetterFacts, block: AddressBlock, folder: str) -> dict[str, Value]:
    """Every value by the name of its box, as it may be shown."""
    again = f"　第{facts.copy}次打印" if facts.copy > 1 else ""
    outage = _mask_name(facts.recorded.outage_person), _mask_phone(facts.recorded.outage_mobile)
    shown: dict[str, str | tuple[str, ...]] = {
        "serial": (facts.serial + again,),
        "serial_line": (f"函件编号　{facts.serial}{'　' if again else ''}{again}",),
        "reply_link": facts.reply_url.lower().removeprefix("https://"),
        "account_no": masks.mask_account(facts.account_no),
        "name": _mask_name(facts.name),
        "unit": facts.unit,
        "supply_address": _mask_address(facts.supply_address),
        "outage": tuple(line for line in outage if line),
        **_recorded(facts.recorded),
    }
    values: dict[str, Value] = dict(shown)
    if not is_printable("".join(map("".join, shown.values())), folder=folder):
        values = {name: _clean(value, folder) for name, value in shown.items()}
    for name, same in ASKED:
        values[same] = SAME if values[name] else NONE_YET
    values["window"] = SetText(block.lines, block.size)
    return values


def _clean(value: str | tuple[str, ...], folder: str) -> Value:
    if isinstance(value, str):
        return printable(value, folder=folder)
    return tuple(printable(line, folder=folder) for line in value)


def _recorded(recorded: Recorded) -> dict[str, str]:
    return {
        "person": _mask_name(recorded.person),
        "mobile": _mask_phone(recorded.mobile),
        "landline": _mask_phone(recorded.landline),
        "postal_address": _mask_address(recorded.postal_address),
        "postcode": recorded.postcode.strip()[:10],
        "email": masks.mask_email(recorded.email),
        "wechat": masks.mask_wechat(recorded.wechat),
    }


def _codes(facts: LetterFacts) -> dict[str, str]:
    """The text of every code of a letter by its place; the customer's own only where there is an address to call."""
    places = [("W", 1), *((place, 2) for place in "1234")]
    codes = {place: code_text("L", facts.token, page=page, place=place) for place, page in places}
    return codes | ({"reply": facts.reply_url} if facts.reply_url else {})


def unprintable(facts: LetterFacts, *, folder: str = "") -> list[Problem]:
    """The characters of a letter's own texts that no font here has: they would print as 〓."""
    texts = {"addressee": facts.addressee, "address": facts.address, "name": facts.name, "unit": facts.unit}
    if is_printable("".join(texts.values()), folder=folder):
        return []
    found = {name: missing_glyphs(visible(text), folder=folder) for name, text in texts.items()}
    return [
        Problem(facts.serial, name, "missing_glyph", missing) for name, missing in found.items() if missing
    ]
