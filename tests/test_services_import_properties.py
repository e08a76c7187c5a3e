"""Whatever a file holds: nothing is lost, twice is once, and an undo gives back what was there before."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pytest
from factories import make_contact, make_customer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from importing import bring_in, figures, state_of
from sqlalchemy import select

from models import (
    BatchRow,
    Contact,
    ContactCount,
    Customer,
    CustomerVersion,
    ImportBatch,
    StoredFile,
    Trace,
    db,
)
from models.scope import ALL, set_scope
from quality import judge
from quality.verdicts import NOWHERE
from seed import load
from services import undo
from services.people import SHELL
from services.tables import open_table

pytestmark = pytest.mark.slow
PHONES = ("13827465109", "13926148037", "0757-83991234", "83991234转8")
SEEN = (
    *("", "无", "１３８２７４６５１０９", "手机:13827465109", "13827465109/13926148037", "12345", "95598"),
    *("\u200b", "'1382 7465109"),
)
ANY = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)
ACCOUNTS = st.sampled_from(("1", "2", "3", "4", "5", ""))
PHONE = st.one_of(st.sampled_from(PHONES), st.sampled_from(SEEN), ANY)
ROW = st.fixed_dictionaries(
    {
        "户号": ACCOUNTS,
        "户名": st.sampled_from(("张三", "", "李四")),
        "手机": PHONE,
        "联系电话": PHONE,
        "电子邮箱": st.one_of(st.just(""), st.sampled_from(("a@qq.com", "ａ@qq.com", "a@qq.con")), ANY),
        "用电地址": st.one_of(st.just(""), st.just("禅城区祖庙街道建新路222号中海华庭3座1单元503室"), ANY),
    }
)
FILES = st.lists(ROW, min_size=1, max_size=12)
MODES = st.sampled_from(("insert", "update", "fill"))
HERE = NOWHERE
FIELDS = ("mobile", "phone", "email", "supply_address")
WRITTEN = [
    table.__table__
    for table in (Trace, ContactCount, BatchRow, Contact, CustomerVersion, Customer, ImportBatch, StoredFile)
]


@pytest.fixture
def afresh(core, tables):
    """Empties the database and loads the first data, for one example after the other."""

    def begin():
        db.session.remove()
        with db.engine.begin() as connection:
            for table in WRITTEN:
                connection.execute(table.delete())
        session = db.session()
        set_scope(session, ALL)
        for account in ("1", "2"):
            customer = make_customer(session, account_no=account, name="张三")
            make_contact(session, customer, preferred=True, raw="13751920846", value="+8613751920846")
        make_contact(session, customer, "email", raw="坏", value="", verdict="invalid", preferred=True)
        session.commit()
        return session

    with core.app_context():
        set_scope(db.session(), ALL)
        load(db.session())
        db.session.commit()
        yield begin
        db.session.remove()
        tables.empty()


def written(rows):
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8", newline="", delete=False) as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return Path(file.name)


def undone(session, batch):
    from_shell = session.query(type(batch.recorder)).filter_by(username=SHELL).one()
    undo.begin(session, batch, from_shell)
    session.commit()
    for _progress in undo.undo_batch(session, batch):
        session.commit()
    session.refresh(batch)
    undo.finish(session, batch)
    session.commit()


examples = settings(
    max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@examples
@given(rows=FILES, mode=MODES)
def test_every_row_ends_once_and_every_value_of_a_new_customer_is_found(afresh, rows, mode):
    session, path = afresh(), written(rows)
    read = list(open_table(path).rows())
    batch = bring_in(session, path, mode)
    assert batch.rows == len(read) == sum(figures(batch).values())
    found = select(BatchRow.row, BatchRow.outcome).where(BatchRow.batch_id == batch.id)
    outcomes = {row.row: row.outcome for row in session.execute(found)}
    assert sorted(outcomes) == [row.number for row in read]
    kept = select(Customer.account_no, Contact.batch_row, Contact.field, Contact.raw).join(Contact)
    kept = {tuple(row) for row in session.execute(kept)}
    for row in read:
        cells = {field: row.fields[field] for field in FIELDS if row.fields[field].strip()}
        lost = [field for field, raw in cells.items() if not any(one[3] == raw for one in kept)]
        if outcomes[row.number] == "created":
            assert all(_is_said_elsewhere(cells, field) for field in lost)


def _is_said_elsewhere(cells, field):
    """Whether all values of a cell stand in another cell of the row too: an equal value makes nothing new."""
    others = {value for other, raw in cells.items() if other != field for value in judge(other, raw, HERE).values}
    return set(judge(field, cells[field], HERE).values) <= others


@examples
@given(rows=FILES, mode=MODES)
def test_a_file_imported_twice_changes_nothing(afresh, rows, mode):
    session, path = afresh(), written(rows)
    rejected = bring_in(session, path, mode).rejected
    before = state_of(session)
    again = bring_in(session, path, mode)
    assert state_of(session) == before
    assert (again.unchanged, again.rejected) == (again.rows - rejected, rejected)


@examples
@given(rows=FILES, mode=MODES)
def test_an_undo_gives_back_what_was_there_and_the_file_imports_again(afresh, rows, mode):
    session, path = afresh(), written(rows)
    before = state_of(session)
    first = bring_in(session, path, mode)
    after = state_of(session)
    undone(session, first)
    assert state_of(session) == before and first.kept == 0
    assert first.restored + first.removed == first.created + first.updated + first.proposed
    assert figures(bring_in(session, path, mode)) == figures(first) and state_of(session) == after
