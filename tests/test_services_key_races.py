"""Many people at one pile: every sheet is given to exactly one of them."""

from threading import Barrier, Lock, Thread

import pytest
from factories import make_customer, make_letter, make_staff
from sheet_making import make_sheet
from sqlalchemy import select

from models import KeyJob, Staff, db
from models.scope import ALL, set_scope
from services import key_leases
from services.key_jobs import open_jobs

SHEETS, PEOPLE = 16, 4


class Pile:
    """What is in whose hands at each moment, as the people themselves see it."""

    def __init__(self):
        self.guard, self.in_hand, self.done, self.twice = Lock(), set(), [], []

    def take(self, sheet_id):
        with self.guard:
            self.twice += [sheet_id] if sheet_id in self.in_hand else []
            self.in_hand.add(sheet_id)

    def put(self, sheet_id, job_id):
        with self.guard:
            self.in_hand.discard(sheet_id)
            self.done.append(job_id)


def work_through(core, staff_id, barrier, pile):
    """Take sheet after sheet; one field of each is done, the other given back for somebody else."""
    with core.app_context():
        session = db.session()
        set_scope(session, ALL)
        staff = session.get_one(Staff, staff_id)
        session.commit()
        barrier.wait()
        while jobs := key_leases.take(session, staff, "once"):
            (sheet_id,) = {job.sheet_id for job in jobs}
            session.commit()
            pile.take(sheet_id)
            jobs[0].state, jobs[0].held_by_id = "done", None
            session.commit()
            pile.put(sheet_id, jobs[0].id)
            key_leases.release(session, staff)
            session.commit()
        db.session.remove()


@pytest.mark.slow
def test_no_sheet_is_in_two_hands_and_no_field_given_twice(core, session):
    letter = make_letter(session, make_customer(session))
    open_jobs(session, [make_sheet(session, letter, on=("person", "email")) for _ in range(SHEETS)])
    people = [make_staff(session, "clerk").id for _ in range(PEOPLE)]
    session.commit()
    barrier, pile = Barrier(PEOPLE), Pile()
    threads = [Thread(target=work_through, args=(core, one, barrier, pile)) for one in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert pile.twice == []
    assert sorted(pile.done) == sorted(session.scalars(select(KeyJob.id)))
