"""What a trial run shows of messages, of leaving out and of drawing: counts by reason, nothing written or sent."""

import pytest
from factories import ADDRESS, make_contact, make_customer
from sqlalchemy import func, select

from models import Message, Outgoing, Run
from services import trials
from services.workflows import Definition, publish
from workflows import trial_runs, trying

SELECT = {"id": "select", "step": "select_customers", "options": {"name": "核对", "recent_days": 0}}
FREEZE = {"id": "freeze", "step": "freeze_recipients"}


def customers(session, number, **facts):
    """Customers whom the survey selects, because no e-mail is recorded."""
    for _ in range(number):
        customer = make_customer(session, **facts)
        make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)
        make_contact(session, customer, value=f"+86138{customer.id:08}", raw=f"138{customer.id:08}")


def tried(session, staff, *nodes, **assumed):
    publish(session, Definition("any_tree", "任意", "", "workflows.start", list(nodes), "x"), None)
    trial = trial_runs.prepare(session, "any_tree", {}, staff)
    trial.assumed = assumed
    session.commit()
    found = trying.reckon(trial.id)
    trials.keep(session, trial, **{"result": found["result"], "digest": found["sha256"]})
    return {one["node"]: one for one in trial.result["nodes"]}


@pytest.mark.slow
def test_messages_are_counted_with_every_reason(session, shell):
    customers(session, 3)
    make_contact(session, make_customer(session), "supply_address", raw=ADDRESS, value=ADDRESS)
    found = tried(
        session,
        shell,
        SELECT,
        FREEZE,
        {"id": "sms", "step": "send_sms"},
        {"id": "mail", "step": "send_email"},
    )
    assert (found["sms"]["figures"], found["sms"]["excluded"]) == ({"messages": 3}, {"no_value": 1})
    assert (found["mail"]["figures"].get("emails", 0), found["mail"]["excluded"]) == (0, {"no_value": 4})
    assert found["sms"]["results"] == {"sent": 3, "suppressed": 1}
    assert [
        session.scalar(select(func.count()).select_from(table)) for table in (Message, Outgoing, Run)
    ] == [0, 0, 0]


@pytest.mark.slow
def test_reminders_follow_what_is_assumed_of_the_answers(session, shell):
    customers(session, 10)
    nodes = (SELECT, FREEZE, {"id": "print", "step": "print_letters"}, {"id": "remind", "step": "remind"},
             {"id": "again", "step": "print_reminders"})  # fmt: skip
    found = tried(session, shell, *nodes, answered=0.4, undelivered=0.1)
    assert found["remind"]["figures"] == {"messages": 5}
    assert found["again"]["figures"] == {"reminders": 5}


@pytest.mark.slow
def test_who_is_left_out_or_not_drawn_gets_no_letter(session, shell):
    customers(session, 4)
    customers(session, 2, sensitivity="high")
    out = {"id": "out", "step": "exclude", "options": {"reasons": ["sensitive"]}}
    draw = {"id": "draw", "step": "sample", "options": {"by": "number", "number": 1}}
    found = tried(session, shell, SELECT, out, draw, FREEZE)
    assert (found["out"]["excluded"], found["draw"]["excluded"]) == ({"sensitive": 2}, {"not_drawn": 3})
    assert found["freeze"]["results"] == {"recipients": 1}
