"""A clerk and a team leader key sheets in a browser with the keyboard alone; axe looks on."""

import pytest
from driving import driven, serious_findings
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff
from needs import needs_chromium
from sheet_making import make_sheet, with_picture
from sqlalchemy import select

from models import Contact, KeyJob, Sheet, db
from services import key_leases
from services.key_jobs import key, next_job, open_jobs

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]
NUMBERS = ("13902800241", "13902800242", "13902800243")


@pytest.fixture
def sheets(session):
    """Three sheets with a new mobile each, one of which also says that nothing changed."""
    campaign, made = make_campaign(session), []
    for number in range(3):
        customer = make_customer(session)
        make_contact(session, customer, "mobile")
        on = ("mobile.1", "signature", *(["mobile.same"] if number == 2 else []))
        made.append(with_picture(make_sheet(session, make_letter(session, customer, campaign), on=on)))
    open_jobs(session, made)
    session.commit()
    return [sheet.id for sheet in made]


def shown(page, number):
    """Wait for the picture of a sheet's field, with the finger on the field."""
    page.wait_for_selector(f"img[src*='/crop/{number}/']")
    page.wait_for_selector("[data-first]:focus")


def key_all(page, sheets):
    page.goto("/admin/keying/first")
    for sheet, number in zip(sheets, NUMBERS, strict=True):
        shown(page, sheet)
        page.keyboard.type(number)
        page.keyboard.press("Enter")
    page.wait_for_selector("#work .empty")


def test_three_sheets_are_keyed_twice_and_decided_without_a_mouse(app, session, sheets):
    clerks, leader = [make_staff(session, "clerk") for _ in range(2)], make_staff(session, "team_leader")
    with driven(app, session, clerks[0]) as page:
        page.goto("/admin/keying/first")
        shown(page, sheets[0])
        assert serious_findings(page) == []
        page.keyboard.type("1390280")
        page.wait_for_selector("#verdict .state.bad")
        key_all(page, sheets)
        page.keyboard.press("Control+z")
        shown(page, sheets[2])
        page.keyboard.type(NUMBERS[2])
        page.keyboard.press("Enter")
        page.wait_for_selector("#work .empty")
    for number in NUMBERS:
        key(session, next_job(session, clerks[1], "first"), "value", number, staff=clerks[1])
    session.commit()
    with driven(app, session, leader) as page:
        page.goto("/admin/keying/leader")
        shown(page, sheets[2])
        assert serious_findings(page) == []
        page.keyboard.press("1")
        page.wait_for_selector("#work .empty")
    db.session.expire_all()
    assert session.scalars(select(Sheet.state)).all() == ["keyed"] * 3
    values = session.scalars(select(Contact.value).where(Contact.source == "returned_form").order_by(Contact.id))
    assert values.all() == [f"+86{number}" for number in NUMBERS]


def test_whoever_closes_the_page_gives_the_sheet_back(app, session, sheets):
    clerk = make_staff(session, "clerk")
    with driven(app, session, clerk) as page:
        page.goto("/admin/keying/first")
        shown(page, sheets[0])
        db.session.expire_all()
        assert len(key_leases.held(session, clerk, "first")) == 1
        session.commit()
        page.goto("/admin/keying/")
        held = select(KeyJob).where(KeyJob.held_by_id.is_not(None))
        for _attempt in range(50):
            session.commit()
            if not session.scalars(held).all():
                break
            page.wait_for_timeout(100)
        assert session.scalars(held).all() == []
