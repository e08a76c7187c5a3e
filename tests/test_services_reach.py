"""Which channels reach a customer: the list in memory and the condition in SQL say the same."""

import pytest
from factories import make_contact, make_customer
from sqlalchemy import select, update

from models import Consent, Customer
from models.clock import now
from services import contacts, reach
from services.contacts import Finding, confirm

MOBILE = {"kind": "mobile"}
CASES = [
    ("a good mobile", [MOBILE], [], "", {"sms", "call"}),
    ("a mobile to be cleaned", [MOBILE | {"verdict": "repairable"}], [], "", {"sms", "call"}),
    ("a doubtful mobile", [MOBILE | {"verdict": "suspect"}], [], "", set()),
    ("a mobile found wrong", [MOBILE], [], "refuted", set()),
    ("a mobile found right", [MOBILE], [], "confirmed", {"sms", "call"}),
    ("a mobile whose finding was taken back", [MOBILE], [], "withdrawn", {"sms", "call"}),
    ("a landline", [{"kind": "landline", "value": "+8675783334444"}], [], "", {"call"}),
    ("an address", [{"kind": "supply_address", "value": "佛山市"}], [], "", {"letter"}),
    ("an opt-out", [MOBILE], [("sms", False)], "", {"call"}),
    ("an opt-out taken back", [MOBILE], [("sms", False), ("sms", True)], "", {"sms", "call"}),
    ("nothing", [], [], "", set()),
]


@pytest.mark.parametrize(("_what", "contacts", "consents", "finding", "expected"), CASES)
def test_channels_follow_values_findings_and_wishes(
    session, shell, _what, contacts, consents, finding, expected
):
    customer = make_customer(session)
    rows = [make_contact(session, customer, **facts) for facts in contacts]
    facts = {
        "customer_id": customer.id,
        "unit_id": customer.unit_id,
        "source": "visit",
        "since": now(session),
    }
    for channel, granted in consents:
        session.add(Consent(purpose="business", channel=channel, granted=granted, **facts))
        reach.keep(session, [customer.id])
    if finding:
        confirm(session, [Finding(rows[0].id, "refuted" if finding != "confirmed" else finding, "call")])
    if finding == "withdrawn":
        confirm(session, [Finding(rows[0].id, "withdrawn", "call")])
    assert set(reach.channels_of(session, [customer.id])[customer.id]) == expected
    by_sql = {
        name for name in reach.CHANNELS if session.scalar(select(Customer.id).where(reach.reached_by(name)))
    }
    assert by_sql == expected
    assert (session.scalar(select(Customer.id).where(reach.unreachable())) is None) == bool(expected)


def test_a_recount_finds_and_mends_what_is_not_true(session, shell):
    right, wrong = make_customer(session), make_customer(session)
    make_contact(session, right)
    make_contact(session, wrong, "email", raw="a@b.cn", value="a@b.cn")
    assert sum(reach.recount(session)) == 0
    session.execute(update(Customer).values(reach=31))
    assert sum(reach.recount(session)) == 2
    assert (right.reach, wrong.reach) == (reach.BITS["sms"] | reach.BITS["call"], reach.BITS["email"])


def test_reach_follows_a_value_that_is_replaced_and_stopped(session, shell):
    customer = make_customer(session)
    mobile = make_contact(session, customer)
    landline = make_contact(session, customer, "landline", value="+8675783334444", replaces_id=mobile.id)
    assert reach.channels_in(customer.reach) == ("call",)
    contacts.end(session, [landline.id], "stopped", action="contact.stopped")
    assert customer.reach == 0


def test_rates_count_open_customers_by_unit(session, shell, root):
    reached, silent = make_customer(session), make_customer(session)
    make_contact(session, reached)
    make_contact(session, silent)
    make_contact(session, silent, "email", raw="a@b.cn", value="a@b.cn")
    facts = {"customer_id": silent.id, "unit_id": root.id, "source": "visit", "since": now(session)}
    session.add_all(
        Consent(purpose="business", channel=name, granted=False, **facts) for name in ("sms", "call")
    )
    reach.keep(session, [silent.id])
    wrong = make_customer(session)
    confirm(session, [Finding(make_contact(session, wrong).id, "refuted", "call")])
    make_customer(session, closed_on=now(session).date())
    counts = {"sms": 1, "call": 1, "wechat": 0, "email": 1, "letter": 0, "any": 2}
    assert reach.rates(session) == [reach.Rate(root.id, 3, counts)]
