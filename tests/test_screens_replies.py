"""The customer's own answer: opened by what the letter hides, kept as proposals, silent about everything else."""

import re
from argparse import Namespace
from datetime import timedelta
from time import monotonic

import pytest
from browsing import Browser, browse
from driving import NARROW, driven, serious_findings
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff, make_unit
from needs import needs_chromium
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from app import create_app
from models import Confirmation, Contact, Reply, ReplyTry, Setting
from models.clock import today, utcnow
from screens import reply_pages
from screens.commands import doctor
from screens.pages import replies as pages_replies
from services import Refused, public_address, replies, reply_tries
from services.balances import balance
from services.returns import Form, key_return

RIGHT, WRONG = "0000", "1234"  # of +8613800001111
UNKNOWN = "ZZZZZZZZZZZZZZZZ"


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Refusals are not held back, so that the tests are short."""
    monkeypatch.setattr(reply_pages, "SLOWNESS", 0.0)


@pytest.fixture
def customer(session):
    return make_customer(session, name="欧阳建国", id_last4="123X", id_verdict="valid", meter_no="4412345678901234")


@pytest.fixture
def letter(session, customer):
    make_contact(session, customer, "mobile")
    address = "广东省佛山市禅城区祖庙街道祖庙路2号3栋1204室"
    make_contact(session, customer, "postal_address", raw=address, value=address)
    made = make_letter(session, customer)
    made.campaign.reply_by = today(session) + timedelta(days=5)
    session.commit()
    return made


@pytest.fixture
def stranger(app, session):
    return Browser(app.test_client(), "", session)


def ask(stranger, token, answer, **more):
    return stranger.post(f"/r/{token}", {"step": "check", "answer": answer, **more})


def enter(stranger, letter, answer=RIGHT):
    """The second page's ticket."""
    page = ask(stranger, letter.reply_token, answer)
    assert page.status_code == 200, page.text
    return re.search(r'name="ticket" value="([^"]+)"', page.text)[1]


def fill(stranger, letter, ticket, **fields):
    form = {"step": "answer", "ticket": ticket, **fields}
    return stranger.post(f"/r/{letter.reply_token}", form, follow_redirects=True)


def test_the_first_page_says_nothing_about_the_customer(stranger, letter):
    for address in (f"/r/{letter.reply_token}", f"/R/{letter.reply_token.lower()}"):
        page = stranger.get(address)
        assert page.status_code == 200 and "第 4 至 7 位" in page.text
        assert not re.search("欧阳|138|1111|佛山", page.text) and letter.reply_token not in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer" and page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "script" not in page.text and "Set-Cookie" not in page.headers


def test_wrong_unknown_expired_and_spent_codes_look_the_same(session, stranger, letter):
    expired = make_letter(session, make_customer(session))
    expired.campaign.reply_by = today(session) - timedelta(days=9)
    bare = make_letter(session, make_customer(session), letter.campaign)
    session.commit()
    tokens = (letter.reply_token, UNKNOWN, expired.reply_token, bare.reply_token, "nonsense")
    assert len({stranger.get(f"/r/{token}").data for token in tokens}) == 1
    found = {(page.status_code, page.data) for page in (ask(stranger, token, WRONG) for token in tokens)}
    for _more in range(reply_tries.BY_CODE):
        page = ask(stranger, letter.reply_token, WRONG)
        found.add((page.status_code, page.data))
    page = ask(stranger, letter.reply_token, RIGHT)  # too many tries: even the right answer
    assert len(found | {(page.status_code, page.data)}) == 1 and page.status_code == 403
    assert "set-cookie" not in str(page.headers).lower()


def test_a_refusal_takes_the_same_time_for_a_letter_and_for_none(session, stranger, letter, monkeypatch):
    monkeypatch.setattr(reply_pages, "SLOWNESS", 0.1)
    taken = []
    for token in (letter.reply_token, UNKNOWN):
        begun = monotonic()
        ask(stranger, token, WRONG)
        taken.append(monotonic() - begun)
    assert min(taken) >= 0.1


