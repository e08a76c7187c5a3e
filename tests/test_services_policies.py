"""What settles by itself, who may approve what waits, and how much of it a person and day."""

from __future__ import annotations

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select, update

from models import Contact, Policy, PolicyUse
from services import Refused, contacts, policies, proposals
from services.contacts import Draft

NUMBER = "+86138274651{:02}"


def limit(session, position, **facts):
    session.execute(update(Policy).where(Policy.position == position).values(**facts))
    session.commit()


def drafts(session, number, source="counter", **facts):
    made = [make_customer(session, **facts) for _place in range(number)]
    texts = [NUMBER.format(place) for place in range(number)]
    return [
        Draft(one.id, one.unit_id, "mobile", text, text, "valid", source)
        for one, text in zip(made, texts, strict=True)
    ]


def test_beyond_the_daily_limit_own_changes_wait(session):
    limit(session, 80, daily_limit=3)
    session.info["actor_id"] = make_staff(session).id
    assert [len(contacts.record(session, drafts(session, 2)).waiting) for _time in range(3)] == [0, 1, 2]
    session.info["actor_id"] = make_staff(session).id
    assert contacts.record(session, drafts(session, 2)).waiting == frozenset()


def test_a_limit_counts_only_its_own_row(session):
    limit(session, 80, daily_limit=0)
    session.info["actor_id"] = make_staff(session).id
    done = contacts.record(session, [*drafts(session, 1), *drafts(session, 1, source="visit")])
    assert (len(done.settled), len(done.waiting)) == (1, 1)


def waiting(session, number):
    return sorted(contacts.record(session, drafts(session, number, source="self_service")).waiting)


def test_beyond_the_daily_limit_approvals_are_refused_as_a_whole(session):
    limit(session, 90, daily_limit=2)
    ids, head = waiting(session, 3), make_staff(session, "station_head")
    session.commit()
    with pytest.raises(Refused, match="每人每天最多审核 2 条，今天已审核 0 条"):
        proposals.approve(session, ids, staff=head)
    session.rollback()
    assert proposals.approve(session, ids[:2], staff=head) == 2
    with pytest.raises(Refused, match="今天已审核 2 条"):
        proposals.approve(session, ids[2:], staff=head)
    session.rollback()
    assert proposals.approve(session, ids[2:], staff=make_staff(session, "station_head")) == 1


def test_a_policy_names_the_role_and_the_level_that_approve(session):
    limit(session, 90, approver_role="department_head", approver_level="county_bureau")
    ids, station = waiting(session, 1), make_unit(session)
    with pytest.raises(Refused, match="“营销部主任”审核"):
        proposals.approve(session, ids, staff=make_staff(session, "station_head"))
    with pytest.raises(Refused, match="区县局或更高一级"):
        proposals.approve(session, ids, staff=make_staff(session, "department_head", station))
    assert proposals.approve(session, ids, staff=make_staff(session, "department_head")) == 1


def test_what_a_changed_row_would_have_meant_is_counted(session):
    contacts.record(session, drafts(session, 3))
    make_contact(session, make_customer(session), verdict="invalid", value="")
    facts = policies.recent_facts(session)
    assert facts["counter", "mobile", "valid", "nothing"] == 3
    before = policies.rules(session)
    after = [rule for rule in before if rule.position != 80]
    assert policies.difference(facts, before, after) == (3, 0)
    assert policies.difference(facts, after, before) == (0, 3)


def test_uses_go_with_their_policy(session):
    limit(session, 80, daily_limit=1)
    session.info["actor_id"] = make_staff(session).id
    contacts.record(session, drafts(session, 1))
    session.delete(session.scalars(select(Policy).where(Policy.position == 80)).one())
    session.flush()
    assert session.scalar(select(PolicyUse.policy_id)) is None and session.scalar(select(Contact.id))
