"""Batch changes on the screens: begun from a form, tried by a worker, decided by another, taken back, printed."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO

import pytest
from browsing import browse
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import BatchChange, BatchChangeLine, Contact, Run, Trace
from models.people import root_unit
from quality import judge
from quality.verdicts import Context
from workflows import engine

REGION = "广东省佛山市"
PHONES = ("手机：13827465109", "手机：13926148037", "13751920846（儿子）")
PLATES = "原路名,原门牌号,新路名,新门牌号\r\n汾江南路,18,文昌路,20号\r\n"


@pytest.fixture
def steward(app, session):
    return browse(app, session, make_staff(session, "data_steward"))


@pytest.fixture
def head(app, session):
    return browse(app, session, make_staff(session, "station_head"))


def keep(session, kind, text):
    unit = make_unit(session, region=REGION)
    found = judge(kind, text, Context("0757", REGION))
    judged = {"raw": text, "value": found.value, "verdict": found.verdict, "reasons": ";".join(found.reasons)}
    recorded = datetime(2005, 1, 1, tzinfo=UTC)
    return make_contact(session, make_customer(session, unit), kind, **judged, recorded_at=recorded, preferred=True)


def work(session):
    session.commit()
    engine.drain()
    session.expire_all()


def begun(session, steward, kind="cleanup", **form):
    """A change tried by a worker, and the address of its page."""
    answer = steward.post(f"/admin/batch_changes/begin/{kind}", {"unit": str(root_unit(session).id), **form})
    assert answer.status_code == 303, answer.text
    work(session)
    return session.scalars(select(BatchChange)).one(), answer.location


@pytest.mark.slow
def test_clean_ups_go_from_trial_to_effect_and_back(session, steward, head):
    for text in PHONES:
        keep(session, "mobile", text)
    change, page = begun(session, steward)
    text = steward.get(page).text
    assert change.state == "planned" and "提交审核" in text and "去掉，核对后采用" in text
    assert "13827465109" not in text and "138****5109" in text
    steward.post(f"{page}/submit")
    work(session)
    assert "要由别人审核" in steward.get(page).text and ">全部通过<" not in steward.get(page).text
    assert "批量变更待审核" in head.get("/admin/").text
    head.post(f"{page}/approve", {"cause": "label"})
    work(session)
    assert change.state == "waiting"
    head.post(f"{page}/refuse", {"reason": "no_evidence"})
    work(session)
    states = session.scalars(select(BatchChangeLine.state).order_by(BatchChangeLine.id)).all()
    assert (change.state, states) == ("applied", ["applied", "applied", "refused"])
    steward.post(f"{page}/undo")
    work(session)
    raws = session.scalars(select(Contact.raw).where(Contact.state == "current").order_by(Contact.customer_id)).all()
    assert (change.state, tuple(raws)) == ("undone", PHONES)
    assert "已恢复" in steward.get(page).text


def test_a_moving_change_shows_its_progress_and_then_renews_the_page(session, steward):
    keep(session, "mobile", PHONES[0])
    unit = session.scalars(select(Contact.unit_id)).one()
    page = steward.post("/admin/batch_changes/begin/cleanup", {"unit": str(unit)}).location
    assert "试算中" in steward.get(page).text
    assert "HX-Refresh" not in steward.get(f"{page}/progress").headers
    work(session)
    assert steward.get(f"{page}/progress").headers["HX-Refresh"] == "true"


@pytest.mark.slow
def test_lines_are_listed_taken_out_and_decided_one_by_one(session, steward, head):
    for text in PHONES:
        keep(session, "mobile", text)
    change, page = begun(session, steward)
    ids = session.scalars(select(BatchChangeLine.id).order_by(BatchChangeLine.id)).all()
    listed = f"/admin/batch_change_lines/?change={change.id}"
    assert steward.get(f"{listed}&cause=label").text.count('name="rowid"') == 2
    steward.post("/admin/batch_change_lines/leave", {"rowid": str(ids[0]), "back": listed})
    steward.post(f"{page}/submit")
    work(session)
    head.post("/admin/batch_change_lines/approve", {"rowid": str(ids[1])})
    work(session)
    head.post("/admin/batch_change_lines/refuse", {"rowid": str(ids[2]), "choice": "no_evidence"})
    work(session)
    states = session.scalars(select(BatchChangeLine.state).order_by(BatchChangeLine.id)).all()
    assert states == ["left", "applied", "refused"]


def test_plain_values_are_shown_for_a_purpose_and_traced(session, steward, head):
    keep(session, "mobile", PHONES[0])
    begun(session, steward)
    line = session.scalars(select(BatchChangeLine.id)).one()
    form = {"rowid": str(line), "choice": "check"}
    assert head.post("/admin/batch_change_lines/reveal", form).status_code == 403
    purpose = re.search(r'name="choice"[^>]*><option value="(\w+)"', steward.get("/admin/batch_change_lines/").text)
    shown = steward.post("/admin/batch_change_lines/reveal", form | {"choice": purpose.group(1)}).text
    assert PHONES[0] in shown and session.query(Trace).filter_by(action="customer.revealed").count() == 1


def test_a_list_is_uploaded_tried_and_kept_as_evidence(session, steward):
    keep(session, "supply_address", "广东省佛山市禅城区石湾镇街道汾江南路18号3座502房")
    file = (BytesIO(PLATES.encode("gb18030")), "门牌变更.csv")
    form = {"document": "公安〔2010〕5号", "effective_on": "2010-01-01", "file": file}
    change, page = begun(session, steward, "door_plate_change", **form)
    assert "汾江南路 → 文昌路" in steward.get(page).text
    with steward.post(f"{page}/list") as answer:
        assert answer.data == PLATES.encode("gb18030")


def test_a_form_with_a_mistake_comes_back_with_what_was_filled(session, steward):
    unit = make_unit(session)
    form = {"unit": str(unit.id), "document": "文号", "rules": "0731-7-2"}
    answer = steward.post("/admin/batch_changes/begin/door_plate_change", form)
    assert answer.status_code == 422 and "请选择要上传的清单" in answer.text and 'value="文号"' in answer.text
    assert session.scalar(select(BatchChange.id)) is None and session.scalar(select(Run.id)) is None


def test_upgrade_rules_are_shown_with_their_day_and_basis(session, steward):
    page = steward.get("/admin/batch_changes/new/number_upgrade").text
    assert "2009-06-28" in page and "未确认" in page and "0733-XXXXXXX" in page


def test_a_dropped_trial_leaves_nothing(session, steward):
    keep(session, "mobile", PHONES[0])
    change, page = begun(session, steward)
    steward.post(f"{page}/drop")
    session.expire_all()
    assert change.state == "dropped" and session.scalar(select(BatchChangeLine.id)) is None


@pytest.mark.slow
def test_the_approval_sheet_is_printed_and_traced(session, steward):
    for text in PHONES:
        keep(session, "mobile", text)
    _change, page = begun(session, steward)
    answer = steward.post(f"{page}/sheet")
    assert answer.data.startswith(b"%PDF")
    assert session.query(Trace).filter_by(action="batch_change.printed").count() == 1


@pytest.mark.slow
def test_who_may_not_stays_outside(app, session, steward):
    keep(session, "mobile", PHONES[0])
    _change, page = begun(session, steward)
    clerk, leader = (browse(app, session, make_staff(session, role)) for role in ("clerk", "service_specialist"))
    assert clerk.get(page).status_code == 403 and leader.get(page).status_code == 200
    for address in ("submit", "drop", "approve", "refuse", "undo", "sheet", "list"):
        assert leader.post(f"{page}/{address}").status_code == 403
    assert ">提交审核<" not in leader.get(page).text
