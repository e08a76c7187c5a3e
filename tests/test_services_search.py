"""Searching finds exactly what reading every text would find, after every change, in one's own units only."""

import pytest
from factories import draft_of, make_contact, make_contacts, make_customer, make_staff, make_unit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from models import Contact, Customer, SearchRow
from models.scope import ALL, Scope, working_as
from services import contacts, customers, search, search_checks
from services.contacts import Finding
from services.search_texts import plain, words_of
from workflows import proofs

SIGNS = "广东省佛山建设路12312号张三a村B栋０１９5- "


def found(session, text):
    return set(session.scalars(select(Customer.id).where(Customer.id.in_(search.matching(session, text)))))


def read(session, text):
    """What a scan of all texts finds."""
    rows = session.execute(select(SearchRow.customer_id, SearchRow.text)).all()
    return {row.customer_id for row in rows if all(word in row.text for word in words_of(text))}


@pytest.mark.slow
@given(
    st.lists(st.text(SIGNS, max_size=14), min_size=3, max_size=8),
    st.integers(0, 99),
    st.integers(2, 9),
    st.text(SIGNS),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_fragment_finds_what_a_scan_finds(session, texts, first, length, other):
    drafts = []
    for number, text in enumerate(texts):
        customer = make_customer(session, name=text)
        drafts.append(draft_of(session, customer, "supply_address", raw=text * 2, value=""))
        drafts.append(draft_of(session, customer, raw=f"1{first:04}{length}{number:05}", value=""))
    make_contacts(session, drafts)
    session.commit()
    whole = max(session.scalars(select(SearchRow.text)), key=lambda text: (text[15:], text)).replace("\n", "")
    place = first % (len(whole) - 1)
    piece = whole[place : place + length]
    for text in (piece, piece[::-1], f"{whole[:2]} {piece}", other):
        if len(plain(text)) > 1:
            assert found(session, text) == read(session, text), text


@pytest.fixture
def customer(session):
    row = make_customer(session, name="欧阳建国", account_no="0600000000777")
    make_contact(session, row, raw="13987654321", value="+8613987654321")
    make_contact(session, row, "landline", raw="83334444", value="+8675783334444", verdict="repairable")
    make_contact(
        session, row, "supply_address", raw="汾江中路２-３０１", value="广东省佛山市禅城区汾江中路2-301"
    )
    return row


@pytest.mark.parametrize(
    "text",
    ["0600000000777", "777", "0000777", "１３９８７６５４３２１", "139 8765 4321", "+86 139-8765-4321", "5432",
     "83334444", "0757-8333", "075783334444", "欧阳", "阳建", "建国", "汾江中", "2-301", "中路2301", "汾江 建国",
     "建国 5432", "佛山市禅城"],
)  # fmt: skip
def test_a_customer_is_found_by_any_part(session, customer, text):
    assert found(session, text) == {customer.id}


@pytest.mark.parametrize("text", ["国建", "14987", "汾江 张三", "欧阳建国0600", 'a" OR "b', "路路"])
def test_what_stands_nowhere_finds_nothing(session, customer, text):
    assert found(session, text) == set()


def test_old_and_waiting_values_are_not_found(session, customer):
    old = session.scalars(select(Contact).where(Contact.kind == "mobile")).one()
    make_contact(session, customer, raw="15011112222", value="+8615011112222", replaces_id=old.id)
    assert found(session, "13987654321") == set() and found(session, "15011112222") == {customer.id}
    contacts.end(session, [session.scalars(select(Contact.id).where(Contact.value == "+8615011112222")).one()],
                 "stopped", action="contact.stopped")  # fmt: skip
    assert found(session, "15011112222") == set()


def test_changes_of_the_account_and_findings_are_kept(session, customer):
    customers.change(session, {customer.id: {"name": "诸葛孔明", "customer_class": "high_voltage"}})
    assert found(session, "建国") == set() and found(session, "葛孔") == {customer.id}
    mobile = session.scalars(select(Contact.id).where(Contact.kind == "mobile")).one()
    contacts.confirm(session, [Finding(mobile, "refuted", "call", reason="dead_number", evidence="x")])
    session.commit()
    assert not any(search_checks.differences(session))


def test_foreign_units_are_never_found(session, customer):
    here, there = make_unit(session, name="一所"), make_unit(session, name="二所")
    mine, other = (make_customer(session, unit, name="司马相如") for unit in (here, there))
    session.commit()
    with working_as(session, Scope(here.path)):
        assert found(session, "相如") == {mine.id}
    with working_as(session, Scope(there.path, make_staff(session, "account_manager", there).id, own=True)):
        assert found(session, "相如") == set()
    with working_as(session, ALL):
        assert found(session, "相如") == {mine.id, other.id}


def test_the_proof_names_what_is_missing_and_the_mending_mends(session, customer):
    session.commit()
    session.query(SearchRow).filter_by(customer_id=customer.id).update({"text": "错"})
    assert sum(map(len, search_checks.differences(session))) == 1
    assert sum(search_checks.mend(session)) == 1
    assert found(session, "建国") == {customer.id} and not any(search_checks.differences(session))


def test_the_nightly_proof_goes_on_span_by_span_and_tells(session, customer, monkeypatch):
    last = make_customer(session).id
    monkeypatch.setattr(search_checks, "CHUNK", (last + 1) // 2)
    session.commit()
    session.query(SearchRow).filter_by(customer_id=last).delete()
    session.commit()
    proofs.prove_search()
    assert not search_checks.last_proof(session)["ended"]
    session.rollback()
    proofs.prove_search()
    session.expire_all()
    told = search_checks.last_proof(session)
    assert (told["wrong"], told["ended"]) == (1, True)
    assert not search_checks.is_due(session) and not any(search_checks.differences(session))


def test_a_database_without_rows_is_filled_in_chunks(session, customer):
    session.commit()
    search.index(session, dict(session.execute(select(SearchRow.customer_id, SearchRow.text)).all()), {})
    session.query(SearchRow).delete()
    assert list(search_checks.fill(session)) == [1] and list(search_checks.fill(session)) == []
    assert found(session, "建国") == {customer.id}


def test_digits_that_stand_in_every_number_are_not_asked_for(session):
    for number in range(40):
        make_customer(session, account_no=f"0300{number:09}")
    session.commit()
    asked = search.rarest_grams(session, ["0300000000037"])
    assert asked[0] == "037"
    assert not {"030", "300", "000"} & set(asked)
