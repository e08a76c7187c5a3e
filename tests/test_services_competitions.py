import random
from datetime import date, datetime, timedelta

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Competition, ScoreEntry, StandingSet
from models.clock import ZONE, move_to, now
from services import Refused, boards, competitions, contacts, scores
from services.competitions import Plan
from services.contacts import Finding


@pytest.fixture
def november(session):
    """The bureau on 10 November 2026."""
    move_to(session, datetime(2026, 11, 10, 9, tzinfo=ZONE))
    session.flush()
    return session


def plan(units, **facts):
    period = {"starts_on": date(2026, 11, 1), "ends_on": date(2026, 11, 30)}
    base = {
        "code": "c1",
        "name": "竞赛",
        "points": {"mobile": 2, "email": 1},
        "divisions": {"A 组": [u.id for u in units]},
    }
    return Plan(**{**base, **period, **facts})


def opened(session, units):
    row = competitions.create(session, plan(units), unit=units[0].parent)
    competitions.open_competition(session, row)
    return row


def scored(session, unit, person=None, kind="mobile"):
    contact = make_contact(session, make_customer(session, unit), kind)
    contacts.confirm(session, [Finding(contact.id, "confirmed", "visit", credited_id=person and person.id)])
    return contact


@pytest.mark.parametrize(
    "facts",
    [
        {"ends_on": date(2026, 10, 1)},
        {"points": {}},
        {"points": {"mobile": 0}},
        {"points": {"shoe_size": 1}},
        {"divisions": {}},
    ],
)
def test_a_competition_that_cannot_be_run_is_refused(november, facts):
    unit = make_unit(november)
    with pytest.raises(Refused):
        competitions.create(november, plan([unit], **facts), unit=unit)


def test_a_unit_below_another_cannot_take_part_twice(november):
    above = make_unit(november)
    with pytest.raises(Refused, match="两次"):
        competitions.create(november, plan([above, make_unit(november, above)]), unit=above)


def test_what_was_confirmed_since_the_first_day_counts_at_opening(november):
    unit = make_unit(november)
    scored(november, unit)
    row = opened(november, [unit])
    assert [(r.code, r.score, r.numerator, r.denominator) for r in boards.live(november, row, "unit")] == [
        (unit.code, 2.0, 1, 1)
    ]


def test_units_and_persons_are_ranked_with_one_tie_rule(november):
    units = [make_unit(november) for _ in range(4)]
    people = [make_staff(november, "account_manager", unit) for unit in units]
    row = opened(november, units)
    for unit, person, times in zip(units, people, (2, 1, 1, 0), strict=True):
        for _time in range(times):
            scored(november, unit, person)
    assert [(r.rank, r.tied, r.code) for r in boards.live(november, row, "unit")] == [
        (1, False, units[0].code),
        (2, True, units[1].code),
        (2, True, units[2].code),
        (4, False, units[3].code),
    ]
    assert [r.rank for r in boards.live(november, row, "person")] == [1, 2, 2]


def test_points_of_units_below_count_for_the_unit_that_takes_part(november):
    above = make_unit(november)
    row = opened(november, [above])
    scored(november, make_unit(november, above))
    assert boards.live(november, row, "unit")[0].score == 2


def test_a_reversed_entry_leaves_neither_points_nor_fact(november):
    unit = make_unit(november)
    row = opened(november, [unit])
    contact = scored(november, unit)
    scored(november, unit, kind="email")
    scores.reverse(november, ScoreEntry.contact_id == contact.id, evidence="undo")
    found = boards.live(november, row, "unit")[0]
    assert (found.score, found.numerator) == (1, 1)


def test_standings_at_a_moment_see_only_entries_up_to_it(november):
    unit = make_unit(november)
    row = opened(november, [unit])
    scored(november, unit)
    moment = now(november)
    move_to(november, moment + timedelta(days=1))
    scored(november, unit)
    assert [boards.board(november, row, "unit", at=at)[0].score for at in (moment, None)] == [2, 4]


@pytest.mark.slow
def test_any_order_of_entries_gives_the_same_standings(november):
    units = [make_unit(november) for _ in range(3)]
    row = opened(november, units)
    facts = [(unit, kind) for unit in units for kind in ("mobile", "email")] * 2
    for unit, kind in random.Random(3).sample(facts, len(facts)):
        scored(november, unit, kind=kind)
    assert {(r.rank, r.score) for r in boards.live(november, row, "unit")} == {(1, 6.0)}


def test_frozen_standings_stay_when_the_ledger_changes(november):
    unit = make_unit(november)
    row = opened(november, [unit])
    contact = scored(november, unit)
    with pytest.raises(Refused, match="才结束"):
        competitions.start_counting(november, row)
    move_to(november, datetime(2026, 12, 1, 8, tzinfo=ZONE))
    competitions.start_counting(november, row)
    scored(november, unit)
    competitions.freeze(november, row)
    scores.reverse(november, ScoreEntry.contact_id == contact.id, evidence="undo")
    november.flush()
    assert boards.board(november, row, "unit")[0].score == 2
    assert boards.live(november, row, "unit")[0].score == 0
    assert november.scalars(select(StandingSet.number)).all() == [1]


def test_publicity_lasts_its_working_days(november):
    row = opened(november, [make_unit(november)])
    move_to(november, datetime(2026, 12, 1, 8, tzinfo=ZONE))
    competitions.start_counting(november, row)
    competitions.freeze(november, row)
    assert competitions.publish(november, row) == date(2026, 12, 8)
    with pytest.raises(Refused, match="公示期"):
        competitions.finish(november, row)
    move_to(november, datetime(2026, 12, 9, 8, tzinfo=ZONE))
    competitions.finish(november, row)
    assert november.get_one(Competition, row.id).state == "final"


def test_states_are_not_skipped(november):
    row = opened(november, [make_unit(november)])
    with pytest.raises(Refused, match="不能进入"):
        competitions.freeze(november, row)


def test_every_change_moves_the_boards_revision(november):
    unit = make_unit(november)
    row = opened(november, [unit])
    before = boards.revision(november, "c1")
    scored(november, unit)
    assert boards.revision(november, "c1") == before + 1
    assert boards.revision(november, "nothing") is None
    assert row.code == "c1"


def test_a_key_opens_its_board_until_it_is_revoked(november):
    row = opened(november, [make_unit(november)])
    key = boards.issue_key(november, row, "一楼大屏")
    assert (
        boards.opens(november, "c1", key)
        and not boards.opens(november, "c1", "")
        and not boards.opens(november, "c2", key)
    )
    (stored,) = november.query(boards.BoardKey).all()
    boards.revoke_key(november, stored)
    november.flush()
    assert not boards.opens(november, "c1", key)
