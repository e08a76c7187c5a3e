"""Segments as SQL: each comparison finds whom it means, also where a value is missing; used by a campaign."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import Campaign, Customer, Recipient, SavedSegment, Visit
from models.clock import now, utcnow
from models.scope import Scope, set_scope
from services import Refused, saved_segments, segment_fields
from services.segments import Segment, check_segment, targets


@pytest.fixture
def people(session: Session) -> dict[str, Customer]:
    """A: high voltage, highly sensitive, valid mobile. B: residential, invalid mobile. C: nothing known, other unit."""
    unit, other = make_unit(session), make_unit(session)
    unit.code, other.code = "U1", "U2"
    a = make_customer(
        session, unit, customer_class="high_voltage", sensitivity="high", opened_on=date(2020, 5, 1)
    )
    b = make_customer(session, unit, opened_on=date(2026, 1, 1), transformer_area="T7")
    c = make_customer(session, other, opened_on=None)
    make_contact(session, a, kind="mobile", verdict="valid")
    make_contact(session, b, kind="mobile", verdict="invalid")
    a.reach, b.reach, c.reach = 2, 0, 0
    campaign = Campaign(code="k", name="春季", unit_id=unit.id, state="closed", created_at=utcnow())
    session.add(campaign)
    session.flush()
    base = {"campaign_id": campaign.id, "why": "", "exclusion": ""}
    session.add_all(
        [
            Recipient(**base, customer_id=a.id, unit_id=unit.id, outcome="silent"),
            Recipient(**base, customer_id=b.id, unit_id=unit.id, outcome="changed"),
            Visit(
                customer_id=b.id, unit_id=unit.id, origin="silent", state="done", token="T", created_at=utcnow(),
                ended_at=now(session) - timedelta(days=10, hours=3),
            ),
        ]
    )  # fmt: skip
    session.flush()
    return {"a": a, "b": b, "c": c, "campaign": campaign}  # type: ignore[dict-item]


def hit(session: Session, people: dict[str, Any], condition: Any) -> str:
    """The letters of the customers a condition finds."""
    saved_segments.check(session, condition)
    ids = set(session.scalars(saved_segments.members(session, condition).with_only_columns(Customer.id)))
    assert saved_segments.count(session, condition) == len(ids)
    return "".join(name for name in "abc" if people[name].id in ids)


def line(field: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "op": op} | ({} if value is None else {"value": value})


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (line("customer_class", "eq", "high_voltage"), "a"),
        (line("customer_class", "ne", "high_voltage"), "bc"),
        (line("sensitivity", "in", ["high", "attention"]), "a"),
        (line("unit", "eq", "U1"), "ab"),
        (line("unit", "ne", "U1"), "c"),
        (line("opened_on", "lt", "2025-01-01"), "a"),
        (line("opened_on", "ge", "2025-01-01"), "b"),
        ({"not": line("opened_on", "lt", "2025-01-01")}, "bc"),
        (line("opened_on", "ne", "2026-01-01"), "ac"),
        (line("opened_on", "empty"), "c"),
        (line("transformer_area", "eq", "T7"), "b"),
        (line("transformer_area", "filled"), "b"),
        (line("contact.mobile", "eq", "invalid"), "b"),
        (line("contact.mobile", "in", ["invalid", "missing"]), "bc"),
        (line("contact.mobile", "ne", "missing"), "ab"),
        (line("contact.mobile", "eq", "refuted"), ""),
        (line("reach.sms", "eq", True), "a"),
        (line("reach.sms", "eq", False), "bc"),
        (line("opted_out", "eq", False), "abc"),
        (line("outcome", "eq", "silent"), "a"),
        (line("outcome", "ne", "silent"), "bc"),
        (line("visited_days", "eq", 10), "b"),
        (line("visited_days", "lt", 11), "b"),
        (line("visited_days", "le", 9), ""),
        (line("visited_days", "gt", 9), "b"),
        (line("visited_days", "lt", 999_999_999_999_999), "b"),
        (line("visited_days", "ge", -999_999_999_999_999), "b"),
        (line("visited_days", "ge", 11), ""),
        (line("visited_days", "ne", 10), "ac"),
        (line("visited_days", "empty"), "ac"),
        (line("written_days", "filled"), ""),
        ({"any": [line("unit", "eq", "U2"), {"all": [line("reach.sms", "eq", True), line("unit", "eq", "U1")]}]}, "ac"),
        ({"not": {"any": [line("unit", "eq", "U2"), line("reach.sms", "eq", True)]}}, "b"),
    ],
)  # fmt: skip
def test_a_condition_finds_whom_it_means(
    session: Session, people: dict[str, Customer], condition: Any, found: str
) -> None:
    assert hit(session, people, condition) == found


def test_a_campaign_older_than_those_listed_is_still_asked_for(
    session: Session, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(segment_fields, "CAMPAIGNS_LISTED", 0)
    asked = line("campaign", "in", [str(people["campaign"].id)])
    assert hit(session, people, {"any": [asked, {"not": line("unit", "ne", "U2")}]}) == "abc"
    for unknown in ("987654321", "9" * 20, "9" * 5000):
        with pytest.raises(Refused, match="请从列出的值中选择"):
            saved_segments.check(session, line("campaign", "eq", unknown))


def test_members_of_an_earlier_campaign_are_found(session: Session, people: dict[str, Any]) -> None:
    campaign = str(people["campaign"].id)
    assert hit(session, people, line("campaign", "eq", campaign)) == "ab"
    assert hit(session, people, line("campaign", "ne", campaign)) == "c"


def test_closed_customers_are_in_no_segment(session: Session, people: dict[str, Customer]) -> None:
    people["a"].closed_on = date(2021, 1, 1)
    session.flush()
    assert hit(session, people, line("unit", "eq", "U1")) == "b"


def test_whoever_asks_finds_their_own_scope_only(session: Session, people: dict[str, Customer]) -> None:
    session.commit()
    set_scope(session, Scope(path=people["c"].unit.path))
    assert hit(session, people, line("reach.sms", "eq", False)) == "c"


@pytest.mark.parametrize(
    ("condition", "fault"),
    [
        (None, "至少填写一条"),
        ({"all": []}, "至少填写一条"),
        (line("password", "eq", "x"), "password"),
        (line("customer_class", "eq", "odd"), "客户类别"),
        (line("opened_on", "lt", "'; DROP TABLE"), "请填日期"),
        (line("visited_days", "gt", "many"), "请填数字"),
        (line("unit", "lt", "U1"), "请选择怎样比较"),
    ],
)
def test_a_condition_that_nobody_offers_is_refused(session: Session, condition: Any, fault: str) -> None:
    with pytest.raises(Refused, match=fault):
        saved_segments.check(session, condition)


@pytest.fixture
def saved(session: Session, people: dict[str, Customer]) -> SavedSegment:
    staff = make_staff(session, "service_specialist")
    values = {"name": "高敏客户", "condition": line("sensitivity", "eq", "high")}
    return saved_segments.keep(session, None, values, staff)


def test_a_campaign_selects_from_a_segment(
    session: Session, people: dict[str, Customer], saved: SavedSegment
) -> None:
    everybody = Segment(kinds=("mobile",), conditions=(), segment=saved.code)
    check_segment(session, everybody)
    assert [one.customer_id for chunk in targets(session, everybody) for one in chunk] == [people["a"].id]
    lacking = Segment(kinds=("mobile",), conditions=("invalid",), segment=saved.code)
    assert [one for chunk in targets(session, lacking) for one in chunk] == []


def test_a_segment_that_is_gone_is_said_so(session: Session, saved: SavedSegment) -> None:
    saved_segments.delete(session, saved)
    session.flush()
    assert session.scalar(select(SavedSegment.id)) is None
    with pytest.raises(Refused, match="可能已删除"):
        check_segment(session, Segment(segment="segment_1"))


def test_a_segment_needs_a_name(session: Session, saved: SavedSegment) -> None:
    with pytest.raises(Refused, match="名称"):
        saved_segments.keep(session, saved, {"name": " ", "condition": saved.condition}, make_staff(session))
