"""Printing letters: stamped into one file, front and back in turn, and proofed."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from paper.letterheads import Letterhead
from paper.letters import SAMPLE, LetterFacts, LetterSheet, Printed, Problem, letter_sheet, unprintable
from paper.merging import About
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.proofs import Expected, proof
from paper.stamped_runs import Copy, StampedRun

PROOFED = 20
TITLE = "客户联系信息核对函"
TEMPLATE = "survey_letter.html"
SHOWN = {
    "window": "收件人和地址",
    "serial": "函件编号",
    "serial_line": "函件编号",
    "reply_link": "核对网址",
    "account_no": "户号",
    "name": "户名",
    "unit": "供电单位",
    "supply_address": "用电地址",
}


def survey_letter(facts: LetterFacts, letterhead: Letterhead) -> bytes:
    """One letter with its change form, as a file of two pages."""
    with tempfile.TemporaryDirectory(prefix="lamplighter-paper-") as folder:
        target = Path(folder) / "letter.pdf"
        printed = render_letters([facts], letterhead, target)
        if not printed.letters:
            raise PaperError(f"函件{facts.serial}：地址或收件人过长，信封窗口内排不下。请缩短地址后再试。")
        return target.read_bytes()


def render_letters(letters: Iterable[LetterFacts], letterhead: Letterhead, out_path: Path | str) -> Printed:
    """Print many letters into one file, front and back in turn; without any letter that fits, no file is made."""
    started, target = time.monotonic(), Path(out_path)
    with tempfile.TemporaryDirectory(prefix=".letters-", dir=target.parent) as folder:
        run = _Run(letterhead, Path(folder))
        for facts in letters:
            run.add(facts)
        pages = run.write(target) if run.sample.offered else 0
    size = target.stat().st_size if pages else 0
    return Printed(pages // 2, pages, size, time.monotonic() - started, tuple(run.problems))


def letters_html(sheets: Iterable[LetterSheet], letterhead: Letterhead, *, ids: bool = False) -> str:
    """Letters as one HTML text; with `ids`, the boxes that are read back carry their names."""
    return compose(TEMPLATE, letterhead, title=TITLE, letters=list(sheets), ids=ids)


def blank(facts: LetterFacts, letterhead: Letterhead) -> str:
    """The template as these facts choose it: what a letter shares with others, filled with a sample's values."""
    sample = replace(
        SAMPLE,
        form_version=facts.form_version,
        sent_on=facts.sent_on,
        reply_by=facts.reply_by,
        reminder=facts.reminder,
        reply_url=SAMPLE.reply_url if facts.reply_url else "",
    )
    sheet = letter_sheet(sample, letterhead)
    return letters_html([sheet] if sheet else [], letterhead, ids=True)


class _Run:
    """Takes letters one by one, then writes and proofs their file."""

    def __init__(self, letterhead: Letterhead, folder: Path) -> None:
        self.letterhead, self.folder = letterhead, folder
        self.problems: list[Problem] = []
        self.variants: dict[tuple[object, ...], int] = {}
        self.run = StampedRun(folder, "函件底版", fonts=letterhead.font_folder)
        self.sample = _Sample()

    def add(self, facts: LetterFacts) -> None:
        """Take one letter, or note why it cannot be printed."""
        self.problems += unprintable(facts, folder=self.letterhead.font_folder)
        sheet = letter_sheet(facts, self.letterhead)
        if sheet is None:
            self.problems.append(Problem(facts.serial, "address", "address_too_long", facts.address))
            return
        key = (facts.form_version, facts.sent_on, facts.reply_by, facts.reminder, bool(facts.reply_url))
        if key not in self.variants:
            self.variants[key] = self.run.variant(blank(facts, self.letterhead))
        copy = self.run.add(self.variants[key], sheet.values, sheet.codes)
        self.problems += [
            Problem(facts.serial, name, "cut_short", "".join(copy.texts[name].lines)) for name in copy.cut
        ]
        self.sample.offer(sheet, copy)

    def write(self, target: Path) -> int:
        """Stamp the file, proof it, and only then put it in its place."""
        draft = self.folder / "stamped.pdf"
        pages = self.run.write(draft, About(TITLE, self.sample.day(), duplex=True))
        proof(draft, pages=2 * self.sample.offered, expected=self.sample.expected())
        draft.replace(target)
        return pages


@dataclass
class _Sample:
    """The first, the last and 20 letters in between, chosen while the letters stream past."""

    offered: int = 0
    kept: dict[int, tuple[LetterSheet, Copy]] = field(default_factory=dict)
    last: tuple[LetterSheet, Copy] | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 chooses proofs, no secret

    def offer(self, sheet: LetterSheet, copy: Copy) -> None:
        at, self.offered, self.last = self.offered, self.offered + 1, (sheet, copy)
        if at <= PROOFED:
            self.kept[at] = self.last
        elif (place := self.dice.randrange(1, at + 1)) <= PROOFED:
            self.kept.pop(sorted(self.kept)[place])
            self.kept[at] = self.last

    def day(self) -> dt.date:
        return self.kept[0][0].facts.sent_on

    def expected(self) -> Iterator[Expected]:
        """What the chosen letters must show, front and back."""
        chosen = {**self.kept, self.offered - 1: self.last} if self.last else {}
        for at, (sheet, copy) in sorted(chosen.items()):
            what = f"函件{sheet.facts.serial}"
            for side in (0, 1):
                texts = [*FIXED[side], *_texts(copy, side)]
                yield Expected(what, 2 * at + side, texts, copy.template.stamps(sheet.codes, side))


FIXED = ([("标题", TITLE)], [("标题", "客户联系信息变更登记表")])


def _texts(copy: Copy, side: int) -> Iterator[tuple[str, str]]:
    """Every line that a side of a letter must show, by the name that a user knows."""
    for box in copy.template.boxes[side]:
        text = copy.texts.get(box.name)
        for line in text.lines if text else ():
            yield SHOWN.get(box.name, "现登记信息"), printable(line)
