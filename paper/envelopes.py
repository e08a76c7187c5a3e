"""Envelopes: the outer window envelope ZL (230 x 120 mm) and the return envelope DL (220 x 110 mm).

What must stay clear on both: 90 x 26 mm at the top left, and at the bottom 20 mm from 55 to 160 mm from the right edge
(GB/T 1416); the window of ZL lies at 25, 30 and is 100 x 50 mm (GB/T 22585).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from paper.letterheads import Letterhead
from paper.lines import SetText, set_text
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import Job, PaperError, lay_out
from paper.proofs import Expected
from paper.single import finished

MARK = "postage"
ORGAN_WIDTH, PLACE_WIDTH, RETURN_WIDTH = 140.0, 140.0, 84.0  # mm
LARGE = ((22.0, 1), (18.0, 1), (16.0, 2), (13.0, 2), (10.0, 3))
PLACE = ((16.0, 1), (14.0, 2), (12.0, 2), (10.0, 3))
SMALL = ((9.0, 1), (8.0, 2), (7.0, 2), (6.0, 3))


@dataclass(frozen=True)
class Postage:
    """The postage mark: a text, the number of the permit, a picture (PNG or JPEG). Without any: a place for a stamp."""

    text: str = ""
    permit: str = ""
    image: bytes = b""

    @property
    def is_empty(self) -> bool:
        """Whether a stamp goes there."""
        return not (self.text.strip() or self.permit.strip() or self.image)


@dataclass(frozen=True)
class Envelope:
    """What stands on an envelope beside the letterhead; no personal data."""

    campaign: str
    day: dt.date
    postage: Postage = Postage()


def outer_envelope(facts: Envelope, letterhead: Letterhead) -> bytes:
    """The outer envelope ZL: return address and postcode at the bottom right, postage mark at the top right."""
    organ = f"{letterhead.organ}{letterhead.department}"
    shown = {
        "organ": _set(organ, RETURN_WIDTH, SMALL),
        "place": _set(letterhead.return_address, RETURN_WIDTH, SMALL),
    }
    return _envelope("outer_envelope.html", f"外封 {facts.campaign}", facts, letterhead, shown)


def return_envelope(facts: Envelope, letterhead: Letterhead) -> bytes:
    """The return envelope DL: where the form goes, large; the campaign for sorting; nothing of the customer."""
    shown = {
        "organ": _set(f"{letterhead.organ}{letterhead.department}", ORGAN_WIDTH, LARGE),
        "place": _set(letterhead.return_address, PLACE_WIDTH, PLACE),
    }
    return _envelope("return_envelope.html", f"回邮信封 {facts.campaign}", facts, letterhead, shown)


def _envelope(
    template: str, title: str, facts: Envelope, letterhead: Letterhead, shown: dict[str, SetText]
) -> bytes:
    if not (letterhead.return_address and letterhead.return_postcode):
        raise PaperError("单位抬头里还没有回邮地址和邮政编码，信封不能印。请先在“设置”的单位抬头中填写。")
    html = compose(template, letterhead, title=title, facts=facts, **shown)
    assets = {MARK: facts.postage.image} if facts.postage.image else {}
    laid_out = lay_out(Job(html, title, folder=letterhead.font_folder, assets=assets))
    texts = [("回邮邮政编码", printable(letterhead.return_postcode))]
    texts += [("邮资标志", printable(facts.postage.text))] if facts.postage.text else []
    return finished(laid_out, About(title, facts.day), expected=[Expected(title, 0, texts)], pages=1)


def _set(text: str, width: float, sizes: tuple[tuple[float, int], ...]) -> SetText:
    return set_text(printable(text), width, sizes=sizes, face="heiti")
