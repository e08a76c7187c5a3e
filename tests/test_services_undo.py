"""Undo of a batch: what stood before comes back, what went on since stays, and the same file imports again."""

from __future__ import annotations

import pytest
from changing import applied, taken_back
from factories import make_contact, make_customer, make_staff, make_unit
from importing import bring_in, figures, state_of, values, write_csv
from sqlalchemy import func, select
from test_services_contacts import open_competition

from models import (
    Confirmation,
    Contact,
    ContactCount,
    Customer,
    CustomerVersion,
    QualityCount,
    ScoreEntry,
    SearchRow,
    Visit,
)
from models.clock import utcnow
from services import Refused, contacts, imports, proposals, reach, search_checks, undo
from services.contacts import Draft, Finding
from services.counts import recount

GOOD = "13827465109"
OTHER = "13926148037"
THIRD = "13751920846"


def e164(number):
    return f"+86{number}"


def row(account="1", **cells):
    return {"户号": account, "户名": "张三", "手机": GOOD, **cells}


def take_back(session, batch, staff=None):
    """Undo a batch to its end, as a command does; the rows that were left, with their reasons."""
    undo.begin(session, batch, staff or make_staff(session, "data_steward"))
    session.commit()
    for _progress in undo.undo_batch(session, batch):
        session.commit()
    session.refresh(batch)
    undo.finish(session, batch)
    session.commit()
    assert batch.restored + batch.removed + batch.kept == batch.created + batch.updated + batch.proposed
    return [(one["row"], one["reason"]) for one in undo.kept_rows(session, batch.id)]


def test_new_customers_are_removed_and_the_same_file_imports_again(session, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row("1"), row("2", 联系人="张三"), row("2", 手机=OTHER)])
    batch = bring_in(session, path)
    first = state_of(session)
    assert take_back(session, batch) == [] and (batch.removed, batch.restored) == (2, 1)
    assert state_of(session) == {} and session.scalar(select(func.count(CustomerVersion.id))) == 0
    assert figures(bring_in(session, path)) == {"created": 2, "updated": 1} and state_of(session) == first


def test_customers_whose_clean_ups_were_taken_back_are_removed_with_their_batch(session, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row("1", 手机=f"手机：{GOOD}"), row("2", 手机=f"手机：{OTHER}")])
    batch, steward = bring_in(session, path), make_staff(session, "data_steward")
    first = state_of(session)
    change = applied(session, steward, make_staff(session, "station_head"), "cleanup")
    assert state_of(session) != first
    taken_back(session, change, steward)
    assert state_of(session) == first and take_back(session, batch) == [] and batch.removed == 2
    assert figures(bring_in(session, path)) == {"created": 2} and state_of(session) == first


def upkeep_of(session):
    """What is kept of customers beside their values: reach, search rows, counts."""
    told = [session.execute(select(Customer.account_no, Customer.reach).where(Customer.closed_on.is_(None)))]
    told.append(session.execute(select(SearchRow.account_no, SearchRow.facets, SearchRow.text)))
    told.append(session.execute(select(ContactCount.__table__).where(ContactCount.number > 0)))
    told.append(session.execute(select(QualityCount.__table__).where(QualityCount.required > 0)))
    return [sorted(map(repr, rows)) for rows in told]


def test_reach_search_and_counts_are_the_same_after_undo_and_second_import(session, tmp_path):
    bring_in(session, write_csv(tmp_path / "old.csv", [row("9", 户名="旧名", 手机=OTHER)]))
    rows = [row("1", 固定电话="0757-83334444"), row("1", 手机=OTHER), row("2", 手机="138", 电子邮箱="a@qq.com")]
    path = write_csv(tmp_path / "a.csv", [*rows, row("3", 手机="无", 用电地址="佛山市禅城区"), row("9", 手机=THIRD)])
    begun = upkeep_of(session)
    batch = bring_in(session, path)
    first = upkeep_of(session)
    assert take_back(session, batch) == []
    assert upkeep_of(session)[0] == begun[0] and upkeep_of(session)[2:] == begun[2:]
    bring_in(session, path)
    assert upkeep_of(session) == first != begun
    assert list(search_checks.differences(session)) == [[]] and reach.wrong(session, 1, 10**6) == []
    recount(session)
    assert upkeep_of(session) == first


