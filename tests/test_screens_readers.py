"""A page that reads never waits for who writes."""

from browsing import browse
from factories import make_staff
from sqlalchemy import event

from models import db


def test_a_page_that_reads_takes_no_write_lock(app, session):
    browser, begun = browse(app, session, make_staff(session, "data_steward")), []

    def note(*args):
        begun.append(args[2])

    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", note)
        answer = browser.get("/admin/customers/")
        event.remove(db.engine, "before_cursor_execute", note)
    assert answer.status_code == 200 and begun
    assert [statement for statement in begun if statement == "BEGIN IMMEDIATE"] == []
