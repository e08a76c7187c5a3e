"""What each source gained: new values only, each figure a part of it, findings and age counted, costs where given."""

from datetime import timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Contact
from models.clock import now, today, utcnow
from services import Refused, yields
from services.contacts import Finding, confirm
from services.yields import Asked


def asked(session, **facts):
    day = today(session)
    return Asked(**{"first": day - timedelta(days=30), "last": day, **facts})


def by_source(session, **facts):
    return {row.source: row for row in yields.yields(session, asked(session, **facts))}


def value(session, customer, number, source="visit"):
    return make_contact(session, customer, raw=number, value=f"+86{number}", source=source)


def test_only_what_a_customer_did_not_have_is_gained(session, shell):
    customer = make_customer(session)
    value(session, customer, "13911110001", "import")
    value(session, customer, "13911110001", "visit")
    value(session, customer, "13911110002", "visit")
    found = by_source(session)
    assert (found["import"].gained, found["visit"].gained, found["hotline"].gained) == (1, 1, 0)


def test_findings_count_as_they_stand_now(session, shell):
    right, wrong, again = (value(session, make_customer(session), f"1391111000{n}") for n in range(3))
    confirm(session, [Finding(right.id, "confirmed", "call"), Finding(wrong.id, "refuted", "call")])
    confirm(session, [Finding(again.id, "refuted", "call")])
    confirm(session, [Finding(again.id, "confirmed", "visit")])
    found = by_source(session)["visit"]
    assert (found.gained, found.proved, found.refuted) == (3, 2, 1)


def test_kept_is_asked_of_values_that_are_old_enough(session, shell):
    rows = [value(session, make_customer(session), f"1391111000{n}") for n in range(3)]
    for row in rows[:2]:
        row.current_from = now(session) - timedelta(days=100)
    rows[0].state = "stopped"
    session.flush()
    found = by_source(session)["visit"]
    assert (found.gained, found.old, found.kept) == (3, 2, 1)


def test_a_period_and_a_unit_narrow_the_figures(session, shell):
    unit = make_unit(session)
    old, new = (
        value(session, make_customer(session), "13911110001"),
        value(session, make_customer(session, unit), "13911110002"),
    )
    old.created_at = utcnow() - timedelta(days=300)
    session.flush()
    assert by_source(session)["visit"].gained == 1
    assert by_source(session, first=today(session) - timedelta(days=400))["visit"].gained == 2
    assert by_source(session, unit_id=unit.id)["visit"].gained == 1
    assert yields.first_since(session, utcnow() - timedelta(days=1)) == new.id


def test_every_figure_opens_as_many_values(session, shell):
    rows = [value(session, make_customer(session), f"1391111000{n}") for n in range(4)]
    confirm(session, [Finding(rows[0].id, "confirmed", "call"), Finding(rows[1].id, "refuted", "call")])
    wanted, found = asked(session), by_source(session)["visit"]
    for name in ("gained", "proved", "refuted", "old", "kept"):
        listed = select(Contact.id).where(
            yields.gained(session, wanted), yields.figure(session, name, wanted)
        )
        assert len(session.scalars(listed).all()) == getattr(found, name), name


def test_costs_give_the_cost_of_a_proof(session, shell):
    rows = [value(session, make_customer(session), f"1391111000{n}") for n in range(4)]
    confirm(session, [Finding(rows[0].id, "confirmed", "call")])
    yields.set_costs(session, {"visit": "2.5", "import": ""}, staff=shell)
    found = by_source(session)
    assert (found["visit"].cost_per_proof, found["import"].cost_per_proof) == (10.0, None)


@pytest.mark.parametrize("text", ["much", "-1", "1e9"])
def test_a_cost_that_is_none_is_refused(session, shell, text):
    with pytest.raises(Refused):
        yields.set_costs(session, {"visit": text}, staff=shell)
    with pytest.raises(Refused):
        yields.set_costs(session, {"visit": "1"}, staff=make_staff(session, "clerk"))