def test_overwritten_values_and_facts_come_back(session, tmp_path):
    unit, manager = make_unit(session, name="新所"), make_staff(session, name="陈经理")
    customer = make_customer(session, account_no="1", name="旧名", meter_book="A1")
    make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER, recorder_id=manager.id)
    before = state_of(session)
    cells = {"供电单位": "新所", "抄表册": "B2", "客户经理": "陈经理", "客户类别": "高压", "立户日期": "2024-01-01"}
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(**cells, 联系人="李四")]))
    assert state_of(session) != before and customer.unit_id == unit.id
    assert take_back(session, batch) == [] and batch.restored == 1
    assert state_of(session) == before
    back = session.scalars(select(Contact).where(Contact.source == "undo")).one()
    assert (back.raw, back.value, back.recorder_id, back.preferred) == (OTHER, e164(OTHER), manager.id, True)


def test_values_that_had_none_before_stop_and_waiting_ones_are_withdrawn(session, tmp_path):
    customer = make_customer(session, account_no="1", name="张三")
    make_contact(session, customer, preferred=True)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(手机="138", 电子邮箱="zhang@qq.com")]))
    take_back(session, batch)
    assert values(session, "email", state="stopped") == ["zhang@qq.com"]
    assert values(session, "mobile", state="withdrawn") == ["138"]


def test_a_row_whose_value_went_on_is_left_with_a_reason(session, tmp_path):
    for account in ("1", "2"):
        make_contact(session, make_customer(session, account_no=account, name="张三"), preferred=True)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row("1", 联系人="张三"), row("2")]))
    ours = session.scalars(select(Contact).where(Contact.batch_id == batch.id, Contact.kind == "mobile")).first()
    visit = Draft(ours.customer_id, ours.unit_id, "mobile", THIRD, e164(THIRD), "valid", "visit", replaces_id=ours.id)
    contacts.record(session, [visit])
    assert take_back(session, batch) == [(2, "changed_since")] and batch.restored == 1
    assert values(session, "person") == ["张三"] and values(session, "mobile", account="1") == [e164(THIRD)]


def test_a_row_whose_facts_were_changed_since_is_left(session, tmp_path):
    customer = make_customer(session, account_no="1", name="旧名")
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(户名="新名")]))
    customer.name = "更名"
    session.commit()
    assert take_back(session, batch) == [(2, "facts_changed")] and customer.name == "更名"


def test_a_new_customer_that_is_in_use_stays_with_its_values(session, tmp_path):
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row("1"), row("2")]))
    ours = session.scalars(select(Contact).where(Contact.batch_id == batch.id).order_by(Contact.id)).first()
    facts = {"customer_id": ours.customer_id, "unit_id": ours.unit_id, "origin": "by_hand", "reason": ""}
    session.add(Visit(**facts, state="open", token="ABCDEFGHJK", created_at=utcnow()))
    session.commit()
    assert take_back(session, batch) == [(2, "customer_in_use")] and batch.removed == 1
    assert list(state_of(session)) == ["1"] and values(session, "mobile") == [e164(GOOD)]


def test_batches_undone_one_after_the_other_give_back_the_beginning(session, tmp_path):
    first = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    middle = state_of(session)
    second = bring_in(session, write_csv(tmp_path / "b.csv", [row(手机=OTHER, 户名="李四")]))
    assert take_back(session, second) == [] and state_of(session) == middle
    assert take_back(session, first) == [] and state_of(session) == {}


