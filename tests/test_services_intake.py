"""Scans brought in: batches, sheets with their states, and nothing counted twice or dropped."""

import os
from random import Random

import numpy as np
import pytest
from factories import make_campaign, make_customer, make_letter, make_staff
from PIL import Image
from scanning import MAP, Sheet, batch, scanned
from sqlalchemy import select

from models import FormVersion, Keying, KeyJob, Letter, ScanBatch
from models import Sheet as Side
from paper.codes import link_rows
from seed.scanner import Damage, Filled, scan
from services import Refused, intake, scan_batches, scan_folders
from services.scan_batches import Scans
from workflows import clock_runs, engine, scan_readings
from workflows.scan_folders import collect_scans
from workflows.sessions import reading
from workflows.steps import Options

pytestmark = pytest.mark.slow
SAME = Filled({"all.same": "tick", "relation.self": "cross"})
WRITTEN = Filled({"outage.sms": "fill"}, {"mobile.1": "138", "mobile.2": "0013", "mobile.3": "8000"})
UNSIGNED = Filled({"all.same": "tick"}, signed=False)
CONTRARY = Filled({"person.same": "cross"}, {"person": ""})
EMPTY = Image.new("L", (1654, 2339), 245)


@pytest.fixture()
def clerk(session):
    return make_staff(session, "clerk")


@pytest.fixture()
def letters(session):
    """Five letters whose form has a map."""
    campaign = make_campaign(session)
    found = [make_letter(session, make_customer(session), campaign) for _number in range(5)]
    session.get_one(FormVersion, found[0].form_version_id).boxes = MAP
    session.commit()
    return found


def bring_in(session, clerk, *paths):
    counted = scan_batches.look_into([Scans(path, path.name) for path in paths])
    found, is_new = scan_batches.receive(session, counted, origin="upload", staff=clerk)
    session.commit()
    for part in scan_batches.parts_left(session, found):
        for rows in intake.read_part(scan_batches.stored_path(found, part.file), part, reading):
            intake.keep(session, found, rows)
            session.commit()
    scan_batches.finish(session, found)
    session.commit()
    return found, is_new


def states(session, found):
    rows = session.scalars(select(Side).where(Side.scan_batch_id == found.id).order_by(Side.file, Side.side))
    return [(row.state, row.reason) for row in rows]


def test_every_side_of_a_mixed_batch_ends_in_one_state(session, clerk, letters, tmp_path):
    tokens = [letter.token for letter in letters]
    path = batch(
        tmp_path / "scans.pdf",
        Sheet(tokens[0], filled=SAME, damage=Damage(turns=2)),
        Sheet(tokens[0], page=1, filled=Filled()),
        Sheet(tokens[1], filled=WRITTEN, damage=Damage(angle=2)),
        Sheet(tokens[2], filled=UNSIGNED),
        Sheet(tokens[3], filled=CONTRARY),
        EMPTY,
        Sheet("ZZZZZZZZZZ", filled=SAME),
        Sheet(tokens[0], filled=SAME, seed=9),
        scan(Image.effect_noise((2480, 3508), 90), Damage(), Random(1)),
    )
    found, _is_new = bring_in(session, clerk, path)
    assert states(session, found) == [
        ("accepted", ""),
        ("front", ""),
        ("to_key", "handwriting"),
        ("review", "unsigned"),
        ("review", "contradiction"),
        ("blank", ""),
        ("foreign", "unknown_token"),
        ("duplicate", "scanned_before"),
        ("unidentified", "no_code"),
    ]
    counts = scan_batches.counts_of(session, found)
    assert counts["sheets"] == 9 == found.sides
    accepted = session.scalars(select(Side).where(Side.state == "accepted")).one()
    keying = session.get_one(Keying, accepted.keying_id)
    assert keying.keyed_by_id is None and keying.answers["all_same"] and keying.signed
    assert session.get_one(Letter, letters[0].id).state == "answered"
    assert {job.field for job in session.scalars(select(KeyJob)) if job.queue == "first"} == {"mobile"}


def test_a_front_is_known_by_its_link_where_its_window_code_cannot_be_read(session, clerk, letters, tmp_path):
    page = Image.new("L", (1654, 2339), 250)
    rows = link_rows(f"HTTPS://EXAMPLE.CN/R/{letters[1].reply_token}")
    code = Image.fromarray(255 - np.array([list(row) for row in rows], dtype=np.uint8) * 255)
    page.paste(code.resize((190, 190), Image.Resampling.NEAREST), (1260, 1860))
    found, _is_new = bring_in(session, clerk, batch(tmp_path / "a.png", page))
    assert states(session, found) == [("front", "")]
    assert session.scalars(select(Side)).one().letter_id == letters[1].id


def test_the_same_files_again_are_the_same_batch_and_the_same_picture_elsewhere_a_duplicate(
    session, clerk, letters, tmp_path
):
    picture = scanned(Sheet(letters[0].token, filled=WRITTEN))
    first, is_new = bring_in(session, clerk, batch(tmp_path / "a.png", picture))
    again, is_new_again = bring_in(session, clerk, batch(tmp_path / "b.png", picture))
    assert (is_new, is_new_again, again.id) == (True, False, first.id)
    other, _is_new = bring_in(session, clerk, batch(tmp_path / "c.tif", picture, EMPTY))
    assert states(session, other) == [("duplicate", "same_picture"), ("blank", "")]
    assert session.scalars(select(Keying)).all() == []