def test_guessing_is_limited_by_code_by_address_and_for_good(session, app, stranger, letter, monkeypatch):
    for _guess in range(reply_tries.BY_CODE):
        ask(stranger, letter.reply_token, WRONG)
    assert ask(stranger, letter.reply_token, RIGHT).status_code == 403
    session.query(ReplyTry).update({"since": utcnow() - timedelta(hours=1)})
    session.commit()
    assert ask(stranger, letter.reply_token, RIGHT).status_code == 200
    assert session.query(ReplyTry).update({"total": reply_tries.EVER, "tries": 0})
    session.commit()
    assert ask(stranger, letter.reply_token, RIGHT).status_code == 403
    session.query(ReplyTry).update({"total": 0, "tries": reply_tries.BY_ADDRESS})
    session.commit()
    other = make_letter(session, letter.customer, make_campaign(session))
    session.commit()
    assert ask(stranger, other.reply_token, RIGHT).status_code == 403


def test_an_address_with_too_many_tries_uses_up_no_code_and_fills_no_table(session, stranger, letter):
    key = stranger.client.application.config["THROTTLE_KEY"]
    spent = reply_tries.keyed(key, "address", "127.0.0.1")
    session.add(ReplyTry(key=spent, since=utcnow(), tries=reply_tries.BY_ADDRESS, total=reply_tries.BY_ADDRESS))
    session.commit()
    for token in (letter.reply_token, UNKNOWN):
        assert ask(stranger, token, WRONG).status_code == 403
    assert session.query(ReplyTry).count() == 1


def test_all_addresses_of_one_ipv6_line_count_as_one():
    alike = (("2001:db8:1:2::1", "2001:DB8:1:2:3::9"), ("10.0.0.1", "::ffff:10.0.0.1"))
    lines = [{reply_tries.line_of(address) for address in pair} for pair in alike]
    others = {reply_tries.line_of(address) for address in ("2001:db8:1:3::1", "fe80::1%eth0", "10.0.0.2", "")}
    assert [len(line) for line in lines] == [1, 1] and len(set().union(*lines, others)) == 6


@pytest.mark.parametrize(
    ("wanted", "recorded", "answer"),
    [("phone", True, RIGHT), ("identity", True, "１２３x"), ("meter", True, "7890 1234"), ("phone", False, "123X")],
)
def test_the_campaign_chooses_the_check_or_the_next_best(session, stranger, customer, wanted, recorded, answer):
    if recorded:
        make_contact(session, customer, "mobile")
    campaign = make_campaign(session, online_check=wanted)
    letter = make_letter(session, customer, campaign)
    session.commit()
    assert ask(stranger, letter.reply_token, WRONG).status_code == 403
    assert enter(stranger, letter, answer)


def test_corrections_wait_for_a_person_and_close_the_letter(session, stranger, letter):
    ticket = enter(stranger, letter)
    page = fill(stranger, letter, ticket, is_mobile="new", new_mobile="13902800241", new_email="a@b.cn")
    assert "谢谢" in page.text
    session.expire_all()
    rows = session.scalars(select(Contact).where(Contact.source == "self_service").order_by(Contact.id)).all()
    assert [(row.value, row.state) for row in rows] == [("+8613902800241", "proposed"), ("a@b.cn", "proposed")]
    assert (letter.state, letter.answered_by, letter.recipient.outcome) == ("answered", "online", "changed")
    assert balance(session, letter.campaign_id).online == 1 and not session.query(Confirmation).count()
    again = stranger.get(f"/r/{letter.reply_token}").text
    assert "谢谢" in again and "139" not in again


def test_all_right_answers_the_letter_and_confirms_nothing(session, stranger, letter):
    assert "谢谢" in fill(stranger, letter, enter(stranger, letter), all="same").text
    session.expire_all()
    assert letter.recipient.outcome == "confirmed" and not session.query(Confirmation).count()
    assert session.scalars(select(Reply)).one().answers["lines"][0] == {"place": "mobile", "reply": "same", "text": ""}