def test_an_earlier_batch_leaves_what_a_later_one_took_over(session, tmp_path):
    first = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    bring_in(session, write_csv(tmp_path / "b.csv", [row(手机=OTHER)]))
    assert take_back(session, first) == [(2, "changed_since")] and values(session, "mobile") == [e164(OTHER)]


def test_an_approved_proposal_is_undone_and_its_points_are_taken_back(session, tmp_path):
    unit = make_unit(session)
    open_competition(session, unit, mobile=2)
    customer = make_customer(session, unit, account_no="1", name="张三")
    old = make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    contacts.confirm(session, [Finding(old.id, "confirmed", "visit")])
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    ours = session.scalars(select(Contact).where(Contact.batch_id == batch.id)).one()
    proposals.approve(session, [ours.id], staff=make_staff(session, "station_head"))
    contacts.confirm(session, [Finding(ours.id, "confirmed", "call")])
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 4
    assert take_back(session, batch) == [] and values(session, "mobile") == [e164(OTHER)]
    assert session.scalar(select(func.sum(ScoreEntry.points))) == 2


def test_confirmations_hold_by_value_through_an_undo(session, tmp_path):
    customer = make_customer(session, account_no="1", name="张三")
    old = make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER, verdict="suspect")
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    contacts.confirm(session, [Finding(old.id, "refuted", "call")])
    take_back(session, batch)
    assert values(session, "mobile") == [e164(OTHER)] and contacts.usable(session, [customer.id], ["mobile"]) == []
    assert session.scalar(select(func.count(Confirmation.id))) == 1


def test_what_waits_for_an_undone_value_waits_for_the_one_that_is_back(session, tmp_path):
    customer = make_customer(session, account_no="1", name="张三")
    make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    ours = session.scalars(select(Contact).where(Contact.batch_id == batch.id)).one()
    facts = {"kind": "mobile", "raw": THIRD, "value": e164(THIRD), "verdict": "valid", "replaces_id": ours.id}
    drafts = [Draft(customer.id, customer.unit_id, source=source, **facts) for source in ("self_service", "cleanup")]
    waiting = contacts.record(session, drafts)
    take_back(session, batch)
    kept, cleanup = (session.get(Contact, key) for key in waiting.ids)
    back = session.scalars(select(Contact).where(Contact.source == "undo")).one()
    assert (kept.state, kept.replaces_id, cleanup.state) == ("proposed", back.id, "withdrawn")


def test_counts_after_an_undo_equal_a_recount(session, tmp_path):
    customer = make_customer(session, account_no="1", name="张三")
    make_contact(session, customer, preferred=True)
    rows = [row("1", 联系人="张三"), row("2", 手机="坏"), row("3")]
    take_back(session, bring_in(session, write_csv(tmp_path / "a.csv", rows)))
    query = "SELECT unit_id, kind, verdict, number FROM contact_counts WHERE number <> 0"
    kept = sorted(map(tuple, session.connection().exec_driver_sql(query)))
    recount(session)
    assert kept == sorted(map(tuple, session.connection().exec_driver_sql(query))) and len(kept) == 1


def test_a_batch_is_undone_once_and_not_while_it_runs(session, tmp_path):
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row()]))
    steward = make_staff(session, "data_steward")
    batch.state = "running"
    with imports.in_hand(batch.id), pytest.raises(Refused, match="正在导入"):
        undo.begin(session, batch, steward)
    take_back(session, batch)  # nobody works on it: its import was killed
    with pytest.raises(Refused, match="已经撤销"):
        undo.begin(session, batch, steward)


def test_a_killed_undo_goes_on_where_it_stopped(session, tmp_path, monkeypatch):
    monkeypatch.setattr(undo, "CHUNK", 2)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(str(number)) for number in range(7)]))
    undo.begin(session, batch, make_staff(session, "data_steward"))
    next(undo.undo_batch(session, batch))
    session.commit()
    take_back(session, batch)
    assert (batch.removed, batch.kept) == (7, 0) and state_of(session) == {}
