"""Imports: what rows become, in every mode; what is rejected and why; the error file."""

from __future__ import annotations

import shutil
from datetime import date

import pytest
from factories import make_contact, make_customer, make_staff, make_unit
from importing import bring_in, figures, state_of, values, write_csv
from sqlalchemy import event, func, select

from models import BatchRow, Confirmation, Contact, Customer, CustomerVersion, StoredFile, Trace
from models.clock import ZONE
from services import Refused, contacts, files, import_errors, import_spools, imports, undo
from services.contacts import Finding
from services.counts import recount
from services.tables import open_table

GOOD = "13827465109"
OTHER = "13926148037"
THIRD = "13751920846"


def e164(number):
    return f"+86{number}"


def row(account="0600001", **cells):
    return {"户号": account, "户名": "张三", "手机": GOOD, **cells}


def outcomes(session, batch):
    query = select(BatchRow.row, BatchRow.outcome, BatchRow.reason).where(BatchRow.batch_id == batch.id)
    return [tuple(one) for one in session.execute(query.order_by(BatchRow.row))]


def test_new_customers_are_created_with_their_values(session, tmp_path):
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row("0600001"), row("0600002", 手机="1382746510")]))
    assert figures(batch) == {"created": 2} and batch.rows == 2 and batch.state == "done"
    assert values(session, "mobile", account="0600001") == [e164(GOOD)]
    assert values(session, "mobile", account="0600002") == ["1382746510"]


def test_a_bad_value_is_stored_as_it_came_with_its_verdict(session, tmp_path):
    bring_in(session, write_csv(tmp_path / "a.csv", [row(手机=" 手机：１３８２７４６５１０９ ")]))
    found = session.scalars(select(Contact)).one()
    assert (found.raw, found.value, found.verdict) == (" 手机：１３８２７４６５１０９ ", e164(GOOD), "repairable")
    assert (found.field, found.batch_row, found.source, found.state) == ("手机", 2, "import", "current")


def test_several_values_of_a_cell_are_versions_of_their_own(session, tmp_path):
    bring_in(session, write_csv(tmp_path / "a.csv", [row(手机="", 联系电话=f"{GOOD}/0757-83991234转8")]))
    found = session.scalars(select(Contact).order_by(Contact.id)).all()
    assert [(one.kind, one.value, one.extension) for one in found] == [
        ("mobile", e164(GOOD), ""),
        ("landline", "+8675783991234", "8"),
    ]
    assert {one.raw for one in found} == {f"{GOOD}/0757-83991234转8"} and all(one.preferred for one in found)


def test_importing_twice_changes_nothing(session, tmp_path):
    rows = [row("1", 联系电话=f"{OTHER}、{THIRD}"), row("2", 手机="无"), row("2", 手机=OTHER)]
    path = write_csv(tmp_path / "a.csv", rows)
    bring_in(session, path)
    of_customers = select(func.count(Trace.id)).where(Trace.customer_id.is_not(None))
    before, traces = state_of(session), session.scalar(of_customers)
    again = bring_in(session, path)
    assert figures(again) == {"unchanged": 3} and state_of(session) == before
    assert session.scalar(of_customers) == traces


def test_insert_leaves_existing_customers_alone(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="李四")
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(), row("0600002")]), "insert")
    assert figures(batch) == {"created": 1, "unchanged": 1}
    assert customer.name == "李四" and values(session, "mobile", account="0600001") == []


def test_update_replaces_the_preferred_value_and_adds_further_ones(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(手机=f"{GOOD} {THIRD}")]))
    assert figures(batch) == {"updated": 1}
    assert values(session, "mobile") == [e164(GOOD), e164(THIRD)]
    assert values(session, "mobile", state="superseded") == [e164(OTHER)]


def test_a_value_that_stands_stays_and_others_of_its_cell_are_added(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    old = make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    bring_in(session, write_csv(tmp_path / "a.csv", [row(手机=f"{OTHER}/{GOOD}")]))
    assert values(session, "mobile") == [e164(OTHER), e164(GOOD)] and old.state == "current"


@pytest.mark.parametrize("cell", ["", "无", " - "])
def test_a_blank_cell_never_deletes(session, tmp_path, cell):
    customer = make_customer(session, account_no="0600001", name="张三")
    make_contact(session, customer)
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(手机=cell, 户名=cell)]))
    assert figures(batch) == {"unchanged": 1} and customer.name == "张三"


