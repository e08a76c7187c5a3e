"""The pages that explain what judging says."""

from browsing import browse
from factories import make_contact, make_customer, make_staff

from quality.reasons import REASONS


def test_every_reason_has_its_page(app, session, root):
    staff = make_staff(session, unit=root)
    browser = browse(app, session, staff)
    index = browser.get("/admin/judging_reasons/").text
    assert all(f"/admin/judging_reasons/{code}" in index for code in REASONS)
    page = browser.get("/admin/judging_reasons/stray_zero").text
    assert "013923112345" in page and "+8613923112345" in page and "可规范" in page
    assert browser.get("/admin/judging_reasons/nonsense").status_code == 404


def test_a_customers_page_leads_from_a_verdict_to_its_explanation(app, session, root):
    staff = make_staff(session, unit=root)
    customer = make_customer(session, unit=root)
    make_contact(session, customer, verdict="suspect", reasons="repeated_digits")
    page = browse(app, session, staff).get(f"/admin/customers/{customer.id}").text
    assert REASONS["repeated_digits"] in page and "/admin/judging_reasons/repeated_digits" in page
