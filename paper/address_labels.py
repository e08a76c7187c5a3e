"""Address labels (地址标签) for plain envelopes: 70 x 37 mm, three by eight on a sheet of A4."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from markupsafe import Markup

from paper.codes import code_rows, code_text, svg
from paper.letterheads import Letterhead
from paper.letters import window_block
from paper.lines import AddressBlock, SetText
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected
from paper.stamped_runs import Copy, Kind, stamped_file

COLUMNS, ROWS = 3, 8
WIDTH, HEIGHT, TOP = 70.0, 37.0, 0.5  # mm
TEXT_WIDTH = 46.0  # mm
SERIAL_SIZE = 4.0  # pt


@dataclass(frozen=True)
class Label:
    """Where one letter goes: the same lines and the same code as in the window."""

    serial: str
    token: str
    address: str
    addressee: str
    postcode: str = ""


@dataclass(frozen=True)
class Labels:
    """The labels of one print run in the order of its letters; `skip` places of the first sheet are used already."""

    number: str
    day: dt.date
    labels: tuple[Label, ...]
    skip: int = 0


@dataclass(frozen=True)
class Sheet:
    """What stands on one sheet, by place: the lines of each label, its serial, its code."""

    texts: dict[str, SetText]
    codes: dict[str, str]

    def text(self, name: str) -> SetText:
        return self.texts.get(name) or SetText((), 0)

    def picture(self, place: str) -> Markup:
        return Markup(svg(code_rows(self.codes[place])) if place in self.codes else "")  # noqa: S704 numbers only


def address_labels(facts: Labels, letterhead: Letterhead) -> bytes:
    """As many sheets as the labels need; refused, with their numbers, where an address fits no label."""
    title, sheets = f"地址标签 {facts.number}", label_sheets(facts, letterhead)
    expected = [
        Expected(
            title,
            at,
            [("收件人", printable(text.lines[-1])) for name, text in sheet.texts.items() if "label" in name],
        )
        for at, sheet in enumerate(sheets)
    ]
    html = sheet_html(Sheet({}, {}), letterhead)
    copies = (Copy(html, sheet.texts, sheet.codes) for sheet in sheets)
    kind = Kind("地址标签", letterhead.font_folder, pages=1)
    return stamped_file(copies, kind, About(title, facts.day), expected=expected)


def sheet_html(sheet: Sheet, letterhead: Letterhead) -> str:
    """One sheet as HTML; an empty one is the template."""
    places = [(column * WIDTH, TOP + row * HEIGHT) for row in range(ROWS) for column in range(COLUMNS)]
    return compose(
        "address_labels.html", letterhead, title="地址标签", letter=sheet, places=places, ids=False
    )


def label_sheets(facts: Labels, letterhead: Letterhead) -> list[Sheet]:
    """The labels in their places, sheet by sheet."""
    found = [(label, _block(label, letterhead)) for label in facts.labels]
    if unfit := [label.serial for label, block in found if block is None]:
        raise PaperError(
            f"函件{'、'.join(unfit[:5])}的地址太长，标签上放不下。请先把地址改短，或改用窗口信封。"
        )
    sheets: list[Sheet] = []
    fitting = ((label, block) for label, block in found if block is not None)
    for at, (label, block) in enumerate(fitting, start=facts.skip):
        page, place = divmod(at, COLUMNS * ROWS)
        while len(sheets) <= page:
            sheets.append(Sheet({}, {}))
        sheets[page].texts[f"label_{place}"] = SetText(block.lines, block.size)
        sheets[page].texts[f"serial_{place}"] = SetText((label.serial,), SERIAL_SIZE)
        sheets[page].codes[str(place)] = code_text("L", label.token, page=1, place="W")
    return sheets


def _block(label: Label, letterhead: Letterhead) -> AddressBlock | None:
    return window_block(
        label.address, label.addressee, label.postcode, letterhead=letterhead, width=TEXT_WIDTH
    )