def test_a_doubtful_value_beside_a_good_one_waits_and_waits_only_once(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    make_contact(session, customer, preferred=True)
    path = write_csv(tmp_path / "a.csv", [row(手机="13812345")])
    assert figures(bring_in(session, path)) == {"proposed": 1}
    assert figures(bring_in(session, path)) == {"unchanged": 1}
    assert values(session, "mobile", state="proposed") == ["13812345"]


def test_what_replaces_a_confirmed_value_waits(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    old = make_contact(session, customer, preferred=True)
    contacts.confirm(session, [Finding(old.id, "confirmed", "visit")])
    assert figures(bring_in(session, write_csv(tmp_path / "a.csv", [row()]))) == {"proposed": 1}
    assert values(session, "mobile") == [old.value] and session.scalar(select(func.count(Confirmation.id))) == 1


def test_fill_writes_only_where_nothing_usable_stands(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="", meter_book="A1")
    make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    make_contact(session, customer, "email", value="", raw="坏", verdict="invalid", preferred=True)
    path = write_csv(tmp_path / "a.csv", [row(电子邮箱="zhang@qq.com", 抄表册="B2", 联系人="张三")])
    assert figures(bring_in(session, path, "fill")) == {"updated": 1}
    assert values(session, "mobile") == [e164(OTHER)] and values(session, "email") == ["zhang@qq.com"]
    session.refresh(customer)
    assert (customer.name, customer.meter_book, values(session, "person")) == ("张三", "A1", ["张三"])


def test_fill_takes_the_place_of_a_refuted_value(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    old = make_contact(session, customer, preferred=True, value=e164(OTHER), raw=OTHER)
    contacts.confirm(session, [Finding(old.id, "refuted", "call", reason="dead_number")])
    bring_in(session, write_csv(tmp_path / "a.csv", [row()]), "fill")
    assert values(session, "mobile") == [e164(GOOD)]


def test_several_rows_of_an_account_add_contacts(session, tmp_path):
    rows = [row(), {"户号": "0600001", "户名": "", "手机": OTHER}, row(手机=f"{THIRD}"), row(手机=GOOD)]
    batch = bring_in(session, write_csv(tmp_path / "a.csv", rows), "insert")
    assert figures(batch) == {"created": 1, "updated": 2, "unchanged": 1}
    assert values(session, "mobile") == [e164(GOOD), e164(OTHER), e164(THIRD)]


def test_later_rows_never_replace_what_the_file_itself_says(session, tmp_path):
    customer = make_customer(session, account_no="0600001", name="张三")
    make_contact(session, customer, preferred=True, value=e164(GOOD), raw=GOOD)
    path = write_csv(tmp_path / "a.csv", [row(手机=GOOD), row(手机=OTHER)])
    bring_in(session, path)
    assert values(session, "mobile") == [e164(GOOD), e164(OTHER)]
    assert figures(bring_in(session, path)) == {"unchanged": 2}


def test_rows_that_cannot_be_tied_to_a_customer_are_rejected(session, tmp_path):
    make_unit(session, code="U-A", name="城东所")
    rows = [
        row(""),
        row("1", 供电单位="没有这个所"),
        row("2", 供电单位="城东所"),
        row("2", 户名="另一个人", 供电单位="城东所"),
        row("4.40681E+17", 供电单位="U-A"),
    ]
    rows[0]["供电单位"] = ""
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [dict(sorted(one.items())) for one in rows]))
    assert [one[1:] for one in outcomes(session, batch)] == [
        ("rejected", "no_account"),
        ("rejected", "unknown_unit"),
        ("created", ""),
        ("rejected", "contradiction"),
        ("rejected", "unreadable_account"),
    ]
    assert figures(batch) == {"created": 1, "rejected": 4}


def test_contradiction_is_found_across_the_whole_file(session, tmp_path):
    rows = [row("first")] + [row(f"{number:07}", 手机="") for number in range(1100)] + [row("first", 户名="李四")]
    batch = bring_in(session, write_csv(tmp_path / "a.csv", rows), "insert")
    assert figures(batch) == {"created": 1101, "rejected": 1}
    assert outcomes(session, batch)[-1] == (1103, "rejected", "contradiction")


def test_a_row_with_too_many_columns_is_rejected_and_the_rest_goes_on(session, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(f"户号,户名,手机\n1,张三,{GOOD}\n2,李,四,{OTHER}\n3,王五,{THIRD}\n", "utf-8")
    batch = bring_in(session, path)
    assert figures(batch) == {"created": 2, "rejected": 1}


def test_a_control_character_in_a_cell_costs_neither_the_file_nor_the_row(session, tmp_path):
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(手机=f"\x08{GOOD}"), row("2", 户名="李\u200b四\x08")]))
    assert figures(batch) == {"created": 2} and values(session, "mobile", account="2") == [e164(GOOD)]
    assert session.scalars(select(Customer.name).where(Customer.account_no == "2")).one() == "李四"


