"""Scan batches and their sides on screen: uploaded, read, looked at, placed by a person."""

import io

import pytest
from browsing import browse
from factories import make_campaign, make_customer, make_letter, make_staff
from PIL import Image
from scanning import MAP, Sheet, scanned
from sqlalchemy import select

from models import FormVersion, ScanBatch
from models import Sheet as Side
from seed.scanner import Damage, Filled
from services import scan_folders
from workflows import engine

pytestmark = pytest.mark.slow
PAGE, SIDES = "/admin/scan_batches/", "/admin/sheets/"


@pytest.fixture()
def letters(session):
    campaign = make_campaign(session)
    found = [make_letter(session, make_customer(session), campaign) for _number in range(2)]
    session.get_one(FormVersion, found[0].form_version_id).boxes = MAP
    session.commit()
    return found


@pytest.fixture()
def clerk(app, session):
    return browse(app, session, make_staff(session, "clerk"))


def jpeg(picture):
    kept = io.BytesIO()
    picture.save(kept, "JPEG", quality=60)
    kept.seek(0)
    return kept


def upload(clerk, *pictures):
    files = [(jpeg(picture), f"{number}.jpg") for number, picture in enumerate(pictures)]
    return clerk.post(f"{PAGE}upload", {"files": files})


def sides(session):
    session.expire_all()
    return session.scalars(select(Side).order_by(Side.file, Side.side)).all()


def test_scans_are_uploaded_read_and_shown_with_their_boxes(session, clerk, letters):
    blank = Image.new("L", (1654, 2339), 250)
    sheet = scanned(Sheet(letters[0].token, filled=Filled({"all.same": "tick", "outage.sms": "cross"})))
    answer = upload(clerk, sheet, blank)
    batch = session.scalars(select(ScanBatch)).one()
    assert answer.status_code == 303 and answer.location.endswith(f"{PAGE}{batch.id}")
    assert "已读取 0 / 2 面" in clerk.get(f"{PAGE}{batch.id}").text
    engine.drain()
    first, second = sides(session)
    assert (first.state, second.state) == ("accepted", "blank")
    assert f"batch={batch.id}&amp;state=accepted" in clerk.get(f"{PAGE}{batch.id}/progress").text
    page = clerk.get(f"{SIDES}{first.id}").text
    assert 'class="on"' in page and "outage.sms" in page
    crop = clerk.get(f"{SIDES}{first.id}/crop/outage.sms?margin=3")
    assert crop.mimetype == "image/png" and crop.headers["Cache-Control"] == "no-store"
    width, height = Image.open(io.BytesIO(crop.data)).size
    assert abs(width - 10 / 25.4 * 150) < 2 and width == height
    for odd in ("nan", "inf", "-1", "x"):
        assert clerk.get(f"{SIDES}{first.id}/crop/outage.sms?margin={odd}").mimetype == "image/png"
    assert "共 1 条" in clerk.get(f"{SIDES}?batch={batch.id}&state=blank").text


def test_what_customers_wrote_is_seen_only_by_whoever_works_on_the_paper(app, session, clerk, letters):
    upload(clerk, scanned(Sheet(letters[0].token, filled=Filled({"all.same": "tick"}))))
    engine.drain()
    (side,) = sides(session)
    auditor = browse(app, session, make_staff(session, "auditor"))
    page = auditor.get(f"{SIDES}{side.id}")
    assert page.status_code == 200 and "只给扫描、录入的人看" in page.text and "<img" not in page.text
    for picture in ("picture", "crop/all.same"):
        assert auditor.get(f"{SIDES}{side.id}/{picture}").status_code == 403
        assert clerk.get(f"{SIDES}{side.id}/{picture}").status_code == 200


def test_a_side_without_codes_is_turned_and_given_to_its_letter_by_hand(session, clerk, letters):
    torn = Damage(turns=1, torn=(0, 1, 2, 3), torn_size=48)
    upload(clerk, scanned(Sheet(letters[0].token, filled=Filled({"outage.sms": "tick"}), damage=torn)))
    engine.drain()
    (side,) = sides(session)
    assert (side.state, side.reason) == ("unidentified", "no_code")
    before = side.image_sha256
    clerk.post(f"{SIDES}{side.id}/turn")
    number = letters[0].facts["letter"]["serial"]
    clerk.post(f"{SIDES}{side.id}/assign", {"letter": number})
    (side,) = sides(session)
    assert side.image_sha256 != before
    assert (side.state, side.reason, side.letter_id) == ("review", "assigned", letters[0].id)
    assert side.decided_by_id is not None


def test_a_second_form_of_one_customer_is_not_assigned_and_may_be_put_aside(session, clerk, letters):
    upload(clerk, scanned(Sheet(letters[0].token)), scanned(Sheet("ZZZZZZZZZZ")))
    engine.drain()
    _first, foreign = sides(session)
    refused = clerk.post(f"{SIDES}{foreign.id}/assign", {"letter": letters[0].token}, follow_redirects=True)
    assert "已经扫描过" in refused.text
    clerk.post(f"{SIDES}{foreign.id}/aside", {"state": "front"})
    assert sides(session)[1].state == "front"


def test_nobody_without_the_right_sees_or_uploads_scans(app, session, clerk, letters):
    upload(clerk, scanned(Sheet(letters[0].token)))
    engine.drain()
    (side,) = sides(session)
    agent = browse(app, session, make_staff(session, "agent"))
    for path in (
        PAGE,
        SIDES,
        f"{SIDES}{side.id}",
        f"{SIDES}{side.id}/picture",
        f"{SIDES}{side.id}/crop/all.same",
    ):
        assert agent.get(path).status_code == 403
    leader = browse(app, session, make_staff(session, "team_leader"))
    assert leader.get(f"{SIDES}{side.id}").status_code == 200
    assert upload(leader, Image.new("L", (60, 60))).status_code == 403
    assert leader.post(f"{SIDES}{side.id}/aside", {"state": "blank"}).status_code == 403


def test_a_file_that_the_folder_refused_keeps_saying_why(session, clerk):
    batch, _is_new = scan_folders.record_refusal(
        session, "b.pdf", "「b.pdf」不是扫描件。", digest="b", staff=make_staff(session, "clerk")
    )
    session.commit()
    assert "接着读取" not in clerk.get(f"{PAGE}{batch.id}").text
    again = clerk.post(f"{PAGE}{batch.id}/again", follow_redirects=True)
    assert "正在读取或已经读完" in again.text
    session.expire_all()
    assert (batch.state, batch.error) == ("failed", "「b.pdf」不是扫描件。")


def test_what_is_no_scan_is_refused_by_its_name(session, clerk):
    answer = clerk.post(
        f"{PAGE}upload", {"files": [(io.BytesIO(b"hello"), "说明.docx")]}, follow_redirects=True
    )
    assert "说明.docx" in answer.text and session.scalars(select(ScanBatch)).all() == []
