"""A clerk at the desk, hands on the keyboard: three returned forms and two undelivered letters without a mouse."""

from time import monotonic

import pytest
from driving import barriers, driven
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff
from needs import needs_chromium
from sqlalchemy import select

from models import Contact, Keying, Letter, Preference

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]


@pytest.fixture
def clerk(session):
    return make_staff(session, "clerk")


@pytest.fixture
def tokens(session):
    """Five posted letters to customers with a mobile on record."""
    campaign, customers = make_campaign(session), [make_customer(session) for _ in range(5)]
    for customer in customers:
        make_contact(session, customer, "mobile")
    found = [make_letter(session, customer, campaign).token for customer in customers]
    session.commit()
    return found


def typed(page, *keys):
    """Press keys one after the other where the focus is; longer texts are typed."""
    for key in keys:
        single = len(key) == 1 or key in ("Enter", "Tab", "Space", "Escape") or "+" in key
        page.keyboard.press(key) if single and not key.isdigit() else page.keyboard.type(key)


def focused(page):
    return page.evaluate("document.activeElement.name || document.activeElement.id")


def scan(page, token):
    page.wait_for_selector("#scan:focus")
    typed(page, token, "Enter")


def burst(page, token):
    """As a scanner types: all keys within a moment, however busy this machine is."""
    keys = """(keys) => keys.forEach((key) => document.activeElement.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true})))"""
    page.evaluate(keys, [*token, "Enter"])


def test_three_forms_are_keyed_without_a_mouse(app, session, clerk, tokens):
    with driven(app, session, clerk) as page:
        page.goto("/admin/desk/")
        scan(page, tokens[0])
        page.wait_for_selector("#form")
        assert focused(page) == "all_same"
        typed(page, "Space", "Control+Enter")
        page.wait_for_selector(".message.success")
        scan(page, tokens[1].lower())
        page.wait_for_selector("#form")
        for _ in range(4):  # all unchanged, person's tick, person, mobile's tick
            typed(page, "Enter")
        assert focused(page) == "new_mobile"
        typed(page, "1390280", "Enter")
        page.wait_for_selector(".verdict .state.bad")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Control+a")
        typed(page, "13902800241", "Enter")
        page.wait_for_selector(".verdict .state.good")
        page.focus("[name=outage][value=sms]")
        typed(page, "Space", "Control+Enter")
        page.wait_for_selector(".message.success:has-text('已变更')")
        scan(page, tokens[2])
        page.wait_for_selector("#form")
        typed(page, "Escape")
        page.wait_for_selector("#form", state="detached")
        scan(page, "0000000000")
        page.wait_for_selector(".message.danger")
        page.keyboard.press("Control+a")
        scan(page, tokens[2])
        page.wait_for_selector("#form")
        typed(page, "Space", "Control+Enter")
        page.wait_for_selector(".count:has-text('3')")
        typed(page, "Alt+z")
        page.wait_for_selector(".message.success:has-text('已撤销')")
    session.expire_all()
    assert session.query(Keying).filter(Keying.undone_at.is_(None)).count() == 2
    mobile = select(Contact.value).where(Contact.state == "current", Contact.source == "returned_form")
    assert session.scalars(mobile).all() == ["+8613902800241"] and session.query(Preference).count() == 1


def test_two_undelivered_letters_take_a_scan_and_a_key_each(app, session, clerk, tokens):
    with driven(app, session, clerk) as page:
        page.goto("/admin/desk/undelivered")
        for token, key, word in ((tokens[3], "2", "迁移新址不明"), (tokens[4], "0", "其他")):
            scan(page, token)
            page.keyboard.press(key)
            page.wait_for_selector(f".message.success:has-text('{word}')")
        scan(page, tokens[3])
        page.wait_for_selector("#found .message.danger")
        assert focused(page) == "code"
    session.expire_all()
    reasons = select(Letter.undelivered_reason).where(Letter.state == "undelivered").order_by(Letter.id)
    assert session.scalars(reasons).all() == ["moved", "other"]


def test_a_scan_counts_wherever_the_focus_is_and_never_as_a_reason(app, session, clerk, tokens):
    with driven(app, session, clerk) as page:
        page.goto("/admin/desk/undelivered")
        scan(page, tokens[0])
        page.wait_for_selector("#found .found")
        burst(page, tokens[1])  # the next piece, with no reason for the one before
        page.wait_for_selector("#trouble:has-text('上一件没有登记')")
        page.keyboard.press("1")
        page.wait_for_selector(".message.success:has-text('查无此人')")
        page.evaluate("document.activeElement.blur()")
        burst(page, tokens[2])
        page.wait_for_selector("#found .found")
        assert page.input_value("#scan") == tokens[2]
    session.expire_all()
    rows = session.execute(select(Letter.token, Letter.undelivered_reason).where(Letter.undelivered_at.is_not(None)))
    assert rows.tuples().all() == [(tokens[1], "unknown_person")]


def test_a_piece_takes_far_less_than_three_seconds(app, session, clerk, tokens):
    with driven(app, session, clerk) as page:
        page.goto("/admin/desk/undelivered")
        begun = monotonic()
        for number, token in enumerate(tokens[:4], start=1):
            page.keyboard.type(token)
            page.keyboard.press("Enter")
            page.keyboard.press("0")
            page.wait_for_selector(f".count strong:has-text('{number}')")
        each = (monotonic() - begun) / 4
    assert each < 3


def test_a_form_that_could_not_be_sent_is_kept_and_sent_again(app, session, clerk, tokens):
    with driven(app, session, clerk, expected=("ERR_FAILED", "htmx:")) as page:
        page.route("**/desk/save", lambda route: route.abort())
        page.goto("/admin/desk/")
        scan(page, tokens[0])
        page.fill("[name=new_mobile]", "13902800241")
        typed(page, "Control+Enter")
        page.wait_for_selector("#trouble:not([hidden])")
        assert page.input_value("[name=new_mobile]") == "13902800241"
        page.unroute("**/desk/save")
        typed(page, "Control+Enter")
        page.wait_for_selector(".message.success:has-text('已变更')")
    assert session.query(Keying).count() == 1


def test_the_desk_fits_and_is_accessible(app, session, clerk, tokens):
    campaign = f"/admin/campaigns/{session.scalars(select(Letter.campaign_id)).first()}"
    with driven(app, session, clerk) as page:
        for path in ("/admin/desk/", "/admin/desk/undelivered", "/admin/print_room/", campaign):
            page.goto(path)
            if path == "/admin/desk/":
                scan(page, tokens[0])
                page.wait_for_selector("#form")
            assert barriers(page) == [], path