def test_units_outside_the_recorders_scope_are_unknown(session, tmp_path):
    mine, other = make_unit(session, code="M", name="本所"), make_unit(session, code="O", name="外所")
    steward = make_staff(session, "data_steward", mine)
    make_customer(session, other, account_no="9")
    session.commit()
    rows = [row("1", 供电单位="外所"), row("2", 供电单位="本所"), row("3", 供电单位=""), row("9", 供电单位="")]
    batch = bring_in(session, write_csv(tmp_path / "a.csv", rows), unit=mine, recorder=steward)
    assert [one[1:] for one in outcomes(session, batch)] == [
        ("rejected", "unknown_unit"),
        ("created", ""),
        ("created", ""),
        ("rejected", "unknown_unit"),
    ]
    assert session.scalars(select(Customer.unit_id).where(Customer.account_no == "3")).one() == mine.id


def test_whoever_may_not_import_is_refused(session, tmp_path):
    clerk = make_staff(session, "clerk")
    with pytest.raises(Refused, match="权限"):
        bring_in(session, write_csv(tmp_path / "a.csv", [row()]), recorder=clerk)


def test_identity_numbers_are_never_stored(session, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row(身份证号="440601199001011239", 统一社会信用代码="")])
    bring_in(session, path)
    customer = session.scalars(select(Customer)).one()
    assert (len(customer.id_hash), customer.id_last4) == (64, "1239") and customer.uscc == ""
    kept = session.execute(select(Contact.raw, Contact.value)).all() + session.execute(select(Trace.details)).all()
    assert "440601199001011239" not in str(kept)


def test_facts_that_measures_read_are_kept_in_versions(session, tmp_path):
    manager, unit = make_staff(session, "account_manager", name="陈经理"), make_unit(session, name="新所")
    bring_in(session, write_csv(tmp_path / "a.csv", [row(客户类别="低压居民", 立户日期="2024-03-05")]))
    changed = row(客户类别="高压", 客户经理="陈经理", 供电单位="新所", 立户日期="2024-03-05")
    batch = bring_in(session, write_csv(tmp_path / "b.csv", [changed]))
    versions = session.scalars(select(CustomerVersion).order_by(CustomerVersion.id)).all()
    assert [(one.customer_class, one.manager_id, one.unit_id == unit.id) for one in versions] == [
        ("low_voltage_residential", None, False),
        ("high_voltage", manager.id, True),
    ]
    assert versions[0].valid_until is not None and versions[1].valid_until is None
    assert session.scalars(select(Contact.unit_id)).all() == [unit.id]
    before = session.scalars(select(BatchRow.before).where(BatchRow.batch_id == batch.id)).one()
    assert before["customer_class"] == ["low_voltage_residential", "high_voltage"]


def test_recorder_and_due_day_come_from_the_file(session, tmp_path):
    reader = make_staff(session, "meter_reader", name="李抄表")
    cells = {"立户日期": "2024-03-01", "客户类别": "低压居民", "录入人": "李抄表", "录入时间": "2024-03-05 09:30"}
    bring_in(session, write_csv(tmp_path / "a.csv", [row(**cells, 微信="zhang_san88")]))
    mobile = session.scalars(select(Contact).where(Contact.kind == "mobile")).one()
    wechat = session.scalars(select(Contact).where(Contact.kind == "wechat")).one()
    assert mobile.recorder_id == reader.id and mobile.recorded_at.astimezone(ZONE).hour == 9
    assert mobile.due_at.astimezone(ZONE).date() == date(2024, 3, 8) and wechat.due_at is None


def test_without_a_recording_date_none_is_made_up(session, tmp_path):
    bring_in(session, write_csv(tmp_path / "a.csv", [row(录入人="查无此人")]))
    found = session.scalars(select(Contact)).one()
    assert (found.recorded_at, found.recorder_id) == (None, None)
    assert session.scalars(select(BatchRow.unread)).one() == {"recorder": "查无此人"}


def test_a_new_customers_row_writes_one_trace(session, tmp_path):
    bring_in(session, write_csv(tmp_path / "a.csv", [row("1", 联系人="张三", 电子邮箱="坏"), row("2", 手机="")]))
    query = select(Trace.action).where(Trace.customer_id.is_not(None))
    assert session.scalars(query).all() == ["customer.created", "customer.created"]


def test_counts_kept_by_the_import_equal_a_recount(session, tmp_path):
    unit = make_unit(session, name="新所")
    bring_in(session, write_csv(tmp_path / "a.csv", [row("1", 手机="坏"), row("2", 联系电话=OTHER)]))
    bring_in(session, write_csv(tmp_path / "b.csv", [row("1", 供电单位="新所"), row("2", 手机=THIRD, 供电单位="")]))
    kept = counts(session)
    recount(session)
    assert counts(session) == kept and any(key[0] == unit.id for key in kept)


