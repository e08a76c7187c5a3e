"""Intake: a part of a scan batch read outside any transaction, then written: identified, decided, handed on."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from models import Campaign, FormVersion, Keying, Letter, Notice, ScanBatch, Sheet
from models.clock import utcnow
from models.scope import ALL, working_as
from paper.codes import Code
from paper.scan_children import Looked, ReadSide, ScanReader
from services import files, key_jobs, receipts, scan_batches, sheet_states
from services.scan_batches import Part
from services.sheet_states import LIVE, Known

FORMS = {"L": Letter, receipts.KIND: Notice}  # what has a form map, by the kind its codes say
LINK = re.compile(r"/R/([0-9A-Z]{16})$")  # the end of a self-service code

Reading = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Row:
    """A side that was read: where it lies in its batch, and its picture, put into the files already."""

    file: int
    read: ReadSide
    image_sha256: str = ""


@dataclass(frozen=True)
class Answered:
    """What scanned sides answer, by token: letters (by the token of their link too), and notices."""

    letters: Mapping[str, Letter]
    notices: Mapping[str, Notice]


def read_part(path: Path, part: Part, reading: Reading) -> Iterator[list[Row]]:
    """Read sides of one file, some at a time; `reading` opens a session that only reads, for a moment each time."""
    with tempfile.TemporaryDirectory() as folder, ScanReader(Path(folder)) as reader:
        yield from read_with(reader, path, part, reading)


def read_with(reader: ScanReader, path: Path, part: Part, reading: Reading) -> Iterator[list[Row]]:
    """The same with a reader that is at work already."""

    def pages_of(looked: Sequence[Looked]) -> Mapping[int, Mapping[str, Any]]:
        with reading() as session:
            return form_pages(session, looked)

    for some in reader.read(path, part.first, part.last, pages_of=pages_of):
        yield [_kept(part.file, one) for one in some]


def _kept(file: int, read: ReadSide) -> Row:
    """The picture goes into the files: what nobody refers to later is what a killed worker left."""
    if read.picture is None:
        return Row(file, read)
    digest = files.put(read.picture)
    read.picture.unlink()
    return Row(file, read, digest)


def form_pages(session: Session, looked: Iterable[Looked]) -> dict[int, Mapping[str, Any]]:
    """Which page of which form sides are, by their numbers: those whose codes agree on paper that we know."""
    sides = {one.number: one.codes[0] for one in looked if _is_one_sheet(one)}
    with working_as(session, ALL):
        versions = {
            (kind, token): version
            for kind, table in FORMS.items()
            for token, version in session.execute(_versions(table, kind, sides.values())).tuples()
        }
    found = session.scalars(select(FormVersion).where(FormVersion.id.in_(set(versions.values()))))
    pages = {(form.id, page["number"]): page for form in found for page in form.boxes.get("pages", [])}
    wanted = {number: (versions.get((code.kind or "", code.token)), code.page) for number, code in sides.items()}
    return {number: pages[key] for number, key in wanted.items() if key in pages}


def _versions(table: Any, kind: str, codes: Iterable[Code]) -> Select[Any]:
    tokens = {code.token for code in codes if code.kind == kind}
    return select(table.token, table.form_version_id).where(table.token.in_(tokens))


def _is_one_sheet(looked: Looked) -> bool:
    return len({(code.kind, code.token, code.page) for code in looked.codes}) == 1


def keep(session: Session, batch: ScanBatch, rows: Sequence[Row]) -> dict[str, int]:
    """Write sides that were read, each with its state, and hand on what a person or the machine does with them.

    A side that is there already stays as it is. Returns how many of each state.
    """
    with working_as(session, ALL):
        rows = _not_kept(session, batch.id, rows)
        answered = _answered(session, rows)
        known = _known(session, rows, answered)
        sheets = [_sheet(session, batch, row, answered, known=known) for row in rows]
        files.describe_all(
            session, {one.image_sha256: media for one, media in zip(sheets, _media(rows), strict=True)}
        )
        session.add_all(sheets)
        session.flush()
        key_jobs.open_jobs(session, [sheet for sheet in sheets if sheet.letter_id is not None])
        receipts.sign(session, sheets)
    states = [sheet.state for sheet in sheets]
    return {state: states.count(state) for state in scan_batches.COUNTED if state in states}


def _media(rows: Sequence[Row]) -> list[str]:
    return [row.read.media for row in rows]


def _not_kept(session: Session, batch_id: int, rows: Sequence[Row]) -> list[Row]:
    query = select(Sheet.file, Sheet.side).where(Sheet.scan_batch_id == batch_id)
    numbers = [row.read.looked.number for row in rows]
    there = set(session.execute(query.where(Sheet.side.in_(numbers))).tuples().all())
    return [row for row in rows if (row.file, row.read.looked.number) not in there]


def _answered(session: Session, rows: Sequence[Row]) -> Answered:
    letters = _letters(session, _tokens(rows, "L")) | _by_link(session, rows)
    return Answered(letters, receipts.notices_of(session, _tokens(rows, receipts.KIND)))


def _tokens(rows: Sequence[Row], kind: str) -> list[str]:
    return sorted({code.token for row in rows for code in row.read.looked.codes if code.kind == kind})


def _letters(session: Session, tokens: Sequence[str]) -> dict[str, Letter]:
    """The letters of the codes by token, held until these sheets are written: two workers decide one after another."""
    query = select(Letter).where(Letter.token.in_(tokens)).order_by(Letter.id).with_for_update(of=Letter)
    found = {letter.token: letter for letter in session.scalars(query)}
    session.scalars(
        select(Campaign).where(Campaign.id.in_({one.campaign_id for one in found.values()}))
    ).all()
    return found


def _by_link(session: Session, rows: Sequence[Row]) -> dict[str, Letter]:
    """Letters by the link of their self-service code: a front shows it even where its window code cannot be read."""
    tokens = {token for row in rows if not row.read.looked.codes for token in _links(row.read.looked)}
    if not tokens:
        return {}
    return {
        one.reply_token: one for one in session.scalars(select(Letter).where(Letter.reply_token.in_(tokens)))
    }


def _links(looked: Looked) -> list[str]:
    return [found[1] for text in looked.texts if (found := LINK.search(text))]


def _known(session: Session, rows: Sequence[Row], answered: Answered) -> Known:
    recipients = {letter.recipient_id for letter in answered.letters.values()}
    digests = {row.read.looked.digest for row in rows}
    live = select(Sheet).where(Sheet.state.in_(LIVE))
    pages = live.join(Letter, Letter.id == Sheet.letter_id).where(Letter.recipient_id.in_(recipients))
    keyed = select(Letter.recipient_id).join(Keying, Keying.letter_id == Letter.id)
    standing = (Keying.undone_at.is_(None), Keying.duplicate.is_(False))
    return Known(
        set(session.scalars(live.with_only_columns(Sheet.digest).where(Sheet.digest.in_(digests)))),
        set(session.execute(pages.with_only_columns(Letter.recipient_id, Sheet.page)).tuples().all()),
        set(session.scalars(keyed.where(Letter.recipient_id.in_(recipients), *standing))),
        receipts.scanned_before(session, answered.notices.values()),
    )


def _sheet(session: Session, batch: ScanBatch, row: Row, answered: Answered, *, known: Known) -> Sheet:
    read, looked = row.read, row.read.looked
    sheet = Sheet(
        unit_id=batch.unit_id, scan_batch_id=batch.id, file=row.file, side=looked.number, read_at=utcnow()
    )
    sheet.digest, sheet.image_sha256, sheet.placed = looked.digest, row.image_sha256, list(read.placed)
    sheet.marks = {name: asdict(mark) for name, mark in read.marks.items()}
    sheet.residual = read.residual
    sheet.state, sheet.reason = sheet_states.identity(read)
    if sheet.reason == "other_code":
        _is_front(sheet, looked, answered.letters)
    if sheet.state and sheet.reason != "walk_list":
        return sheet
    code = looked.codes[0]
    sheet.kind, sheet.token, sheet.page = code.kind or "", code.token, code.page or 0
    if code.kind == receipts.KIND:
        _is_receipt(session, sheet, answered.notices.get(code.token), known=known)
    elif not sheet.state:
        _is_form(session, sheet, answered.letters.get(code.token), known=known, codes=read.codes)
    return sheet


def _is_front(sheet: Sheet, looked: Looked, letters: Mapping[str, Letter]) -> None:
    """A letter's front is one by its self-service code too."""
    front = next((letters[token] for token in _links(looked) if token in letters), None)
    if front is not None:
        sheet.kind, sheet.token, sheet.page = "L", front.token, 1
        sheet.letter_id, sheet.unit_id = front.id, front.unit_id
        sheet.state, sheet.reason = "front", ""


def _is_form(session: Session, sheet: Sheet, letter: Letter | None, *, known: Known, codes: int) -> None:
    if letter is not None:
        sheet.letter_id, sheet.unit_id = letter.id, letter.unit_id
        sheet.form_version = session.get(FormVersion, letter.form_version_id)
    sheet.state, sheet.reason = sheet_states.state_of(sheet, letter, known, codes=codes)
    if sheet.state in LIVE and letter is not None:
        known.digests.add(sheet.digest)
        known.pages.add((letter.recipient_id, sheet.page))


def _is_receipt(session: Session, sheet: Sheet, notice: Notice | None, *, known: Known) -> None:
    if notice is not None:
        sheet.notice, sheet.unit_id = notice, notice.unit_id
        if notice.form_version_id is not None:
            sheet.form_version = session.get(FormVersion, notice.form_version_id)
    sheet.state, sheet.reason = receipts.state_of(sheet, notice, known)
    if sheet.state in LIVE and notice is not None:
        known.digests.add(sheet.digest)
        known.notices.add(notice.id)
