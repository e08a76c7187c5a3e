
import pytest
from counting import kept, with_local_numbers
from factories import make_unit
from sqlalchemy import select, update

from models import Contact, Customer, Step, Trace
from models.counts import current_set
from services import Refused, contacts, count_sets, rejudging
from services.counts import recount
from services.rejudging import Selection
from workflows import engine, runs


@pytest.fixture
def unit(session):
    """A unit whose area code nobody has stated yet: its local numbers are invalid."""
    unit = make_unit(session, area_code="", region="")
    return unit


def verdicts(session, kind="landline"):
    query = (
        select(Contact.verdict, Contact.value, Contact.state).where(Contact.kind == kind).order_by(Contact.id)
    )
    return [tuple(row) for row in session.execute(query)]


def carried_out(session, staff, workflow, row):
    node = {"preview_judging": "look", "judge_again": "judge", "count_again": "count"}[workflow]
    run = runs.start(session, workflow, {f"{node}.set": row.id}, staff)
    session.commit()
    engine.drain()
    session.expire_all()
    assert run.state == "done", run.message
    return run


def test_a_verdict_follows_the_rules_of_today_and_the_value_stays(session, shell, unit):
    ids = with_local_numbers(session, unit, raw="+86 757 8633 4455", value="+8675786334455")
    before = kept(session)
    row = rejudging.plan(session, Selection())
    session.commit()
    carried_out(session, shell, "preview_judging", row)
    assert row.figures["preview"]["changed"] == 3 and kept(session) == before
    assert row.figures["preview_changes"] == {"landline|invalid|valid": 3}
    carried_out(session, shell, "judge_again", row)
    assert verdicts(session) == [("valid", "+8675786334455", "current")] * 3
    assert (row.state, current_set(session), row.figures["changes"]) == (
        "current",
        row.id,
        row.figures["preview_changes"],
    )
    after = kept(session)
    recount(session)
    assert kept(session) == after != before
    traces = session.scalars(select(Trace).where(Trace.action == "contact.judged")).all()
    assert sorted(trace.customer_id for trace in traces) == ids and "8633" not in str(traces[0].details)


def test_another_value_is_proposed_and_never_put_in(session, shell, unit):
    with_local_numbers(session, unit, 1)
    unit.area_code = "0757"
    row = rejudging.plan(session, Selection())
    session.commit()
    carried_out(session, shell, "judge_again", row)
    assert verdicts(session) == [("invalid", "", "current"), ("valid", "+8675786334455", "proposed")]
    again = rejudging.plan(session, Selection())
    session.commit()
    carried_out(session, shell, "judge_again", again)
    assert len(verdicts(session)) == 2 and again.figures["done"]["proposed"] == 0


def test_only_what_was_chosen_is_judged(session, shell, unit):
    facts = {"raw": "+86 757 8633 4455", "value": "+8675786334455"}
    with_local_numbers(session, unit, 1, **facts)
    other = make_unit(session, area_code="0757")
    with_local_numbers(session, other, 1, **facts)
    row = rejudging.plan(session, Selection(unit_id=other.id, kinds=("landline",)))
    session.commit()
    carried_out(session, shell, "judge_again", row)
    assert [verdict for verdict, *_rest in verdicts(session)] == ["invalid", "valid"]


def test_figures_stay_until_everybody_was_judged(session, shell, unit, monkeypatch):
    monkeypatch.setattr(count_sets, "SPAN", 2)
    with_local_numbers(session, unit, 5, raw="+86 757 8633 4455", value="+8675786334455")
    row, before = rejudging.plan(session, Selection()), kept(session)
    count_sets.begin(session, row.id)
    for first, last in count_sets.spans(session):
        found = rejudging.judge_span(session, Selection(), first, last)
        rejudging.apply_span(session, row.id, last, found.judged)
        assert rejudging.apply_span(session, row.id, last, found.judged)["counted"] == 0
        assert kept(session, set_id=0) == before
    contacts.end(session, session.scalars(select(Contact.id)).all()[:1], "stopped", action="contact.stopped")
    with_local_numbers(session, make_unit(session), 1)
    count_sets.swap(session, row.id)
    after = kept(session)
    recount(session)
    assert kept(session) == after


def test_what_changed_since_it_was_looked_at_keeps_its_verdict(session, shell, unit):
    (key,) = with_local_numbers(session, unit, 1, raw="+86 757 8633 4455", value="+8675786334455")
    row = rejudging.plan(session, Selection())
    count_sets.begin(session, row.id)
    found = rejudging.judge_span(session, Selection(), 1, key)
    session.execute(update(Contact).values(verdict="suspect"))
    assert rejudging.apply_span(session, row.id, key, found.judged)["applied"] == 0
    assert [verdict for verdict, *_rest in verdicts(session)] == ["suspect"]


def test_a_newer_one_takes_over_and_the_older_one_is_refused(session, shell, unit):
    with_local_numbers(session, unit)
    older, newer = rejudging.plan(session, Selection()), rejudging.plan(session, Selection())
    count_sets.begin(session, older.id)
    count_sets.begin(session, newer.id)
    with pytest.raises(Refused):
        rejudging.apply_span(session, older.id, 10, ())
    session.refresh(older)
    assert (older.state, kept(session, set_id=older.id)) == ("given_up", set())


@pytest.mark.slow
@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_broken_off_and_gone_on_gives_the_same(session, shell, unit, monkeypatch, stop_after):
    monkeypatch.setattr(count_sets, "SPAN", 2)
    with_local_numbers(session, unit, 5, raw="+86 757 8633 4455", value="+8675786334455")
    row = rejudging.plan(session, Selection())
    run = runs.start(session, "judge_again", {"judge.set": row.id}, shell)
    session.commit()
    left, real = [stop_after], rejudging.apply_span

    def breaking(*args, **facts):
        left[0] -= 1
        if not left[0]:
            raise MemoryError
        return real(*args, **facts)

    monkeypatch.setattr(rejudging, "apply_span", breaking)
    engine.drain(most=1)
    session.expire_all()
    assert row.state == "building"
    monkeypatch.setattr(rejudging, "apply_span", real)
    if run.state in ("failed", "parked", "partly_failed"):
        runs.retry(session, run)
    session.execute(update(Step.__table__).values(not_before=None))  # it would be tried again in a minute
    session.commit()
    engine.drain()
    session.expire_all()
    assert (run.state, row.state, row.figures["done"]["changed"]) == ("done", "current", 5)
    after = kept(session)
    recount(session)
    assert kept(session) == after and {verdict for verdict, *_rest in verdicts(session)} == {"valid"}


def test_a_unit_without_customers_is_counted_again(session, shell):
    row = count_sets.plan(session, "recounted")
    session.commit()
    carried_out(session, shell, "count_again", row)
    assert (row.state, session.query(Customer).count()) == ("current", 0)
