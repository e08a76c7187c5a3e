"""Duplicates and merges on screen: found, decided, merged by two people, taken back."""

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import CustomerMerge, DuplicatePair, Run
from services import duplicates

DOOR = "桂城街道南海大道1号1栋1单元101室"


def pair(session, unit=None):
    rows = [make_customer(session, unit, name=name) for name in ("陈大文", "陳大文")]
    for row in rows:
        make_contact(session, row, "supply_address", raw=DOOR, value=DOOR)
    make_contact(session, rows[1], "email", raw="a@b.cn", value="a@b.cn")
    sum(duplicates.find(session))
    return session.scalars(select(DuplicatePair)).one().id, rows


@pytest.mark.slow
def test_two_people_merge_and_take_back(app, session, shell):
    key, (first, second) = pair(session)
    kept, merged = first.id, second.id
    steward, leader = make_staff(session, "data_steward"), make_staff(session, "team_leader")
    browser = browse(app, session, steward)
    assert f"/admin/duplicates/{key}" in browser.get("/admin/duplicates/?decision=open").get_data(as_text=True)
    page = browser.get(f"/admin/duplicates/{key}").get_data(as_text=True)
    assert "同一门户" in page
    assert "陈大文" not in page
    form = {"kept": kept, "merged": merged, "email": "both", "evidence": "工单 3"}
    assert browser.get(f"/admin/merges/propose?kept={kept}&merged={merged}").status_code == 200
    assert browser.post("/admin/merges/propose", form).status_code == 303
    row = session.scalars(select(CustomerMerge)).one()
    own = browser.post(f"/admin/merges/{row.id}/approve")
    session.expire_all()
    assert (own.status_code, row.state) == (303, "proposed") or own.status_code == 302
    other = browse(app, session, leader)
    assert "合并客户待审核" in other.get("/admin/").get_data(as_text=True)
    assert "合并客户待审核" not in browser.get("/admin/").get_data(as_text=True)
    assert other.post(f"/admin/merges/{row.id}/approve").status_code == 303
    session.expire_all()
    assert (row.state, second.merged_into_id) == ("merged", kept)
    assert first.account_no in other.get(f"/admin/customers/{merged}").get_data(as_text=True)
    assert second.account_no in other.get(f"/admin/customers/{kept}").get_data(as_text=True)
    listed = other.get("/admin/customers/?closed=1").get_data(as_text=True)
    assert f'<a class="state bad" href="/admin/customers/{kept}">' in listed
    assert other.post(f"/admin/merges/{row.id}/unmerge").status_code == 303
    session.expire_all()
    assert (row.state, second.merged_into_id, second.closed_on) == ("unmerged", None, None)
    assert "已撤销合并" in other.get("/admin/merges/?state=unmerged").get_data(as_text=True)


def test_a_decision_leaves_the_open_list(app, session, shell):
    key, _rows = pair(session)
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert browser.post(f"/admin/duplicates/{key}/decide", {"decision": "different"}).status_code == 303
    assert f"/admin/duplicates/{key}" not in browser.get("/admin/duplicates/").get_data(as_text=True)
    assert f"/admin/duplicates/{key}" in browser.get("/admin/duplicates/?decision=different").get_data(as_text=True)


def test_a_proposal_without_evidence_keeps_what_was_chosen(app, session, shell):
    _key, (first, second) = pair(session)
    browser = browse(app, session, make_staff(session, "clerk"))
    form = {"kept": first.id, "merged": second.id, "email": "kept", "evidence": ""}
    answer = browser.post("/admin/merges/propose", form)
    assert answer.status_code == 422
    assert '<option value="kept" selected>' in answer.get_data(as_text=True)


def test_a_pair_that_reaches_outside_is_not_shown(app, session, shell):
    mine = make_unit(session)
    key, _rows = pair(session)
    inside, _ = make_customer(session, mine), session.flush()
    session.get(DuplicatePair, key).first_id = inside.id
    browser = browse(app, session, make_staff(session, "clerk", mine))
    assert browser.get(f"/admin/duplicates/{key}").status_code == 404


def test_looking_again_is_a_run(app, session, shell):
    browser = browse(app, session, make_staff(session, "data_steward"))
    assert browser.post("/admin/duplicates/find").status_code == 303
    assert session.scalar(select(Run.id)) is not None
