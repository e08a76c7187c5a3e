"""The balance of scanned sides: every side once, by batch and by campaign, and the nightly look at what is lost."""


import pytest
from factories import make_campaign, make_customer, make_letter, make_staff
from sheet_making import make_sheet

from models import Campaign, KeyJob, ScanBatch, Setting, Sheet, Trace
from models.clock import move_to, now
from services import health, key_leases, sheet_balances
from services.key_jobs import key, next_job, open_jobs
from services.sheet_balances import Fault, SheetBalance
from workflows import clock_runs, engine

STATES = ("to_key", "to_key", "accepted", "front", "duplicate", "foreign", "blank", "unidentified")


@pytest.fixture
def batch(session):
    """A batch of eight sides, of which one is keyed already."""
    campaign = make_campaign(session)
    sheets = []
    for state in STATES:
        on = ("all.same", "signature") if state == "accepted" else ("person", "signature")
        sheets.append(make_sheet(session, make_letter(session, make_customer(session), campaign), state, on=on))
    sheets[-1].letter_id = None
    open_jobs(session, sheets)
    clerk = make_staff(session, "clerk")
    key(session, next_job(session, clerk, "once"), "value", "王五", staff=clerk)
    key_leases.release(session, clerk)
    found = session.query(ScanBatch).one()
    found.sides = len(STATES)
    session.flush()
    return found


@pytest.mark.slow
def test_every_side_is_counted_once_by_batch_and_by_campaign(session, batch):
    whole = SheetBalance(1, 0, 2, 1, *(1,) * 5)
    assert sheet_balances.batch_balances(session, [batch.id, 0]) == {batch.id: whole, 0: SheetBalance()}
    assert whole.sheets == batch.sides
    campaign_id = session.query(Campaign).one().id
    of_campaign = sheet_balances.campaign_balances(session, [campaign_id])[campaign_id]
    assert of_campaign == SheetBalance(1, 0, 2, 1, *(1,) * 4, unidentified=0)


@pytest.mark.slow
def test_what_adds_up_raises_nothing(session, batch):
    found = sheet_balances.faults(session)
    assert found == []
    sheet_balances.keep_result(session, found)
    assert health.sheets().ok


@pytest.mark.slow
def test_whatever_is_lost_is_raised(session, batch):
    sheets = {sheet.state: sheet for sheet in session.query(Sheet).order_by(Sheet.id)}
    batch.sides += 1
    sheets["blank"].state = "gone"
    sheets["to_key"].state = "review"
    for job in session.query(KeyJob).filter_by(sheet_id=sheets["to_key"].id):
        session.delete(job)
    sheets["accepted"].keying_id = None
    session.flush()
    found = sheet_balances.faults(session)
    sheet_balances.keep_result(session, found)
    assert found == [Fault(batch.id, code, 1) for code in ("sides", "state", "idle", "unwritten")]
    assert not health.sheets().ok
    assert session.query(Trace).filter_by(action="sheets.differ").one().details["batches"] == [batch.id]


@pytest.mark.slow
def test_a_run_of_the_night_keeps_that_nothing_is_lost(session, batch, monkeypatch):
    looks, faults = [], sheet_balances.faults
    monkeypatch.setattr(
        sheet_balances, "faults", lambda asked: looks.append(asked.info["readonly"]) or faults(asked)
    )
    move_to(session, now(session).replace(hour=2, minute=0))
    session.commit()
    clock_runs.check_balances()
    engine.drain()
    session.expire_all()
    assert looks == [True]  # it holds up no writer
    assert session.get(Setting, sheet_balances.KEY).value["number"] == 0
