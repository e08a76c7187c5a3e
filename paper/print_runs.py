"""Printing letters: in batches of 50 on both cores, joined into one file, and proofed."""

from __future__ import annotations

import datetime as dt
import random
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from paper.codes import Stamp, code_rows, code_text, link_rows
from paper.letterheads import Letterhead
from paper.letters import LetterFacts, LetterSheet, Printed, Problem, letter_sheet, unprintable
from paper.merging import About, Part, join
from paper.pages import compose, printable
from paper.pdf import Box, Job, LaidOut, PaperError, lay_out, lay_out_all
from paper.proofs import Expected, proof

BATCH = 50
PROOFED = 20
TITLE = "客户联系信息核对函"


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
        for laid_out in lay_out_all(run.jobs(letters)):
            run.add(laid_out)
        pages = run.write(target) if run.parts else 0
    size = target.stat().st_size if pages else 0
    return Printed(pages // 2, pages, size, time.monotonic() - started, tuple(run.problems))


@dataclass
class _Run:
    """What a print run gathers while its batches come back from the children."""

    letterhead: Letterhead
    folder: Path
    problems: list[Problem] = field(default_factory=list)
    layers: dict[str, LaidOut] = field(default_factory=dict)
    parts: list[Part] = field(default_factory=list)
    waiting: deque[list[LetterSheet]] = field(default_factory=deque)
    sample: _Sample = field(default_factory=lambda: _Sample())

    def jobs(self, letters: Iterable[LetterFacts]) -> Iterator[Job]:
        """One job a batch: what belongs to the single letters, without what they share."""
        source = iter(letters)
        while batch := list(islice(source, BATCH)):
            sheets = [sheet for facts in batch if (sheet := self._sheet(facts))]
            if sheets:
                self.waiting.append(sheets)
                html = self._html(sheets, layers=("own",))
                yield Job(html, _named(sheets), folder=self.letterhead.font_folder)

    def add(self, laid_out: LaidOut) -> None:
        """Take one batch that came back."""
        sheets = self.waiting.popleft()
        if laid_out.pages != 2 * len(sheets):
            raise PaperError(
                f"{_named(sheets)}：应有{2 * len(sheets)}页，实际排出{laid_out.pages}页。请检查模板。"
            )
        path = self.folder / f"{len(self.parts)}.pdf"
        path.write_bytes(laid_out.pdf)
        keys = [self._layer(sheet) for sheet in sheets]
        stamps = [page for sheet, key in zip(sheets, keys, strict=True) for page in self._stamps(sheet, key)]
        for at, sheet in enumerate(sheets):
            self.sample.offer(sheet, stamps[2 * at : 2 * at + 2])
        self.parts.append(Part(path, [(key, page) for key in keys for page in (0, 1)], stamps))

    def write(self, target: Path) -> int:
        """Join the batches, proof the file, and only then put it in its place."""
        draft = self.folder / "joined.pdf"
        about = About(TITLE, self.sample.day(), duplex=True, folder=self.letterhead.font_folder)
        pages = join(self.parts, draft, about, layers={key: layer.pdf for key, layer in self.layers.items()})
        proof(draft, pages=2 * self.sample.offered, expected=self.sample.expected())
        draft.replace(target)
        return pages

    def _sheet(self, facts: LetterFacts) -> LetterSheet | None:
        self.problems += unprintable(facts, folder=self.letterhead.font_folder)
        sheet = letter_sheet(facts, self.letterhead)
        if sheet is None:
            self.problems.append(Problem(facts.serial, "address", "address_too_long", facts.address))
        return sheet

    def _layer(self, sheet: LetterSheet) -> str:
        """The key of what this letter shares with others; it is laid out when it is met first."""
        facts = sheet.facts
        shared = (facts.form_version, facts.sent_on, facts.reply_by, facts.reminder, bool(facts.reply_url))
        key = "|".join(map(str, shared))
        if key not in self.layers:
            html = self._html([sheet], layers=("fixed",))
            self.layers[key] = lay_out(Job(html, "函件底版", folder=self.letterhead.font_folder))
        return key

    def _html(self, sheets: list[LetterSheet], *, layers: tuple[str, ...]) -> str:
        template = "survey_letter.html"
        return compose(
            template, self.letterhead, title=TITLE, letters=sheets, layers=layers, ids="fixed" in layers
        )

    def _stamps(self, sheet: LetterSheet, key: str) -> list[list[Stamp]]:
        return [
            [_stamp(sheet, place, page=number, box=box) for place, box in _places(anchors)]
            for number, anchors in enumerate(self.layers[key].anchors, start=1)
        ]


def _places(anchors: dict[str, Box]) -> list[tuple[str, Box]]:
    return [(name.split("|")[1], box) for name, box in anchors.items() if name.startswith("code|")]


def _stamp(sheet: LetterSheet, place: str, *, page: int, box: Box) -> Stamp:
    if place == "reply":
        text, rows = sheet.facts.reply_url, link_rows(sheet.facts.reply_url)
    else:
        text = code_text("L", sheet.facts.token, page=page, place=place)
        rows = code_rows(text)
    return Stamp(text, rows, box[0], box[1], box[2] - box[0])


def _named(sheets: list[LetterSheet]) -> str:
    return f"函件{sheets[0].facts.serial}至{sheets[-1].facts.serial}"


@dataclass
class _Sample:
    """The first, the last and 20 letters in between, chosen while the letters stream past."""

    offered: int = 0
    kept: dict[int, tuple[LetterSheet, list[list[Stamp]]]] = field(default_factory=dict)
    last: tuple[LetterSheet, list[list[Stamp]]] | None = None
    dice: random.Random = field(default_factory=lambda: random.Random(0))  # noqa: S311 chooses proofs, no secret

    def offer(self, sheet: LetterSheet, stamps: list[list[Stamp]]) -> None:
        at, self.offered, self.last = self.offered, self.offered + 1, (sheet, stamps)
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
        for at, (sheet, stamps) in sorted(chosen.items()):
            what = f"函件{sheet.facts.serial}"
            yield Expected(what, 2 * at, _front_texts(sheet), stamps[0])
            yield Expected(what, 2 * at + 1, _back_texts(sheet), stamps[1])


def _front_texts(sheet: LetterSheet) -> list[tuple[str, str]]:
    window = [("收件人和地址", line) for line in sheet.window]
    return [("标题", TITLE), ("函件编号", printable(sheet.facts.serial)), *window]


def _back_texts(sheet: LetterSheet) -> list[tuple[str, str]]:
    lines = [("现登记信息", line) for value in sheet.recorded.values() for line in value.lines]
    shown = {
        "户号": sheet.account_no,
        "户名": sheet.name,
    }
    lines += [("供电单位", line) for line in sheet.unit.lines]
    lines += [("用电地址", line) for line in sheet.supply_address.lines]
    return [*((name, printable(text)) for name, text in shown.items()), *lines]
