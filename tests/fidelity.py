"""Comparing a stamped file with the same letters laid out one by one: pixels, not extracted text."""

import io
import random
from contextlib import ExitStack
from dataclasses import replace

import numpy as np
import pypdfium2
from paper_samples import HEAD, HOSTILE_NAMES, LONG_ADDRESS, RECORDED, letter

from paper.boxes import compiled, fit
from paper.letters import LetterSheet, Recorded, letter_sheet
from paper.pdf import Job, lay_out_all
from paper.print_runs import blank, letters_html

DPI = 150
TOGETHER = 10  # letters of one layout, which may not take for ever
DARK = 110  # of 255: more is no difference of smoothing any more
HAN = [chr(code) for code in range(0x4E00, 0x9FA6)]
WORDS = (
    "",
    " ",
    "A",
    "Wi-Fi 楼",
    "…——“引号”",
    "①②",
    "𠮷野家",
    "شركة",
    "שלום 张",
    "a\u0301e\u0308",
    "ไฟฟ้า",
    "🙂",
    "\x07\x1b",
    "ﬁ fi",
    "１２３",
)


def random_letter(number: int):
    """A letter of random texts, some of them hostile."""
    dice = random.Random(number)

    def text(most: int) -> str:
        kind = dice.random()
        if kind < 0.15:
            return dice.choice(HOSTILE_NAMES + WORDS)
        base = "".join(dice.choices(HAN, k=dice.randint(1, most)))
        return base + dice.choice(WORDS) if kind < 0.4 else base

    recorded = Recorded(
        text(8),
        f"1{dice.randrange(10**9, 10**10)}",
        f"0757-{dice.randrange(10**7, 10**8)}",
        text(5),
        dice.choice(["", "13900002222"]),
        f"{text(40)}路{dice.randint(1, 99)}号",
        f"{dice.randrange(10**6):06d}",
        f"{text(3)}.{number}@example.com",
        text(4),
    )
    address = dice.choice(
        [LONG_ADDRESS, "", f"{text(12)}路{dice.randint(1, 999)}号{text(10)}", f"{text(30)}"]
    )
    changes = {"addressee": text(9), "name": text(9), "unit": text(16), "supply_address": f"{text(60)}路1号"}
    recorded = dice.choice([recorded, recorded, recorded, Recorded(), RECORDED])
    return letter(number, address=address, recorded=recorded, copy=dice.choice([1, 1, 2]), **changes)


def filled(letters, head=HEAD) -> list[LetterSheet]:
    """Letters with every text set in its box, for those who lay them out."""
    template = compiled(blank(letters[0], head), "函件底版", head.font_folder)
    return [
        replace(sheet, texts={box.name: fit(box, sheet.values.get(box.name, "")) for box in template.texts})
        for facts in letters
        if (sheet := letter_sheet(facts, head))
    ]


def laid_out_singly(letters, head=HEAD) -> list[bytes]:
    """The letters as the layout engine alone prints them: every text filled into the template, every code drawn."""
    sheets = filled(letters, head)
    parts = (
        letters_html(sheets[start : start + TOGETHER], head) for start in range(0, len(sheets), TOGETHER)
    )
    return [one.pdf for one in lay_out_all(Job(html, "对照", folder=head.font_folder) for html in parts)]


def different(stamped, singly: list[bytes]) -> list[str]:
    """The pages that do not look the same, with how many pixels differ and where the first of them lies."""
    found = []
    with pypdfium2.PdfDocument(stamped) as one, ExitStack() as stack:
        others = [stack.enter_context(pypdfium2.PdfDocument(io.BytesIO(part))) for part in singly]
        pages = [page for other in others for page in other]
        if len(one) != len(pages):
            return [f"{len(one)} pages, not {len(pages)}"]
        for number, page in enumerate(pages, start=1):
            spots = _unlike(_pixels(one[number - 1]), _pixels(page))
            if len(spots):
                y, x = spots[0] / DPI * 25.4
                found.append(f"page {number}: {len(spots)} pixels, first at x {x:.1f}, y {y:.1f} mm")
    return found


def _pixels(page) -> np.ndarray:
    return page.render(scale=DPI / 72, grayscale=True).to_numpy().squeeze().astype(np.int16)


def _unlike(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Pixels that are darker or lighter than all the other picture shows within one pixel round them."""
    low, high = _neighbours(other)
    return np.argwhere((one < low - DARK) | (one > high + DARK))


def _neighbours(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edged = np.pad(picture, 1, mode="edge")
    height, width = picture.shape
    shifts = [edged[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.minimum.reduce(shifts), np.maximum.reduce(shifts)
