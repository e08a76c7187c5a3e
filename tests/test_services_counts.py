from datetime import date, timedelta
from threading import Barrier, Thread

import pytest
from counting import kept
from factories import make_staff, make_unit
from sqlalchemy import select

from models import Contact, CountSet, Customer, QualityCount, db
from models.clock import now, today, utcnow
from models.counts import ANY_MONTH
from models.scope import ALL, set_scope
from services import assessments, contacts, customers
from services.contacts import Draft
from services.counts import recount


def open_customers(session, unit, number=3, **facts):
    """Customers through the one way in, the first opened this month."""
    first = today(session).replace(day=1)
    months = [first, date(2020, 1, 5), None]
    rows = [
        {"account_no": f"{unit.id}-{place}", "unit_id": unit.id, "opened_on": months[place % 3], **facts}
        for place in range(number)
    ]
    return customers.open_accounts(session, rows)


def draft(session, key, kind="mobile", **facts):
    unit_id = session.scalar(select(Customer.unit_id).where(Customer.id == key))
    base = {"raw": f"138{key:08}", "value": f"+86138{key:08}", "verdict": "valid", "source": "import"}
    base |= {"recorded_at": now(session) - timedelta(days=1)}
    return Draft(customer_id=key, unit_id=unit_id, kind=kind, **{**base, **facts})


def assert_kept(session):
    before = kept(session)
    recount(session)
    assert before == kept(session) and before


def test_what_comes_and_goes_is_counted(session, shell):
    unit, staff = make_unit(session), make_staff(session)
    ids = open_customers(session, unit)
    assert_kept(session)
    done = contacts.record(session, [draft(session, key, recorder_id=staff.id) for key in ids])
    bad = draft(session, ids[0], verdict="suspect", replaces_id=done.ids[0], source="self_service")
    waiting = contacts.record(session, [bad, draft(session, ids[1], "email", verdict="missing", value="")])
    assert_kept(session)
    contacts.settle(session, sorted(waiting.waiting))
    contacts.end(session, [done.ids[2]], "stopped", action="contact.stopped")
    assert_kept(session)
    customers.remove(session, ids[1:2])
    assert_kept(session)


@pytest.mark.parametrize("fact", ["unit_id", "manager_id", "customer_class", "opened_on"])
def test_a_customer_that_moves_takes_its_counts_along(session, shell, fact):
    ids = open_customers(session, make_unit(session))
    contacts.record(session, [draft(session, ids[0])])
    values = {"unit_id": make_unit(session).id, "manager_id": make_staff(session).id}
    values |= {"customer_class": "high_voltage", "opened_on": date(2019, 3, 1)}
    before = kept(session)
    customers.change(session, {key: {fact: values[fact]} for key in ids})
    assert kept(session) != before
    assert_kept(session)


def test_of_several_values_the_preferred_then_the_best_then_the_newest_counts(session):
    (key,) = open_customers(session, make_unit(session), 1)
    one, other = make_staff(session), make_staff(session)
    facts = {"verdict": "invalid", "value": "", "recorder_id": one.id}
    contacts.record(
        session, [draft(session, key, raw="1", **facts), draft(session, key, recorder_id=other.id)]
    )
    query = select(QualityCount.good).where(QualityCount.opened == ANY_MONTH, QualityCount.recorded > 0)
    assert session.execute(query.where(QualityCount.staff_id == other.id)).scalars().all() == [1]
    done = contacts.record(session, [draft(session, key, raw="2", preferred=True, **facts)])
    contacts.settle(session, sorted(done.waiting))
    assert session.execute(query.where(QualityCount.staff_id == one.id)).scalars().all() == [0]
    assert_kept(session)


def test_kept_counts_equal_an_assessment_of_the_running_month(session, shell):
    unit, staff = make_unit(session), make_staff(session)
    ids = open_customers(session, unit, 9, manager_id=staff.id)
    contacts.record(session, [draft(session, key, recorder_id=staff.id) for key in ids[::2]])
    contacts.record(session, [draft(session, key, "person", verdict="suspect") for key in ids[::3]])
    question = assessments.question(session, today(session).isoformat()[:7], unit)
    found = {
        (r.measure, r.cohort): r for r in assessments.count(session, question).results if r.level == "unit"
    }
    sums = {}
    for row in session.scalars(select(QualityCount)):
        held, more = sums.get(row.opened, (0, 0, 0)), (row.required, row.recorded, row.good)
        sums[row.opened] = tuple(map(sum, zip(held, more, strict=True)))
    new, all_ = sums[today(session).isoformat()[:7]], sums[ANY_MONTH]
    for cohort, counted in (("new", new), ("all", all_)):
        assert found["completeness", cohort].denominator == counted[0]
        assert found["completeness", cohort].numerator == found["validity", cohort].denominator == counted[1]
        assert found["validity", cohort].numerator == counted[2]


def test_a_set_being_built_hears_of_customers_that_it_has_counted(session):
    ids = open_customers(session, make_unit(session), 4)
    session.add(CountSet(state="building", reason="recount", counted_to=ids[1], created_at=utcnow()))
    session.flush()
    made = session.scalars(select(CountSet.id)).one()
    contacts.record(session, [draft(session, key) for key in ids])
    values = {
        number for name, _key, (number, *_rest) in kept(session, set_id=made) if name == "contact_counts"
    }
    assert values == {2}


def test_writers_of_the_same_counts_never_cross(core, session, shell):
    units = [make_unit(session) for _ in range(4)]
    ids = [key for unit in units for key in open_customers(session, unit)]
    drafts = {
        key: [draft(session, key, kind, raw=kind, value=kind) for kind in ("email", "wechat")] for key in ids
    }
    session.commit()
    barrier, errors = Barrier(2), []

    def write(keys):
        with core.app_context():
            set_scope(db.session(), ALL)
            barrier.wait()
            for _ in range(3):
                try:
                    contacts.record(db.session(), [one for key in keys for one in drafts[key]])
                    db.session.commit()
                except Exception as error:  # noqa: BLE001 the test tells which
                    errors.append(error)
            db.session.remove()

    threads = [Thread(target=write, args=(keys,)) for keys in (ids, ids[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors and session.query(Contact).count() == 2 * 3 * 2 * len(ids)
    assert_kept(session)
