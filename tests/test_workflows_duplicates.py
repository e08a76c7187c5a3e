"""Looking for duplicates as a workflow: the same pairs as in one go, and nothing to do the second time."""

from factories import make_contact, make_customer
from sqlalchemy import func, select

from models import DuplicatePair, MatchKey
from workflows import engine, runs

DOOR = "桂城街道南海大道1号1栋1单元101室"


def found(session, shell):
    run = runs.start(session, "find_duplicates", {}, shell)
    session.commit()
    engine.drain()
    session.expire_all()
    return run


def test_duplicates_are_found_by_a_run(session, shell):
    for name in ("陈大文", "陳大文", "李四"):
        row = make_customer(session, name=name)
        make_contact(session, row, "supply_address", raw=DOOR, value=DOOR)
    run = found(session, shell)
    assert (run.state, run.facts["keys"]["customers"], run.facts["pairs"]["pairs"]) == ("done", 3, 3)
    kinds = session.scalars(select(DuplicatePair.suggested).order_by(DuplicatePair.suggested)).all()
    assert kinds == ["duplicate", "tenancy", "tenancy"]
    again = found(session, shell)
    assert (again.facts["keys"]["customers"], again.facts["pairs"]["pairs"]) == (0, 3)
    assert session.scalar(select(func.count()).select_from(MatchKey)) > 0
