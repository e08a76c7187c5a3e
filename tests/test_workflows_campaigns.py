"""The contact survey from selection to closing, carried by the engine, with real paper."""

import csv
from datetime import timedelta

import pikepdf
import pytest
from factories import ADDRESS, make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Campaign, FormVersion, Letter, PrintRun, Recipient, StepItem, Task, Visit
from models.clock import end_of_day, move_to
from services import Refused, files, print_files
from services.balances import balance
from services.print_files import Span
from services.returns import Form, key_return
from services.undelivered import record_undelivered
from workflows import clock, engine, runs
from workflows.tasks import decide_task

VALUES = {"select.name": "秋季核对", "select.kinds": "mobile", "select.reply_days": "10"}
LONG = "广东省佛山市南海区" + "桂城街道平洲夏东涌口村工业区" * 8 + "12号"


def started(session, shell, customers=3, **values):
    """A survey run until it waits for somebody to post the letters."""
    for _ in range(customers):
        make_contact(session, make_customer(session), "supply_address", raw=ADDRESS, value=ADDRESS)
    run = runs.start(session, "contact_survey", VALUES | values, shell)
    session.commit()
    engine.drain()
    session.expire_all()
    return run, session.scalars(select(Campaign)).one()


def post(session):
    task = session.scalars(select(Task).where(Task.kind == "workflow")).one()
    decide_task(session, task, make_staff(session, "clerk"), "posted")
    session.commit()
    engine.drain()
    session.expire_all()


@pytest.mark.slow
def test_the_survey_runs_from_selection_to_closing(session, shell):
    make_contact(session, make_customer(session, legal_hold=True), "supply_address", raw=ADDRESS, value=ADDRESS)
    make_contact(session, make_customer(session), "supply_address", raw=LONG, value=LONG)
    run, campaign = started(session, shell, 4)
    letters = session.scalars(select(Letter).order_by(Letter.serial)).all()
    assert (run.state, campaign.state, campaign.name) == ("waiting", "running", "秋季核对")
    assert balance(session, campaign.id).to_post == 4 == len(letters)
    assert set(session.scalars(select(Recipient.exclusion))) == {"", "legal_hold", "address_too_long"}
    check_paper(session, campaign)
    post(session)
    assert balance(session, campaign.id).open == 4
    clerk = make_staff(session, "clerk")
    key_return(session, letters[0].token, Form(all_same=True), staff=clerk)
    record_undelivered(session, letters[1].token, "moved", staff=clerk)
    move_to(session, end_of_day(campaign.reply_by) + timedelta(days=4))
    session.commit()
    assert clock.wake_due_waits() == 2  # for the returns, and for the day of a reminder
    engine.drain()
    session.expire_all()
    sheet = balance(session, campaign.id)
    assert (run.state, campaign.state) == ("done", "closed")
    assert (sheet.answered, sheet.undelivered, sheet.silent, sheet.excluded) == (1, 1, 2, 2)
    assert sorted(session.scalars(select(Visit.origin))) == ["silent", "silent", "undelivered"]
    assert None not in session.scalars(select(Recipient.outcome)).all()


def check_paper(session, campaign):
    """One print run, one frozen form, and a file with every token on its back."""
    stack = session.scalars(select(PrintRun)).one()
    assert (stack.serial_from, stack.serial_to, stack.letters, stack.pages) == (1, 4, 4, 8)
    form = session.scalars(select(FormVersion)).one()
    assert {box["id"] for box in form.boxes["pages"][1]["boxes"]} >= {"mobile.same", "postal_address.1", "consent"}
    with pikepdf.open(files.location(stack.sha256)) as pdf:
        assert len(pdf.pages) == 8


@pytest.mark.slow
def test_printing_takes_pages_marks_once_and_gives_the_same_bytes(session, shell, tmp_path):
    _run, campaign = started(session, shell, 3)
    written = []
    for name in ("first.pdf", "again.pdf"):
        sheets = print_files.gather(session, campaign, Span())
        print_files.write(sheets, tmp_path / name, day=print_files.sent_on(session, campaign))
        print_files.mark_printed(session, campaign, sheets)
        written.append((tmp_path / name).read_bytes())
    assert written[0] == written[1] and (tmp_path / "first.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert {row.state for row in session.scalars(select(Letter))} == {"printed"}
    assert session.scalars(select(PrintRun)).one().state == "printed"
    part = print_files.gather(session, campaign, Span(2, 2))
    assert print_files.write(part, tmp_path / "part.pdf", day=print_files.sent_on(session, campaign)).pages == 2
    with open(tmp_path / "part.csv", encoding="utf-8-sig", newline="") as file:
        head, row = csv.reader(file)
    assert row[head.index("函件编号")].endswith("-00002") and (row[7], row[8]) == ("1", "2")
    with pytest.raises(Refused, match="没有可打印的函件"):
        print_files.gather(session, campaign, Span(9, None))


@pytest.mark.slow
def test_a_print_step_that_runs_again_makes_no_second_letter(session, shell):
    _run, campaign = started(session, shell, 2)
    step = session.scalars(select(StepItem.step_id).order_by(StepItem.id.desc())).first()
    before = [(row.token, row.serial) for row in session.scalars(select(Letter))]
    session.commit()
    engine.run_step(step)
    assert [(row.token, row.serial) for row in session.scalars(select(Letter))] == before


def test_nobody_to_write_to_ends_the_run(session, shell):
    run, campaign = started(session, shell, 0)
    assert (run.state, campaign.state, balance(session, campaign.id).targeted) == ("done", "closed", 0)


def test_half_made_letters_are_not_printed(session, shell):
    run, campaign = started(session, shell, 0)
    customer = make_customer(session)
    session.add(Recipient(campaign_id=campaign.id, customer_id=customer.id, unit_id=customer.unit_id))
    session.flush()
    with pytest.raises(Refused, match="还差 1 封"):
        print_files.gather(session, campaign, Span())


@pytest.mark.slow
def test_characters_that_no_font_has_are_named_and_the_letter_is_printed(session, shell):
    named = make_customer(session, name="张\U0003134a")
    make_contact(session, named, "supply_address", raw=ADDRESS, value=ADDRESS)
    run, _campaign = started(session, shell, 0)
    assert run.facts["print"]["letters"] == 1 and "\U0003134a" in run.facts["print"]["missing"][0]


@pytest.mark.slow
def test_texts_that_no_box_holds_are_named_and_the_letter_is_printed(session, shell):
    station = make_unit(session, name="某" * 80)
    make_contact(session, make_customer(session, station), "supply_address", raw=ADDRESS, value=ADDRESS)
    run, _campaign = started(session, shell, 0)
    (named,) = run.facts["print"]["cut"]
    number, text = named.split(" ")
    assert run.facts["print"]["letters"] == 1 and number.endswith("-00001")
    assert text.startswith("某某") and text.endswith("…")