def test_a_part_that_was_written_is_not_written_again(session, clerk, letters, tmp_path):
    path = batch(tmp_path / "a.tif", Sheet(letters[0].token, filled=SAME), EMPTY)
    found, _is_new = bring_in(session, clerk, path)
    part = scan_batches.Part(1, 1, 2)
    rows = [row for some in intake.read_part(path, part, reading) for row in some]
    assert intake.keep(session, found, rows) == {}
    assert scan_batches.parts_left(session, found) == []


def test_a_form_of_a_campaign_that_has_ended_is_left_to_a_person(session, clerk, letters, tmp_path):
    letters[0].campaign.state = "closed"
    session.commit()
    found, _is_new = bring_in(session, clerk, batch(tmp_path / "a.png", Sheet(letters[0].token, filled=SAME)))
    assert states(session, found) == [("review", "late")]


def test_a_file_that_is_no_scan_is_refused_by_its_name_and_nothing_is_kept(session, clerk, tmp_path):
    (tmp_path / "x.docx").write_bytes(b"PK\x03\x04")
    with pytest.raises(Refused, match="说明.docx"):
        scan_batches.look_into(
            [Scans(batch(tmp_path / "a.png", EMPTY), "a.png"), Scans(tmp_path / "x.docx", "说明.docx")]
        )
    assert session.scalars(select(ScanBatch)).all() == []


def test_a_batch_is_read_by_its_workflow(session, clerk, letters, tmp_path):
    counted = scan_batches.look_into(
        [Scans(batch(tmp_path / "a.png", Sheet(letters[0].token, filled=SAME)), "a.png")]
    )
    found, _is_new = scan_batches.receive(session, counted, origin="upload", staff=clerk)
    scan_readings.start(session, found, clerk)
    session.commit()
    engine.drain()
    session.expire_all()
    assert found.state == "done" and states(session, found) == [("accepted", "")]


def test_whole_files_of_the_watched_folder_are_taken_in_and_moved_aside(
    core, session, letters, tmp_path, monkeypatch
):
    monkeypatch.setitem(core.config, "SCAN_FOLDER", str(tmp_path))
    batch(tmp_path / "a.png", Sheet(letters[0].token, filled=SAME))
    (tmp_path / "b.pdf").write_bytes(b"hello")
    (tmp_path / os.fsdecode("扫描.pdf".encode("gbk"))).write_bytes(b"hello")  # as an old scanner names it
    (tmp_path / "notes.txt").write_text("x")
    session.commit()
    assert clock_runs.collect_scans() is False  # still warm: it may be half copied
    monkeypatch.setattr(scan_folders.waiting_files, "__kwdefaults__", {"settled": -1.0})
    batch(tmp_path / ".c.png", EMPTY)
    assert clock_runs.collect_scans() and not clock_runs.collect_scans()
    engine.drain()
    session.expire_all()
    found = session.scalars(select(ScanBatch).order_by(ScanBatch.name)).all()
    assert [(one.name, one.state, one.origin) for one in found] == [
        ("a.png", "done", "folder"),
        ("b.pdf", "failed", "folder"),
        ("扫描.pdf", "failed", "folder"),
    ]
    assert states(session, found[0]) == [("accepted", "")]
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")) == [
        ".c.png", "done/a.png", "notes.txt", "refused/b.pdf", "refused/b.pdf.txt", "refused/扫描.pdf",
        "refused/扫描.pdf.txt",
    ]  # fmt: skip


def test_another_file_put_under_the_name_of_one_taken_in_stays_to_be_taken_in(session, clerk, tmp_path):
    path, moving = batch(tmp_path / "a.png", EMPTY), {"part": "move", "path": str(tmp_path / "a.png")}
    scan_batches.receive(session, scan_batches.look_into([Scans(path, "a.png")]), origin="folder", staff=clerk)
    session.commit()
    whole = path.read_bytes()
    path.write_bytes(b"another")
    collect_scans(Options(), {}, [moving])
    assert path.exists()
    path.write_bytes(whole)
    collect_scans(Options(), {}, [moving])
    assert not path.exists()


def test_a_refused_file_is_told_of_once_and_moved_however_often_it_is_begun(session, clerk, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"hello")
    session.info["actor_id"] = clerk.id
    for _attempt in range(2):  # the worker died before it was moved
        (told,) = collect_scans(Options(), {}, [{"part": "receive", "path": str(path)}]).calls
        told.service(session, **told.kwargs)
        session.commit()
        assert path.exists()
    collect_scans(Options(), {}, [{"part": "move", "path": str(path)}])
    assert session.scalars(select(ScanBatch.name)).all() == ["a.png"]
    assert not path.exists() and (tmp_path / "refused" / "a.png.txt").read_text().startswith("「a.png」不是扫描件")
