"""Signing in: throttled, one answer for every failure, a session that ends, no way to another host."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from browsing import browse
from factories import make_staff
from flask import Flask, request
from flask_security import hash_password

from models import SignIn, SignInAttempt, Trace
from screens import site
from screens.pages.accounts import safe_target
from services import Refused, accounts

PASSWORD = "Lamp-2026"


@pytest.fixture(scope="module")
def hashed(core):
    with core.app_context():
        return hash_password(PASSWORD)


@pytest.fixture
def person(session, hashed):
    staff = make_staff(session, username="zhangsan", password=hashed)
    session.commit()
    return staff


@pytest.fixture
def stranger(app, session, monkeypatch):
    """A browser in which nobody has signed in, with the token switched off."""
    monkeypatch.setitem(app.config, "WTF_CSRF_ENABLED", False)
    client = app.test_client()

    def sign_in(password, login="zhangsan", **options):
        session.commit()
        return client.post("/login", data={"username": login, "password": password}, **options)

    client.sign_in = sign_in
    return client


def test_a_right_password_opens_a_new_session(session, stranger, person):
    with stranger.session_transaction() as before:
        before["left"] = "by a stranger"
    answer = stranger.sign_in(PASSWORD)
    assert answer.status_code == 303 and answer.headers["Location"] == "/"
    with stranger.session_transaction() as after:
        assert "left" not in after and after["secret"]
    assert session.query(SignIn).one().staff_id == person.id
    assert session.query(Trace).filter_by(action="staff.signed_in").count() == 1


@pytest.mark.slow
def test_unknown_and_wrong_get_the_same_answer(stranger, person):
    tries = (("wrong", "zhangsan"), ("wrong", "nobody"), (PASSWORD, "shell"))
    answers = [stranger.sign_in(password, login) for password, login in tries]
    assert {answer.status_code for answer in answers} == {401}
    assert all(answer.text.count("登录名或密码不正确。") == 1 for answer in answers)
    assert len({re.sub(r'(value|nonce|content)="[^"]*"', "", answer.text) for answer in answers}) == 1


def test_an_unknown_login_takes_the_time_of_a_known_one(core, session, person, monkeypatch):
    seen = []
    monkeypatch.setattr(accounts, "verify_password", lambda given, kept: seen.append(kept))
    accounts.right_password(None, "x", decoy="decoy")
    accounts.right_password(person, "x", decoy="decoy")
    assert seen == ["decoy", person.password]


@pytest.mark.slow
def test_five_wrong_passwords_close_the_account_for_a_quarter(session, stranger, person):
    for _ in range(5):
        assert stranger.sign_in("wrong").status_code == 401
    assert stranger.sign_in(PASSWORD).status_code == 429
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=16), tick=False):
        assert stranger.sign_in(PASSWORD).status_code == 303
    assert session.query(SignInAttempt).count() == 0


def test_attempts_count_by_address_too(session):
    for number in range(accounts.WRONG_BY_ADDRESS):
        accounts.claim_attempt(session, f"login{number}", address="10.0.0.1", key="00" * 32)
    with pytest.raises(accounts.Throttled):
        accounts.claim_attempt(session, "another", address="10.0.0.1", key="00" * 32)
    accounts.claim_attempt(session, "another", address="10.0.0.2", key="00" * 32)


def test_neither_login_nor_address_stands_in_the_throttle(session):
    accounts.claim_attempt(session, "zhangsan", address="10.0.0.1", key="00" * 32)
    session.flush()
    row = session.query(SignInAttempt).one()
    assert "zhangsan" not in row.account_key and "10.0.0.1" not in row.address_key


def test_signing_out_makes_the_cookie_worthless(app, session, person):
    browser = browse(app, session, person)
    cookie = browser.client.get_cookie("lamplighter").value
    assert browser.get("/admin/").status_code == 200
    assert browser.post("/logout").status_code == 303
    thief = app.test_client()
    thief.set_cookie("lamplighter", cookie)
    assert thief.get("/admin/").status_code == 302


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (31, 302)])
def test_a_session_ends_after_half_an_idle_hour(app, session, person, minutes, status):
    browser = browse(app, session, person)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=minutes), tick=False):
        assert browser.get("/admin/").status_code == status


def test_a_session_ends_after_twelve_hours_of_work(app, session, person):
    browser = browse(app, session, person)
    began = datetime.now(UTC)
    statuses = []
    for minutes in range(25, 13 * 60, 25):
        with time_machine.travel(began + timedelta(minutes=minutes), tick=False):
            statuses.append((minutes, browser.get("/alive").status_code))
    assert {status for minutes, status in statuses if minutes < 720} == {204}
    assert {status for minutes, status in statuses if minutes > 720} == {302}


def test_a_one_time_password_opens_only_the_page_that_changes_it(app, session, person):
    person.must_change = True
    browser = browse(app, session, person)
    assert browser.get("/admin/customers/").headers["Location"] == "/password"
    form = {"password": PASSWORD, "new": "Neue-Lampe-7", "again": "Neue-Lampe-7"}
    assert browser.post("/password", form).status_code == 303
    assert browser.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"password": "wrong", "new": "Neue-Lampe-7", "again": "Neue-Lampe-7"}, "原密码不正确"),
        ({"password": PASSWORD, "new": "Neue-Lampe-7", "again": "Neue-Lampe-8"}, "不一致"),
        ({"password": PASSWORD, "new": "lamplight", "again": "lamplight"}, "密码太弱"),
        ({"password": PASSWORD, "new": "Zhangsan-1", "again": "Zhangsan-1"}, "不能含有登录名"),
        ({"password": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "不能和原密码相同"),
    ],
)
def test_a_bad_new_password_is_refused(app, session, person, form, said):
    answer = browse(app, session, person).post("/password", form)
    assert answer.status_code == 422 and said in answer.text


@pytest.mark.parametrize(
    "target",
    ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "/a\nb", "", None],
)
def test_nobody_is_sent_to_another_host(app, target):
    with app.test_request_context():
        assert safe_target(target) == "/"


def test_the_way_back_stays_on_this_site(stranger, person):
    answer = stranger.post(
        "/login", data={"username": "zhangsan", "password": "x", "next": "/admin/customers/?unit=2"}
    )
    assert 'value="/admin/customers/?unit=2"' in answer.text


@pytest.mark.parametrize(("address", "secure"), [("http://localhost/", False), ("https://localhost/", True)])
def test_the_cookie_is_closed_to_scripts_and_other_sites(stranger, person, address, secure):
    cookie = stranger.sign_in(PASSWORD, base_url=address).headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and ("Secure" in cookie) is secure


def test_the_language_stays_with_the_person(app, session, person):
    browser = browse(app, session, person)
    browser.post("/language", {"locale": "en", "next": "/admin/"})
    session.expire_all()
    assert person.locale == "en" and '<html lang="en">' in browser.get("/admin/").text
    assert browser.post("/language", {"locale": "xx"}).status_code == 400


def test_readiness_is_told_to_this_machine_or_with_the_token(app, session):
    client = app.test_client()
    assert client.get("/healthz").json == {"ok": True}
    assert {check["name"] for check in client.get("/readyz").json["checks"]} == {"database", "queue", "clock"}
    elsewhere = {"REMOTE_ADDR": "10.0.0.9"}
    assert client.get("/readyz", environ_base=elsewhere).status_code == 404
    assert client.get("/readyz", headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 404
    token = {"Authorization": f"Bearer {app.config['METRICS_TOKEN']}"}
    assert client.get("/readyz", environ_base=elsewhere, headers=token).status_code == 200


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_a_cookie_is_secure_where_the_page_came_by_https_whatever_customers_use(app, monkeypatch, scheme, secure):
    monkeypatch.setenv("LAMPLIGHTER_PUBLIC_ADDRESS", "https://hd.example.cn")
    with app.test_request_context(base_url=f"{scheme}://in.example.cn"):
        assert app.session_interface.get_cookie_secure(app) is secure


def test_a_proxy_is_believed_only_as_far_as_it_was_set_up(app):
    made = Flask("x")
    made.config["PROXY_HOPS"] = "1"
    made.add_url_rule("/", view_func=lambda: f"{request.remote_addr} {request.scheme}")
    forged = {"X-Forwarded-For": "1.1.1.1, 10.0.0.9", "X-Forwarded-Proto": "https"}
    assert made.test_client().get("/", headers=forged).text == "127.0.0.1 http"
    site.trust_proxies(made)
    assert made.test_client().get("/", headers=forged).text == "10.0.0.9 https"
    made.config["PROXY_HOPS"] = "many"
    with pytest.raises(Refused, match="层数"):
        site.trust_proxies(made)
