"""Printing letters: stamped into one file, front and back in turn, and proofed."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from paper.boxes import Box, compiled, fit
from paper.letterheads import Letterhead
from paper.letters import SAMPLE, LetterFacts, LetterSheet, Printed, Problem, letter_sheet, unprintable
from paper.merging import About
from paper.page_files import COPIES
from paper.pages import compose, printable
from paper.pdf import PaperError
from paper.processes import chunked, cores, in_order
from paper.proofs import Expected, proof_run
from paper.stamped_runs import Composer, Kind, Stamped, StampedRun

PROOFED = 20
BUFFER = 1 << 20
WHAT = "函件底版"
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


def render_letters(
    letters: Iterable[LetterFacts],
    letterhead: Letterhead,
    out_path: Path | str,
    *,
    processes: int | None = None,
) -> Printed:
    """Print many letters into one file, front and back in turn; without any letter that fits, no file is made.

    A large run is shared by as many processes as there are cores, or as are asked for; the bytes are the same.
    """
    started, target, problems = time.monotonic(), Path(out_path), []
    kind, sample = Kind(WHAT, letterhead.font_folder), _Sample()
    maker, chunks = _Letters(letterhead, kind), chunked(letters, COPIES)
    with tempfile.TemporaryDirectory(prefix=".letters-", dir=target.parent) as folder:
        draft, pages = Path(folder) / "stamped.pdf", 0
        with draft.open("wb", buffering=BUFFER) as file:
            run = StampedRun(file, kind)
            for chunk, made in in_order(maker.made, chunks, processes=processes or cores()):
                run.add(made.stamped)
                problems += made.problems
                for at in made.printed:
                    sample.offer(chunk[at])
            if sample.offered:
                pages = run.finish(About(TITLE, sample.day(), duplex=True))
        if pages:
            proof_run(draft, pages=2 * sample.offered, expected=sample.expected(letterhead))
            draft.replace(target)
    size = target.stat().st_size if pages else 0
    return Printed(pages // 2, pages, size, time.monotonic() - started, tuple(problems))


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


@dataclass(frozen=True)
class _Made:
    """A block of letters as some process made it: which of them are in it, and what was wrong."""

    stamped: Stamped
    printed: list[int]
    problems: list[Problem]


class _Letters:
    """Makes blocks of letters, in one process."""

    def __init__(self, letterhead: Letterhead, kind: Kind) -> None:
        self.letterhead, self.composer = letterhead, Composer(kind)
        self.templates: dict[tuple[object, ...], str] = {}

    def made(self, number: int, letters: Sequence[LetterFacts]) -> _Made:
        """One block."""
        problems: list[Problem] = []
        printed = [at for at, facts in enumerate(letters) if self._add(facts, problems)]
        return _Made(self.composer.take(number), printed, problems)

    def _add(self, facts: LetterFacts, problems: list[Problem]) -> bool:
        """Stamp one letter, or note why it cannot be printed."""
        problems += unprintable(facts, folder=self.letterhead.font_folder)
        sheet = letter_sheet(facts, self.letterhead)
        if sheet is None:
            problems.append(Problem(facts.serial, "address", "address_too_long", facts.address))
            return False
        cut = self.composer.add(self._template(facts), sheet.values, sheet.codes)
        problems += [
            Problem(facts.serial, name, "cut_short", "".join(text.lines)) for name, text in cut.items()
        ]
        return True

    def _template(self, facts: LetterFacts) -> str:
        key = (facts.form_version, facts.sent_on, facts.reply_by, facts.reminder, bool(facts.reply_url))
        if key not in self.templates:
            self.templates[key] = blank(facts, self.letterhead)
        return self.templates[key]


@dataclass
class _Sample:
    """The first, the last and 20 letters in between, chosen while the letters stream past."""

    offered: int = 0
    kept: dict[int, LetterFacts] = field(default_factory=dict)
    last: LetterFacts | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 chooses proofs, no secret

    def offer(self, facts: LetterFacts) -> None:
        at, self.offered, self.last = self.offered, self.offered + 1, facts
        if at <= PROOFED:
            self.kept[at] = facts
        elif (place := self.dice.randrange(1, at + 1)) <= PROOFED:
            self.kept.pop(sorted(self.kept)[place])
            self.kept[at] = facts

    def day(self) -> dt.date:
        return self.kept[0].sent_on

    def expected(self, letterhead: Letterhead) -> Iterator[Expected]:
        """What the chosen letters must show, front and back."""
        chosen = {**self.kept, self.offered - 1: self.last} if self.last else {}
        for at, facts in sorted(chosen.items()):
            if (sheet := letter_sheet(facts, letterhead)) is None:
                continue
            template = compiled(blank(facts, letterhead), WHAT, letterhead.font_folder)
            for side, boxes in enumerate(template.boxes):
                texts = [*FIXED[side], *_texts(sheet, boxes, letterhead.font_folder)]
                yield Expected(
                    f"函件{facts.serial}", 2 * at + side, texts, template.stamps(sheet.codes, side)
                )


FIXED = ([("标题", TITLE)], [("标题", "客户联系信息变更登记表")])


def _texts(sheet: LetterSheet, boxes: Iterable[Box], folder: str) -> Iterator[tuple[str, str]]:
    """Every line that a side of a letter must show, by the name that a user knows."""
    for box in boxes:
        for line in fit(box, sheet.values.get(box.name, ""), folder=folder).lines if not box.is_code else ():
            yield SHOWN.get(box.name, "现登记信息"), printable(line)
