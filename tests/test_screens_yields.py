"""Yield and reach on screen: figures open the values behind them."""

import re

from browsing import browse
from factories import make_contact, make_customer, make_staff

from services import yields


def test_a_figure_opens_its_values(app, session, shell):
    customer = make_customer(session)
    make_contact(session, customer, raw="13911110001", value="+8613911110001", source="visit")
    browser = browse(app, session, make_staff(session, "data_steward"))
    page = browser.get("/admin/yields/").get_data(as_text=True)
    link = re.search(r'href="(/admin/yield_values/[^"]*figure=gained[^"]*)"', page).group(1).replace("&amp;", "&")
    listed = browser.get(link).get_data(as_text=True)
    assert customer.account_no in listed
    assert "139****0001" in listed
    assert customer.account_no not in browser.get(link.replace("visit", "import")).get_data(as_text=True)


def test_costs_are_kept_and_shown(app, session, shell):
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert browser.post("/admin/yields/costs", {"visit": "12.5"}).status_code == 303
    assert yields.costs(session) == {"visit": 12.5}
    assert "12.50" in browser.get("/admin/yields/?first=2026-01-01&last=bad&unit=999").get_data(as_text=True)


def test_reach_counts_what_is_kept(app, session, shell):
    make_contact(session, make_customer(session))
    page = browse(app, session, make_staff(session, "data_steward")).get("/admin/reach/").get_data(as_text=True)
    assert "100.00%" in page
