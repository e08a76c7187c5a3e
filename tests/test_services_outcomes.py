"""One outcome a customer: pure folding, and deciding in the tables."""

import pytest
from factories import make_campaign, make_customer, make_letter
from hypothesis import given
from hypothesis import strategies as st

from models import Recipient
from services.outcomes import FINAL, STRENGTH, decide, outcome_after, replay

REACHED = ("visited", "refused", "confirmed", "changed")


@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((), None),
        (("silent",), "silent"),
        (("undelivered", "confirmed"), "confirmed"),
        (("changed", "undelivered"), "changed"),
        (("silent", "changed"), "changed"),
        (("silent", "not_reached"), "not_reached"),
        (("not_reached", "undelivered"), "not_reached"),
        (("undelivered", "visited"), "visited"),
        (("visited", "changed"), "changed"),
        (("changed", "visited"), "visited"),
        (("refused", "confirmed"), "confirmed"),
        (("excluded", "changed"), "excluded"),
        (("withdrawn", "silent"), "withdrawn"),
    ],
)
def test_last_decisive_event_wins(events, outcome):
    assert outcome_after(events) == outcome


@given(st.lists(st.sampled_from(sorted(set(STRENGTH) - set(FINAL)))))
def test_an_answer_beats_a_return_in_any_order(events):
    reached = [event for event in events if event in REACHED]
    assert outcome_after(events) == (reached[-1] if reached else outcome_after(events))
    assert (outcome_after(events) is None) == (not events)


def test_weaker_events_change_nothing_in_the_tables(session):
    campaign, customer = make_campaign(session), make_customer(session)
    make_letter(session, customer, campaign)
    for event, changed in (("silent", 1), ("changed", 1), ("undelivered", 0), ("confirmed", 1)):
        assert decide(session, campaign.id, [customer.id], event) == changed
    assert session.query(Recipient).one().outcome == "confirmed"


def test_replay_says_what_still_stands(session):
    letter = make_letter(session, make_customer(session))
    recipient = session.get_one(Recipient, letter.recipient_id)
    recipient.outcome = "changed"
    assert replay(session, recipient) is None
    letter.state = "silent"
    assert replay(session, recipient) == "silent"
