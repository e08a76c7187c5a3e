"""Why one letter failed, found out from the run's page; the page and what needs a person in a real browser."""

from __future__ import annotations

import pytest
from driving import barriers, driven, serious_findings
from factories import ADDRESS, make_contact, make_customer, make_staff
from flask import Flask
from needs import needs_chromium
from playwright.sync_api import expect
from running import begin, go_on
from sqlalchemy import select
from sqlalchemy.orm import Session
from test_workflows_turns import BAD, each, lanes, noting, parts  # noqa: F401 a fixture

from models import Campaign, Customer, Letter, PrintRun, Staff, Trace
from workflows import engine, runs

pytestmark = [pytest.mark.slow, pytest.mark.browser, needs_chromium]

LONG = "广东省佛山市南海区" + "桂城街道平洲夏东涌口村工业区" * 8 + "12号"
VALUES = {"select.name": "秋季核对", "select.kinds": "mobile", "select.reply_days": "10"}


@pytest.fixture
def failed(session: Session, shell: Staff) -> tuple[int, int, str]:
    """A contact survey in which one of three letters failed: its address is too long for the window."""
    for _ in range(2):
        make_contact(session, make_customer(session), "supply_address", raw=ADDRESS, value=ADDRESS)
    customer = make_customer(session, name="佛山市南海区平洲五金厂")
    make_contact(session, customer, "supply_address", raw=LONG, value=LONG)
    run = runs.start(session, "contact_survey", VALUES, shell)
    session.commit()
    engine.drain()
    facts = (run.id, customer.id, customer.account_no)
    session.commit()
    return facts


def test_a_clerk_finds_out_why_one_letter_failed(
    app: Flask, session: Session, failed: tuple[int, int, str]
) -> None:
    run_id, customer_id, account_no = failed
    clerk = make_staff(session, "service_specialist")
    with driven(app, session, clerk, expected=("422",)) as page:
        page.goto(f"/admin/runs/{run_id}")
        row = page.locator("#failed-letters tbody tr")
        expect(row).to_have_count(1)
        expect(row).to_contain_text("地址过长")
        expect(row).to_contain_text("信封窗口里放不下")
        row.get_by_role("button", name="补发").click()
        expect(page.get_by_text("请先把地址改短")).to_be_visible()
        page.goto(f"/admin/runs/{run_id}")
        page.locator("#failed-letters").get_by_role("link", name=account_no).click()
        expect(page).to_have_url(f"{page.url.partition('/admin')[0]}/admin/customers/{customer_id}")
        make_contact(
            session, session.get_one(Customer, customer_id), "postal_address", raw=ADDRESS, value=ADDRESS
        )
        session.commit()
        page.goto(f"/admin/runs/{run_id}")
        page.locator("#failed-letters").get_by_role("button", name="补发").click()
        expect(page.get_by_text("函件已补出")).to_be_visible()
        expect(page.locator("#failed-letters")).to_have_count(0)
    session.expire_all()
    letter = session.scalars(select(Letter).where(Letter.customer_id == customer_id)).one()
    assert (letter.serial, letter.state, letter.recipient.exclusion, letter.recipient.outcome) == (
        3,
        "composed",
        "",
        None,
    )
    assert len(session.scalars(select(PrintRun)).all()) == 2
    assert (
        session.scalars(select(Trace).where(Trace.action == "recipient.taken_back")).one().customer_id
        == customer_id
    )
    assert session.scalars(select(Campaign.state)).one() == "running"


def test_a_runs_page_draws_its_picture_and_is_accessible(app: Flask, session: Session, shell: Staff) -> None:
    BAD["b"] = {2, 6}
    BAD["z"] = set()
    run = begin(
        session,
        shell,
        lanes([noting("x")], [noting("y")]),
        each(noting("a"), noting("b")),
        noting("z", refuse=True),
    )
    run_id = run.id
    with driven(app, session, make_staff(session, "data_steward")) as page:
        page.goto(f"/admin/runs/{run_id}")
        expect(page.locator(".picture[data-drawn]")).to_be_visible()
        expect(page.locator(".djs-element.failed")).to_have_count(1)
        expect(page.locator(".djs-overlay .mark.done").first).to_have_text("✓")
        expect(page.locator(".bjs-powered-by")).to_be_visible()
        assert barriers(page) == []
        page.goto("/admin/attention/")
        assert not serious_findings(page)
        page.get_by_label("选中 试验").check()
        BAD.clear()
        page.get_by_role("button", name="重试勾选的").click()
        expect(page.get_by_text("已重试 1 个流程实例")).to_be_visible()
    assert go_on(session, run).state == "done"
