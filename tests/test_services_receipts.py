"""Receipts of notices that come back on paper: signed for where they leave no doubt, else read by a person."""

from random import Random

import pytest
from browsing import browse
from factories import make_staff, make_unit
from sqlalchemy import select

from models import Assessment, Notice
from models import Sheet as Side
from models.clock import utcnow
from paper.codes import new_token
from paper.receipts import receipt_map
from seed import scanner
from seed.scanner import Damage, Filled
from services import Refused, intake, notices, receipts, scan_batches, sheet_balances
from services.scan_batches import Scans
from workflows.sessions import reading

pytestmark = pytest.mark.slow
(PAGE,) = receipt_map()["pages"]
SIGNED = {"received_by": "", "received_on": ""}
ACCEPTED = Filled({"accept": "tick"}, SIGNED, signed=False)
OBJECTED = Filled({"object": "cross"}, {"statement.1": "", **SIGNED}, signed=False)
CASES = [
    (ACCEPTED, "accepted", ""),
    (OBJECTED, "review", "objection"),
    (Filled({"accept": "tick", "object": "tick"}, SIGNED, signed=False), "review", "contradiction"),
    (Filled({"accept": "fill"}, signed=False), "review", "unsigned"),
    (Filled(signed=False), "review", "nothing_filled"),
]


@pytest.fixture()
def clerk(session):
    return make_staff(session, "clerk")


def make_notice(session, tmp_path, *, state="signed"):
    unit = make_unit(session)
    run = session.scalars(select(Assessment)).first()
    if run is None:
        run = Assessment(unit_id=unit.id, period="2026-11", state="published", cutoff=utcnow())
        run.created_at = utcnow()
        session.add(run)
        session.flush()
    row = Notice(unit_id=unit.id, kind="assessment_notice", assessment_id=run.id, series="KH", year=2026)
    row.title, row.token, row.state, row.drafted_at = "考核通知单", new_token(), state, utcnow()
    row.facts = {"period": "2026-11"}
    session.add(row)
    session.flush()
    if state == "signed":
        (tmp_path / "n.pdf").write_bytes(b"%PDF-1.7")
        notices.issue(session, row, tmp_path / "n.pdf")
    return row


def scanned(notice, filled=ACCEPTED):
    dice = Random(notice.token)
    plain = scanner.plain_form(PAGE, notice.token, kind="N")
    damage = Damage(dpi=150, angle=1, turns=2, noise=0)
    return scanner.scan(scanner.fill_in(plain, PAGE["boxes"], filled, dice), damage, dice)


def bring_in(session, clerk, tmp_path, *pictures):
    path = scanner.write_batch(tmp_path / f"{len(list(tmp_path.iterdir()))}.tif", pictures)
    session.commit()
    counted = scan_batches.look_into([Scans(path, path.name)])
    found, _is_new = scan_batches.receive(session, counted, origin="upload", staff=clerk)
    session.commit()
    for part in scan_batches.parts_left(session, found):
        for rows in intake.read_part(path, part, reading):
            intake.keep(session, found, rows)
            session.commit()
    scan_batches.finish(session, found)
    session.commit()
    return session.scalars(select(Side).where(Side.scan_batch_id == found.id).order_by(Side.side)).all()


def test_what_a_receipt_says_is_signed_for_or_left_to_a_person(session, clerk, tmp_path):
    found = [make_notice(session, tmp_path) for _case in CASES]
    pictures = [scanned(row, filled) for row, (filled, _state, _reason) in zip(found, CASES, strict=True)]
    sides = bring_in(session, clerk, tmp_path, *pictures)
    assert [(one.state, one.reason) for one in sides] == [(state, reason) for _filled, state, reason in CASES]
    assert [row.state for row in found] == ["acknowledged"] + ["issued"] * 4
    assert [one.notice_id for one in sides] == [row.id for row in found]
    assert sheet_balances.faults(session) == []


def test_a_person_reads_what_was_objected(app, session, clerk, tmp_path):
    row = make_notice(session, tmp_path)
    (side,) = bring_in(session, clerk, tmp_path, scanned(row, OBJECTED))
    with pytest.raises(Refused, match="陈述意见"):
        receipts.decide(session, side, "object", staff=clerk)
    page, address = browse(app, session, clerk), f"/admin/sheets/{side.id}"
    assert "份签收回执要由人看" in page.get("/admin/").text and "陈述意见" in page.get(address).text
    assert f"/sheets/{side.id}" in page.get("/admin/sheets/?state=review&kind=N").text
    answer = page.post(f"{address}/receipt", {"word": "object", "statement": "分母多算了 12 户"})
    session.expire_all()
    assert (answer.status_code, side.state, row.state) == (303, "accepted", "rebutted")
    assert row.rebuttal == "分母多算了 12 户" and row.acknowledged_by_id == clerk.id
    assert sheet_balances.faults(session) == []
    with pytest.raises(Refused, match="待复核"):
        receipts.decide(session, side, "accept", staff=clerk)


def test_a_notice_is_signed_for_once_however_often_its_receipt_comes(session, clerk, tmp_path):
    first, open_one, early = (make_notice(session, tmp_path, state=state) for state in ("signed", "signed", "draft"))
    copies = [scanned(first), scanned(open_one, OBJECTED), scanned(open_one), scanned(early)]
    sides = bring_in(session, clerk, tmp_path, *copies)
    assert [(one.state, one.reason) for one in sides] == [
        ("accepted", ""), ("review", "objection"), ("duplicate", "receipt_before"), ("review", "not_issued"),
    ]  # fmt: skip
    receipts.decide(session, sides[3], "none", staff=clerk)
    (again,) = bring_in(session, clerk, tmp_path, scanned(first, OBJECTED))
    assert (again.state, again.reason, sides[3].state) == ("duplicate", "signed_before", "foreign")
    assert (first.state, early.state) == ("acknowledged", "draft")


def test_a_walk_list_is_kept_with_its_picture_and_waits_for_nobody(app, session, clerk, tmp_path):
    codes = [{"x": 20.0, "y": 40.0 + 14 * number, "size": 10.0, "place": "1"} for number in range(3)]
    sheet = scanner.plain_form({"number": 1, "codes": codes[:1], "boxes": []}, new_token(), kind="V")
    for code in codes[1:]:
        more = scanner.plain_form({"number": 1, "codes": [code], "boxes": []}, new_token(), kind="V")
        sheet.paste(more, mask=more.point(lambda value: 255 - value))
    (side,) = bring_in(session, clerk, tmp_path, scanner.scan(sheet, Damage(), Random(1)))
    assert (side.state, side.reason, side.kind) == ("foreign", "walk_list", "V") and side.image_sha256
    assert "没有认出" not in browse(app, session, clerk).get("/admin/").text