def test_the_form_shows_covered_values_and_keeps_what_was_typed(stranger, letter):
    page = ask(stranger, letter.reply_token, RIGHT).text
    assert "138****1111" in page and "13800001111" not in page
    back = fill(stranger, letter, enter(stranger, letter), is_mobile="new", new_email="x" * 201)
    assert back.status_code == 422 and 'role="alert"' in back.text and "x" * 201 in back.text


def test_enter_in_a_field_sends_what_was_typed_and_not_that_all_is_right(stranger, letter):
    forms = ask(stranger, letter.reply_token, RIGHT).text.split("<form")[1:]
    typing = next(form for form in forms if 'name="new_mobile"' in form)
    first = re.search(r"<button[^>]*>", typing)[0]  # what a browser presses then
    assert 'name="all"' not in first


@pytest.mark.parametrize("step", ["check", "answer"])
def test_a_form_too_large_gets_the_customers_page_and_no_cookie(stranger, letter, step):
    page = stranger.post(f"/r/{letter.reply_token}", {"step": step, "answer": "0" * reply_pages.MOST_BYTES})
    assert page.status_code == 403 and "没有核对上" in page.text and "Set-Cookie" not in page.headers


@pytest.mark.parametrize("error", [RuntimeError("boom"), OperationalError("select", {}, Exception("gone"))])
def test_what_goes_wrong_shows_the_plain_page_whatever_the_code(stranger, letter, monkeypatch, caplog, error):
    monkeypatch.setattr(replies, "by_token", lambda *_facts: (_ for _ in ()).throw(error))
    pages = [stranger.get(f"/r/{token}") for token in (letter.reply_token, UNKNOWN)]
    assert {(page.status_code, page.data) for page in pages} == {(500, pages[0].data)}
    assert "暂时打不开" in pages[0].text and "掌灯" not in pages[0].text and pages[0].headers["X-Robots-Tag"]
    assert letter.reply_token not in caplog.text and type(error).__name__ in caplog.text


@pytest.mark.parametrize(("way", "path", "status"), [("put", "/R/x", 405), ("get", "/r/x/y", 404), ("get", "/r/", 404)])
def test_a_mistyped_address_of_a_customer_shows_no_page_of_the_staff(app, session, way, path, status):
    page = getattr(app.test_client(), way)(path)
    assert page.status_code == status and "暂时打不开" in page.text and "掌灯" not in page.text


def test_a_ticket_opens_its_own_letter_only(session, stranger, letter):
    other = make_letter(session, make_customer(session), letter.campaign)
    session.commit()
    assert fill(stranger, other, enter(stranger, letter), all="same").status_code == 403
    assert fill(stranger, letter, "forged", all="same").status_code == 403


def test_a_letter_answered_on_paper_only_thanks(session, stranger, letter):
    ticket = enter(stranger, letter)
    key_return(session, letter.token, Form(all_same=True), staff=make_staff(session, "clerk"))
    session.commit()
    assert "谢谢" in stranger.get(f"/r/{letter.reply_token}").text
    fill(stranger, letter, ticket, new_email="a@b.cn")
    assert not session.query(Reply).count() and letter.answered_by == "paper"


def test_english_for_who_reads_english(stranger, letter):
    page = stranger.get(f"/r/{letter.reply_token}?lang=en")
    assert '<html lang="en">' in page.text and stranger.get(
        f"/r/{letter.reply_token}", headers={"Accept-Language": "en-GB"}
    ).text.startswith(page.text[:60])


def test_the_code_is_on_letters_once_there_is_a_public_address(session, app, customer):
    administrator = browse(app, session, make_staff(session, "administrator"))
    assert administrator.post("/admin/replies/address", {"address": "http://hd.example.cn/x"}).status_code == 303
    assert public_address.current(session) == ""
    administrator.post("/admin/replies/address", {"address": "https://hd.example.cn/"})
    session.expire_all()
    letter = make_letter(session, customer)
    assert letter.facts["letter"]["reply_url"] == f"HTTPS://HD.EXAMPLE.CN/R/{letter.reply_token}"
    assert session.get(Setting, public_address.KEY).value == "https://hd.example.cn"


