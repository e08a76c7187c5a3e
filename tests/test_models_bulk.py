"""Rows written at the driver's speed are the rows that the session reads back."""

from factories import make_customer
from sqlalchemy import select

from models import Trace, Unit
from models.bulk import among, insert_rows, insert_stored, stored, take_ids, update_stored
from models.clock import utcnow

TRACES = Trace.__table__


def a_trace(unit_id, key, **facts):
    base = {"id": key, "at": utcnow(), "action": "test.done", "object": "units", "unit_id": unit_id}
    return base | {"details": {"字": [key]}} | facts


def test_rows_read_back_as_they_were_given(session, root):
    keys = take_ids(session, TRACES, 3)
    rows = [a_trace(root.id, key) for key in keys]
    insert_rows(session, TRACES, rows)
    found = session.scalars(select(Trace).where(Trace.id.in_(keys)).order_by(Trace.id)).all()
    assert [(row.id, row.at, row.details) for row in found] == [(r["id"], r["at"], r["details"]) for r in rows]


def test_columns_left_out_get_their_default(session, root):
    keys = take_ids(session, Unit.__table__, 1)
    row = {"id": keys[0], "code": "X", "name": "班组", "kind": "team", "path": "/x/"}
    insert_rows(session, Unit.__table__, [row])
    unit = session.get(Unit, keys[0])
    assert (unit.area_code, unit.deadline_days, unit.parent_id) == ("", 5, None)


def test_what_the_driver_handed_out_is_written_back_unchanged(session, root):
    table, names = Unit.__table__, Unit.__table__.c.keys()
    (line,) = stored(session, table, names, among("id", [root.id]))
    copy = {"id": root.id + 1, "code": "COPY", "name": "副本"}
    insert_stored(session, table, names, [tuple(copy.get(n, v) for n, v in zip(names, line, strict=True))])
    update_stored(session, table, ("id", "name", "deadline_days"), [(root.id + 1, "班组", 7)])
    unit = session.get(Unit, root.id + 1)
    assert (unit.name, unit.deadline_days, unit.kind, unit.path) == ("班组", 7, root.kind, root.path)
    assert stored(session, table, names, among("id", [])) == []


def test_keys_taken_are_not_given_to_the_next_row(session, root):
    keys = take_ids(session, TRACES, 2)
    insert_rows(session, TRACES, [a_trace(root.id, key) for key in keys])
    following = Trace(**{name: value for name, value in a_trace(root.id, 0).items() if name != "id"})
    session.add(following)
    session.flush()
    assert following.id > max(keys)


def test_pending_rows_are_written_first(session):
    customer = make_customer(session)
    customer.name = "李四"
    insert_rows(session, TRACES, [a_trace(customer.unit_id, key) for key in take_ids(session, TRACES, 1)])
    assert customer not in session.dirty
