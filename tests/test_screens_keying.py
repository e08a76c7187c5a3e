"""The keying desk by hand and by eye: pictures, blind first passes, decisions, and what is refused."""

import io
import re

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_letter, make_staff
from PIL import Image
from sheet_making import make_sheet, with_picture
from sqlalchemy import select

from models import KeyJob, db
from services import sheet_balances
from services.crops import FRAME
from services.key_jobs import key, next_job, open_jobs

MOBILE, OTHER = "13902800241", "13902800247"


@pytest.fixture
def sheet(session):
    customer = make_customer(session)
    make_contact(session, customer, "mobile")
    made = with_picture(make_sheet(session, make_letter(session, customer), on=("mobile.1", "signature")))
    open_jobs(session, [made])
    return made


@pytest.fixture
def clerks(session):
    return [make_staff(session, "clerk") for _ in range(3)]


def job_of(session, queue):
    query = select(KeyJob).where(KeyJob.queue == queue, KeyJob.state == "open")
    return session.scalars(query.order_by(KeyJob.turn, KeyJob.id)).first()


def keyed(session, staff, value):
    key(session, next_job(session, staff, "first"), "value", value, staff=staff)


def test_the_queues_say_what_waits(app, session, clerks, sheet):
    page = browse(app, session, clerks[0]).get("/admin/keying/").text
    assert "双人双录" in page
    assert '<strong class="big">2</strong>' in page
    assert "/admin/keying/first" in page
    assert "/admin/keying/leader" not in page


def test_the_first_pass_is_blind_and_the_third_person_sees_both(app, session, clerks, sheet):
    blind = browse(app, session, clerks[0]).post("/admin/keying/first/next").text
    assert "手机号码" in blind
    assert "138****1111" not in blind
    keyed(session, clerks[0], MOBILE)
    second = browse(app, session, clerks[1]).post("/admin/keying/first/next").text
    assert MOBILE not in second
    keyed(session, clerks[1], OTHER)
    third = browse(app, session, clerks[2]).post("/admin/keying/arbitrate/next").text
    assert all(text in third for text in (MOBILE, OTHER, "138****1111"))


def test_the_judge_speaks_while_one_types(app, session, clerks, sheet):
    browser = browse(app, session, clerks[0])
    browser.post("/admin/keying/first/next")
    job = job_of(session, "first")
    said = browser.post("/admin/keying/judge", {"job": job.id, "value": "1390280"}).text
    assert "state bad" in said
    assert browser.post("/admin/keying/judge", {"job": job.id, "value": " "}).text == ""


def test_an_empty_field_is_blank_and_nothing_is_lost_in_a_refusal(app, session, clerks, sheet):
    browser = browse(app, session, clerks[0])
    browser.post("/admin/keying/first/next")
    job = job_of(session, "first")
    stranger = browse(app, session, clerks[1]).post("/admin/keying/first/key", {"job": job.id, "value": MOBILE})
    assert "不在您手上" in stranger.text
    browser.post("/admin/keying/first/key", {"job": job.id, "value": ""})
    db.session.expire_all()
    assert (job.answer, job.keyed_by_id) == ("blank", clerks[0].id)
    assert "已撤销" in browser.post("/admin/keying/first/undo").text


def test_pictures_are_cut_straight_for_whoever_has_the_sheet_in_hand(app, session, clerks, sheet):
    path, browser = f"/admin/keying/crop/{sheet.id}/mobile", browse(app, session, clerks[0])
    assert browser.get(path).status_code == 404
    browser.post("/admin/keying/first/next")
    answer = browser.get(path)
    picture = Image.open(io.BytesIO(answer.data))
    assert answer.mimetype == "image/png"
    assert picture.size[0] > 4 * picture.size[1]  # one row of the form
    assert picture.getextrema() == (0, 255)
    tick = Image.open(io.BytesIO(browser.get(path.replace("mobile", "outage.sms")).data))
    assert FRAME in {color for _number, color in tick.getcolors(1 << 20)}
    assert browse(app, session, clerks[1]).get(path).status_code == 404


@pytest.mark.slow
def test_the_picture_backs_the_version_where_it_is_revealed(app, session, clerks, sheet):
    for clerk in clerks[:2]:
        keyed(session, clerk, MOBILE)
    path, browser = f"/admin/customers/{sheet.letter.customer_id}", browse(app, session, clerks[2])
    assert "data:image/png" not in browser.get(path).text
    shown = browser.post(f"{path}/reveal", {"purpose": "service", "contact": ""}).text
    assert MOBILE in shown
    assert "data:image/png;base64," in shown


def test_the_leaders_queue_is_closed_to_clerks(app, session, clerks, sheet):
    assert "权限" in browse(app, session, clerks[0]).post("/admin/keying/leader/next").text
    assert browse(app, session, clerks[0]).get("/admin/keying/nonsense").status_code == 404


@pytest.mark.slow
def test_the_campaign_balances_its_sheets_and_opens_their_lists(app, session, clerks, sheet):
    other = make_sheet(session, sheet.letter, "front")
    for clerk in clerks[:2]:
        keyed(session, clerk, MOBILE)
    campaign, browser = sheet.letter.campaign_id, browse(app, session, clerks[0])
    page = browser.get(f"/admin/campaigns/{campaign}").text
    links = re.findall(rf"/admin/sheets/\?campaign={campaign}[^\"]*", page)
    asked = [link.replace("&amp;", "&") for link in links]
    assert [link.partition("state=")[2] for link in asked] == ["keying", "keyed", "front", ""]
    found = [set(re.findall(r"/admin/sheets/(\d+)\"", browser.get(link).text)) for link in asked]
    assert found == [{str(sheet.id)}, {str(sheet.id)}, {str(other.id)}, {str(sheet.id), str(other.id)}]


def test_the_home_page_tells_of_batches_that_do_not_add_up(app, session, clerks, sheet):
    browser = browse(app, session, clerks[0])
    assert "个扫描批次对不上" not in browser.get("/admin/").text
    sheet.state = "keyed"  # without a form
    sheet_balances.keep_result(session, sheet_balances.faults(session))
    assert "个扫描批次对不上" in browser.get("/admin/").text
