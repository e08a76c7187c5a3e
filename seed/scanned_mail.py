"""The return desk of the demo: bags of returned forms scanned, read by the workers, and keyed from their pictures."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Customer, FormVersion, KeyJob, Letter, ScanBatch, Sheet, Staff
from models.return_words import KEY_QUEUES
from models.scope import ALL, working_as
from seed.desks import chunks, form_of
from seed.returned_forms import Feed, Side, filled_in, scan_in
from seed.stage import Stage, acting_as
from services import key_fields, key_jobs, key_leases, returns, scan_batches
from services.scan_batches import Scans
from workflows import scan_readings
from workflows.sessions import reading

PER_FILE = 24
AT_A_SITTING = 40
BOTH_SIDES = 0.8  # of the bags; the others went through a scanner that sees one side
EMPTY_SIDES = 0.01
SLIP = 0.01  # of keyed values
DESK, LEADER, STATION = ("FS", "clerk"), ("FS", "team_leader"), "clerk"


def take_in(stage: Stage, campaign_id: int, answered: Sequence[tuple[str, str]], *, bag: str) -> int:
    """Scan, read and key one bag of forms (tokens and accounts); returns how many sides were scanned."""
    if not answered:
        return 0
    feeds = list(_feeds(stage, campaign_id, answered, bag))
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        paths = list(pool.map(scan_in, feeds))
    _read(stage, paths)
    key_all(stage)
    _key_by_hand(stage, answered)
    return sum(len(feed.sides) for feed in feeds)


def key_all(stage: Stage) -> None:
    """Every queue is worked through, by turns, until nothing waits: two clerks, a third, the team leader."""
    clerks = [who.login for who in stage.bureau.staff if who.role == STATION]
    people = [*dict.fromkeys([stage.login(*DESK), *sorted(clerks)]), stage.login(*LEADER)]
    while sum(_sit_down(stage, login) for login in people):
        pass


def _sit_down(stage: Stage, login: str) -> int:
    """One person at the desk: some fields of each queue that is theirs, as long as there are any."""
    done = 0
    for queue in KEY_QUEUES:
        while True:
            with acting_as(login) as (session, staff):
                if not staff.can(key_leases.PERMISSIONS[queue]):
                    break
                keyed = _key_some(stage, session, staff, queue)
            done += keyed
            if not keyed:
                break
    return done


def _key_some(stage: Stage, session: Session, staff: Staff, queue: str) -> int:
    done = 0
    while done < AT_A_SITTING and (job := key_jobs.next_job(session, staff, queue)):
        key_jobs.key(session, job, *_said(stage, session, job), staff=staff)
        done += 1
    return done


def _said(stage: Stage, session: Session, job: KeyJob) -> tuple[str, str]:
    """What somebody sees in the picture; now and then a key is missed."""
    with working_as(session, ALL):
        sheet = session.get_one(Sheet, job.sheet_id)
        letter = session.get_one(Letter, sheet.letter_id)
        account = session.get_one(Customer, letter.customer_id).account_no
    form = form_of(stage, account)
    if job.field == key_fields.FORM:
        return (
            "value",
            "right" if job.queue == "review" else "written" if form.lines or form.all_same else "blank",
        )
    dice = Random(f"{stage.seed}|key|{account}|{job.field}|{job.turn}")
    if job.queue in ("review", "leader") and job.field in key_fields.ticks_of(sheet):
        filled = _filled(stage, account, letter, key_fields.boxes_of(sheet))
        return ("value", key_jobs.MARKED) if job.field in filled.ticks else ("blank", "")
    texts = {line.place: line.text for line in form.lines if line.reply == "new"}
    text = texts.get(job.field, "")
    slipped = text[:-1] if job.turn < 2 and len(text) > 1 and dice.random() < SLIP else text
    return ("value", slipped) if slipped else ("blank", "")


def _filled(stage: Stage, account: str, letter: Letter, boxes: Sequence[Any]) -> Any:
    dice = Random(f"{stage.seed}|pen|{account}")
    return filled_in(form_of(stage, account), boxes, dice, printed_places=letter.facts["versions"])


def _feeds(stage: Stage, campaign_id: int, answered: Sequence[tuple[str, str]], bag: str) -> Iterator[Feed]:
    """The bag as it goes through the scanners: shuffled, some with both sides, an empty sheet now and then."""
    dice = Random(f"{stage.seed}|bag|{bag}")
    pages, folder = _pages(stage), stage.out / "scans"
    folder.mkdir(exist_ok=True)
    stage.artifacts["scans"] = folder
    with reading() as session:
        boxes = _boxes(session, campaign_id)
        letters = {
            row.token: row
            for row in session.scalars(
                select(Letter).where(Letter.token.in_([token for token, _ in answered]))
            )
        }
        sides = [
            (pages[token], _filled(stage, account, letters[token], boxes)) for token, account in answered
        ]
    dice.shuffle(sides)
    for number, some in enumerate(chunks(sides, PER_FILE), start=1):
        fed = [Side(page + 1, filled) for page, filled in some]
        if dice.random() < BOTH_SIDES:
            fed = [one for side in fed for one in (Side((side.page or 0) - 1), side)]
        fed += [Side(None)] if dice.random() < EMPTY_SIDES * len(fed) else []
        yield Feed(stage.artifacts["letters"], boxes, fed, f"{bag}|{number}", folder / f"{bag}-{number}.pdf")


def _pages(stage: Stage) -> dict[str, int]:
    """The first page of each letter in the printed file, counted from 0, by token: the register tells."""
    with stage.artifacts["register"].open(encoding="utf-8-sig", newline="") as file:
        return {row["查询码"]: int(row["起始页"]) - 1 for row in csv.DictReader(file)}


def _boxes(session: Session, campaign_id: int) -> Sequence[Any]:
    version = session.scalars(
        select(Letter.form_version_id).where(Letter.campaign_id == campaign_id).limit(1)
    ).one()
    form = session.get_one(FormVersion, version)
    return [box for page in form.boxes["pages"] if page["number"] == 2 for box in page["boxes"]]


def _read(stage: Stage, paths: Sequence[Path]) -> None:
    """Upload the files as one batch and let the workers read it."""
    login = stage.login(*DESK)
    counted = scan_batches.look_into([Scans(path, path.name) for path in paths])
    with acting_as(login) as (session, staff):
        batch, _is_new = scan_batches.receive(session, counted, origin="upload", staff=staff)
        batch_id, run_id = batch.id, scan_readings.start(session, batch, staff).id
    stage.wait_for_run(run_id, "done")
    with reading() as session:
        counts = scan_batches.counts_of(session, session.get_one(ScanBatch, batch_id))
    told = "，".join(f"{name} {number}" for name, number in counts.items() if number)
    stage.say(f"扫描批次 {batch_id}：{told}。")


def _key_by_hand(stage: Stage, answered: Sequence[tuple[str, str]]) -> None:
    """What no machine could read is keyed from the paper itself, at the desk."""
    with reading() as session:
        tokens = [token for token, _account in answered]
        query = select(Letter.token).where(Letter.token.in_(tokens), Letter.answered_at.is_(None))
        left = set(session.scalars(query))
    for token, account in answered:
        if token in left:
            with acting_as(stage.login(*DESK)) as (session, staff):
                returns.key_return(session, token, form_of(stage, account), staff=staff)
