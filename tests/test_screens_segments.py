"""Segments in the browser: built line by line without script, counted, listed, chosen in a workflow's step."""

from __future__ import annotations

import pytest
from browsing import Browser, browse
from factories import make_customer, make_staff
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import SavedSegment

FORM = {
    "name": "高敏客户",
    "condition.joint": "all",
    "condition.0.field": "sensitivity",
    "condition.0.op": "eq",
    "condition.0.value": "high",
}


@pytest.fixture
def specialist(app: Flask, session: Session) -> Browser:
    make_customer(session, sensitivity="high", name="甲公司")
    make_customer(session, name="乙公司")
    return browse(app, session, make_staff(session, "service_specialist"))


@pytest.mark.slow
def test_a_segment_is_built_counted_kept_and_listed(specialist: Browser, session: Session) -> None:
    page = specialist.post("/admin/segments/new", {**FORM, "act": "add:condition"}).text
    assert 'name="condition.1.field"' in page and "读作" not in page
    page = specialist.post("/admin/segments/new", {**FORM, "act": "count"}).text
    assert "现在有 1 户" in page and "读作：敏感级别等于 高敏" in page
    assert session.scalar(select(SavedSegment.id)) is None
    assert specialist.post("/admin/segments/new", FORM).status_code == 303
    row = session.scalars(select(SavedSegment)).one()
    assert "敏感级别等于 高敏" in specialist.get("/admin/segments/").text
    page = specialist.get(f"/admin/segments/{row.id}/customers").text
    assert page.count('class="code"') == 1 and "甲公司" not in page
    changed = {
        **FORM,
        "name": "高敏或重点",
        "condition.0.op": "in",
        "condition.0.value": ["high", "attention"],
    }
    specialist.post(f"/admin/segments/{row.id}", changed)
    session.expire_all()
    assert session.get_one(SavedSegment, row.id).condition["value"] == ["high", "attention"]
    assert "确定删除" in specialist.post(f"/admin/segments/{row.id}/delete").text
    specialist.post(f"/admin/segments/{row.id}/delete", {"confirmed": "1"})
    assert session.scalar(select(SavedSegment.id)) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [({"name": ""}, "请填写客户群的名称"), ({"condition.0.value": "odd"}, "请从列出的值中选择"),
     ({"condition.0.field": ""}, "请选择要比较的内容")],
)  # fmt: skip
def test_what_is_not_complete_is_said_and_stays_typed(
    specialist: Browser, change: dict[str, str], said: str
) -> None:
    answer = specialist.post("/admin/segments/new", {**FORM, "description": "说明文字", **change})
    assert answer.status_code == 422 and said in answer.text and 'value="说明文字"' in answer.text


def test_a_campaign_is_previewed_for_a_segment(specialist: Browser, session: Session) -> None:
    specialist.post("/admin/segments/new", FORM)
    row = session.scalars(select(SavedSegment)).one()
    assert f'<option value="{row.code}"' in specialist.get("/admin/campaigns/new").text
    page = specialist.post("/admin/campaigns/preview", {"segment": row.code, "kinds": "mobile"}).text
    assert "选中 1 户" in page