def counts(session):
    from_table = session.connection().exec_driver_sql("SELECT unit_id, kind, verdict, number FROM contact_counts")
    return {tuple(one)[:3]: one[3] for one in from_table if one[3]}


@pytest.mark.parametrize(("encoding", "delimiter"), [("gb18030", ","), ("utf-16", "\t"), ("utf-8-sig", ";")])
def test_error_file_has_the_senders_layout(session, tmp_path, encoding, delimiter):
    rows = [row("1", 备注="=1+1"), row("", 备注="=1+1")]
    path = write_csv(tmp_path / "客户.csv", rows, encoding=encoding, delimiter=delimiter)
    batch = bring_in(session, path)
    stored = session.get(StoredFile, batch.errors_file)
    assert stored.name == "客户-错误清单.csv" and stored.expires_at is not None
    table = open_table(files.location(stored.sha256))
    assert table.headings == ("户号", "户名", "手机", "备注", import_errors.REASON)
    assert (table.encoding, table.delimiter) == (encoding, delimiter)
    reason = "原文件第 3 行：没有户号，不知道是哪一户。请补上户号后再导入。"
    assert [one.cells[3:] for one in table.rows()] == [("=1+1", reason)]


def test_corrected_error_file_is_brought_again_and_its_reasons_renewed(session, tmp_path):
    rows = [row("1", 拒收原因="原文件第 9 行：旧的原因"), row("", 拒收原因="旧的原因")]
    batch = bring_in(session, write_csv(tmp_path / "a.csv", rows))
    table = open_table(files.location(batch.errors_file))
    assert table.headings == ("户号", "户名", "手机", "拒收原因")
    assert "第 3 行" in next(table.rows()).cells[3]


def test_upload_and_spool_are_gone_when_the_batch_has_ended(session, tmp_path, home):
    shutil.rmtree(home / "files" / "imports", ignore_errors=True)  # what killed batches of other tests left
    batch = bring_in(session, write_csv(tmp_path / "a.csv", [row(), row("")]))
    assert not import_spools.spool_path(batch.id).exists()
    assert list(import_spools.spool_path(batch.id).parent.iterdir()) == []


def test_rehearsal_gives_the_same_figures_and_keeps_nothing(session, tmp_path, shell, root):
    rows = [row("1"), row("1", 手机=OTHER), row("2", 手机="坏"), row(""), row("1", 户名="李四")]
    path = write_csv(tmp_path / "a.csv", rows)
    session.commit()
    plan = imports.Plan("update", root, {})
    last = list(imports.rehearse(session, open_table(path), plan, recorder=shell))[-1]
    assert session.scalar(select(func.count(Customer.id))) == 0
    assert {name: number for name, number in last.figures.items() if number} == figures(bring_in(session, path))


def statements(session, work):
    """How many statements the database gets meanwhile."""
    seen = []

    def note(*args):
        seen.append(args[2])

    event.listen(session.get_bind(), "before_cursor_execute", note)
    work()
    event.remove(session.get_bind(), "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("mode", ["insert", "update", "fill"])
def test_no_statement_a_row(session, tmp_path, mode):
    def brought_in(name, number):
        rows = [row(f"{name}{place}", 联系人="张三", 客户经理="某人") for place in range(number)]
        path = write_csv(tmp_path / f"{name}{number}.csv", rows)
        changed = write_csv(tmp_path / f"{name}{number}b.csv", [one | {"手机": OTHER} for one in rows])
        first = statements(session, lambda: bring_in(session, path, mode))
        return first, statements(session, lambda: bring_in(session, changed, mode))

    few, many = brought_in("A", 5), brought_in("B", 60)
    assert all(abs(more - less) < 5 for less, more in zip(few, many, strict=True))


@pytest.mark.slow
def test_an_undo_needs_no_statement_a_row(session, tmp_path):
    def undone(name, number):
        old = [row(f"{name}{place}") for place in range(number)]
        bring_in(session, write_csv(tmp_path / f"{name}a.csv", old))
        added = [row(f"{name}x{place}") for place in range(number)]
        new = [one | {"手机": OTHER, "户名": "李四", "联系人": "李四"} for one in [*old, *added]]
        batch = bring_in(session, write_csv(tmp_path / f"{name}b.csv", new))
        session.refresh(batch)
        undo.begin(session, batch, batch.recorder)
        session.commit()
        return statements(session, lambda: [session.commit() for _progress in undo.undo_batch(session, batch)])

    assert abs(undone("B", 60) - undone("A", 5)) < 5