@pytest.mark.parametrize("text", ["http://hd.example.cn", "hd.example.cn", "https://hd.example.cn/r", "https://局.cn"])
def test_an_address_that_no_code_can_hold_stops_the_start(monkeypatch, text):
    monkeypatch.setenv(public_address.VARIABLE, text)
    with pytest.raises(Refused, match="LAMPLIGHTER_PUBLIC_ADDRESS 要写成"):
        public_address.check_environment()
    (found,) = doctor.run(Namespace(), create_app)["checks"]
    assert (found["name"], found["ok"]) == ("settings", False) and text in found["advice"]
    monkeypatch.setenv(public_address.VARIABLE, "https://HD.example.cn:8443/")
    public_address.check_environment()


def test_staff_page_through_what_came_in(session, app, stranger, letter, monkeypatch):
    monkeypatch.setattr(pages_replies, "LISTED", 1)
    fill(stranger, letter, enter(stranger, letter), new_email="a@b.cn")
    kept = session.query(Reply).one()
    facts = {name: getattr(kept, name) for name in ("letter_id", "customer_id", "unit_id", "proved_by", "came_from")}
    stamps = {"answered_at": kept.answered_at, "recorded_at": kept.recorded_at, "results": {}, "duplicate": True}
    session.add(Reply(key="1" * 32, **facts, **stamps))
    session.commit()
    clerk = browse(app, session, make_staff(session, "clerk"))
    first = clerk.get("/admin/replies/").text
    following = re.search(r'href="([^"]*before=\d+)"', first)[1]
    assert "另存备查" in first and "已变更" not in first and "已变更" in clerk.get(following).text


def test_staff_see_what_came_in(session, app, stranger, letter):
    fill(stranger, letter, enter(stranger, letter), new_email="a@b.cn")
    page = browse(app, session, make_staff(session, "clerk")).get("/admin/replies/").text
    assert "已变更" in page and "欧阳*" in page and "欧阳建国" not in page


def test_an_answer_stays_listed_where_its_customer_has_moved_to_another_unit(session, app, stranger, letter):
    fill(stranger, letter, enter(stranger, letter), all="same")
    here, there = (make_unit(session) for _unit in range(2))
    session.query(Reply).update({"unit_id": here.id})
    letter.unit_id, letter.customer.unit_id = here.id, there.id
    session.commit()
    page = browse(app, session, make_staff(session, "clerk", here)).get("/admin/replies/")
    assert page.status_code == 200 and "HD" in page.text and "欧阳" not in page.text


@pytest.mark.slow
@pytest.mark.browser
@needs_chromium
def test_a_customer_answers_on_a_phone(session, app, letter):
    address, clerk = f"/r/{letter.reply_token}", make_staff(session, "clerk")
    with driven(app, session, clerk, size=NARROW, expected=("403",)) as page:
        page.goto(address)
        for answer, heading in ((WRONG, "没有核对上"), (RIGHT, "现在还对吗？")):
            assert serious_findings(page) == []
            page.fill("#answer", answer)
            page.click("button[type=submit]")
            page.wait_for_selector(f"h1:has-text('{heading}')")
            assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
            assert serious_findings(page) == []
            if answer == WRONG:
                page.click("main a")
        page.fill("[name=new_mobile]", "13902800241")
        page.check("[name=is_postal_address][value=same]")
        page.press("[name=new_mobile]", "Enter")
        page.wait_for_selector("h1:has-text('谢谢')")
    session.expire_all()
    places = [(line["place"], line["reply"]) for line in session.scalars(select(Reply)).one().answers["lines"]]
    assert places == [("mobile", "new"), ("postal_address", "same")]
