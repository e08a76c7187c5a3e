"""The nightly proof of the balances: silent while all adds up, and naming what does not."""

import pytest
from browsing import browse
from factories import make_campaign, make_customer, make_letter, make_staff
from sqlalchemy import select

from models import PrintRun, Trace
from models.clock import move_to, now, utcnow
from services import balance_checks, health
from services.returns import Form, key_return
from services.undelivered import record_undelivered
from workflows import clock_runs, engine


@pytest.fixture
def letters(session):
    """Letters of one campaign: answered, undelivered, open."""
    staff, campaign = make_staff(session, "clerk"), make_campaign(session)
    found = [make_letter(session, make_customer(session), campaign) for _ in range(3)]
    key_return(session, found[0].token, Form(all_same=True), staff=staff)
    record_undelivered(session, found[1].token, "moved", staff=staff)
    return found


def differences(session):
    session.flush()
    return [(one.what, one.wanted, one.found) for one in balance_checks.check(session)]


def test_what_adds_up_is_not_mentioned(session, letters):
    assert differences(session) == []


def unanswer(session, letters):
    letters[0].state = "posted"


def answer(session, letters):
    letters[2].state = "answered"


def forget(session, letters):
    letters[1].posted_at = None


def close(session, letters):
    letters[2].campaign.state = "closed"


def lose(session, letters):
    session.get_one(PrintRun, letters[2].print_run_id).letters = 2


def repeat(session, letters):
    facts = {name: getattr(letters[2], name) for name in ("campaign_id", "recipient_id", "customer_id", "unit_id")}
    facts |= {"form_version_id": letters[2].form_version_id, "address_id": letters[2].address_id, "serial": 9}
    stamps = {"composed_at": utcnow(), "posted_at": utcnow(), "facts": letters[2].facts}
    session.add(type(letters[2])(token="ZZZZZZZZZZ", reply_token="Z" * 16, state="posted", **facts, **stamps))


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (unanswer, [("keyed", 0, 1)]),
        (answer, [("answered", 0, 1)]),
        (forget, [("posted", 2, 3)]),
        (close, [("closed", 0, 1)]),
        (lose, [("print_run", 2, 1)]),
        (repeat, [("targeted", 3, 4), ("posted", 3, 4)]),
    ],
)
def test_what_does_not_add_up_is_named(session, letters, spoil, expected):
    spoil(session, letters)
    assert differences(session) == expected


@pytest.mark.slow
def test_the_clock_proves_them_once_a_night_and_tells_who_can_mend_it(app, session, letters):
    letters[2].state = "answered"
    move_to(session, now(session).replace(hour=2, minute=0))
    session.commit()
    assert clock_runs.check_balances() and not clock_runs.check_balances()
    engine.drain()
    session.expire_all()
    assert len(session.scalars(select(Trace).where(Trace.action == "balances.differ")).all()) == 1
    assert not health.letters().ok and not balance_checks.is_due(session)
    page = browse(app, session, make_staff(session, "service_specialist"))
    assert "处平衡表对不上" in page.get("/admin/").text
    shown = page.get("/admin/campaigns/differences").text
    assert letters[0].campaign.code in shown and "记为已回函" in shown
