"""Customers: found without personal data in addresses, covered until revealed, changed through the one way in."""

import re
from datetime import date, timedelta

import pytest
from browsing import browse
from factories import make_campaign, make_contact, make_customer, make_letter, make_staff, make_unit

from models import Consent, Contact, CustomerVersion, Trace
from models.clock import now
from screens import pickers
from services import traces
from services.contacts import Draft, Finding, confirm, record


@pytest.fixture
def unit(session):
    return make_unit(session, name="祖庙供电所")


@pytest.fixture
def clerk(app, session, unit):
    return browse(app, session, make_staff(session, "clerk", unit))


@pytest.fixture
def customer(session, unit):
    row = make_customer(session, unit, name="欧阳建国", account_no="0600000000777")
    make_contact(session, row, raw="13987654321", value="+8613987654321")
    make_contact(session, row, "landline", raw="83334444", value="+8675783334444", verdict="repairable")
    return row


def pages_of(browser, path):
    """Every page of a list, forward along its links, as lists of account numbers."""
    found = []
    while path:
        text = browser.get(path).text
        found.append(re.findall(r">(06\d{11})</a>", text))
        link = re.search(r'rel="next" href="([^"]+)"', text)
        path = link and link[1].replace("&amp;", "&")
    return found


def test_pages_follow_each_other_without_gap_or_repetition(session, unit, clerk):
    numbers = sorted(make_customer(session, unit, name=name).account_no for name in ["王", "李", "李"] * 41)
    found = pages_of(clerk, "/admin/customers/")
    assert [len(page) for page in found] == [50, 50, 23] and sum(found, []) == numbers
    by_day = pages_of(clerk, "/admin/customers/?sort=opened_on")
    assert sorted(sum(by_day, [])) == numbers and len(by_day) == 3


@pytest.mark.slow
def test_the_way_back_shows_the_same_pages(session, unit, clerk):
    for _ in range(120):
        make_customer(session, unit)
    forward = pages_of(clerk, "/admin/customers/?sort=changed_at")
    last = clerk.get("/admin/customers/?sort=changed_at").text
    for _ in range(2):
        last = clerk.get(re.search(r'rel="next" href="([^"]+)"', last)[1].replace("&amp;", "&")).text
    back = clerk.get(re.search(r'rel="prev" href="([^"]+)"', last)[1].replace("&amp;", "&")).text
    assert re.findall(r">(06\d{11})</a>", back) == forward[1]


def test_a_page_after_a_row_that_is_gone_starts_afresh(session, unit, clerk, customer):
    for place in ("after=999999", "before=999999", "after=x", "before=99999999999999999999999"):
        assert customer.account_no in clerk.get(f"/admin/customers/?{place}").text


@pytest.mark.parametrize(
    "text",
    ["0600000000777", "１３９８７６５４３２１", "139 8765 4321", "+86 13987654321", "83334444", "欧阳"],
)
def test_one_customer_is_found_by_number_phone_or_name(clerk, customer, text):
    answer = clerk.post("/admin/customers/search", {"q": text})
    assert answer.headers["Location"] == f"/admin/customers/{customer.id}"


@pytest.mark.parametrize("text", ["建国", "0600000000", "1398765432", "阳建 5432"])
def test_one_customer_is_found_by_any_fragment(clerk, customer, text):
    answer = clerk.post("/admin/customers/search", {"q": text})
    assert answer.headers["Location"] == f"/admin/customers/{customer.id}"


@pytest.mark.parametrize("text", ["国建", "1398765430"])
def test_what_is_not_there_is_said_with_what_to_do(clerk, customer, text):
    answer = clerk.post("/admin/customers/search", {"q": text})
    assert re.fullmatch(r"/admin/customers/\?find=\d+", answer.headers["Location"])
    page = clerk.get(answer.headers["Location"]).text
    assert "没有符合条件的客户" in page and "少打几个字" in page


@pytest.mark.parametrize("text", ["欧", "欧阳 张", "-"])
def test_one_sign_alone_is_asked_to_be_more(clerk, customer, text):
    assert "至少输入两个字" in clerk.post("/admin/customers/search", {"q": text}, follow_redirects=True).text


def test_conditions_stand_as_chips_that_can_be_taken_off(session, unit, clerk, customer):
    make_customer(session, unit, name="欧阳红")
    place = clerk.post("/admin/customers/search", {"q": "欧阳", "mobile": "valid"}).headers["Location"]
    page = clerk.get(place).text.replace("&amp;", "&")
    chips = re.findall(r'class="chip" href="([^"]+)"', page)
    assert len(chips) == 2 and "共 1 条" in page and customer.account_no in page
    assert "mobile=" not in chips[0] and "find=" in chips[0] and "find=" not in chips[1]
    assert "共 2 条" in clerk.get(chips[0]).text


def test_the_sort_chosen_last_is_remembered_for_this_list_alone(session, unit, clerk, customer):
    newest = make_customer(session, unit, account_no="0600000000999", opened_on=date(2026, 1, 5))
    assert clerk.get("/admin/customers/?sort=opened_on").text.index(newest.account_no) > 0
    page = clerk.get("/admin/customers/").text
    assert page.index(newest.account_no) < page.index(customer.account_no)
    clerk.get("/admin/customers/?sort=account_no")
    page = clerk.get("/admin/customers/").text
    assert page.index(customer.account_no) < page.index(newest.account_no)


def test_of_very_many_units_the_next_steps_are_offered(app, session, monkeypatch):
    monkeypatch.setattr(pickers, "MANY", 3)
    bureau = make_unit(session, name="东局")
    county = make_unit(session, bureau, name="中县局")
    stations = [make_unit(session, county, name=f"{number}号所") for number in range(3)]
    row = make_customer(session, stations[2])
    steward = browse(app, session, make_staff(session, "data_steward"))
    assert "中县局</option>" not in steward.get("/admin/customers/").text
    page = steward.get(f"/admin/customers/?unit={county.id}").text
    assert page.count("号所</option>") == 3 and row.account_no in page
    page = steward.get(f"/admin/customers/?unit={stations[0].id}").text
    assert "东局</option>" in page and "2号所</option>" not in page and row.account_no not in page


def test_several_are_listed_and_the_address_says_nothing(session, unit, clerk, customer):
    make_customer(session, unit, name="欧阳红")
    place = clerk.post("/admin/customers/search", {"q": "欧阳"}).headers["Location"]
    page = clerk.get(place).text
    assert len(re.findall(r">06\d{11}</a>", page)) == 2 and 'value="欧阳"' in page


def test_values_are_covered_in_list_and_page(clerk, customer):
    for path in ("/admin/customers/", f"/admin/customers/{customer.id}", "/admin/contacts/"):
        text = clerk.get(path).text
        assert "139****4321" in text and "欧阳*" in text
        assert "13987654321" not in text and "欧阳建国" not in text and "83334444" not in text


def test_filters_narrow_by_verdict_and_reach(session, unit, clerk, customer):
    empty = make_customer(session, unit, account_no="0600000000999")
    make_contact(session, empty, raw="123", value="", verdict="invalid")
    cases = {
        "mobile=invalid": ["0600000000999"],
        "mobile=valid": ["0600000000777"],
        "address=none": ["0600000000777", "0600000000999"],
        "reach=sms": ["0600000000777"],
        "reach=none": ["0600000000999"],
        "reach=any": ["0600000000777"],
        "reach=letter": [],
    }
    for query, numbers in cases.items():
        assert re.findall(r">(06\d{11})</a>", clerk.get(f"/admin/customers/?{query}").text) == numbers, query


def test_revealing_needs_a_purpose_and_leaves_a_trace(session, clerk, customer):
    path = f"/admin/customers/{customer.id}/reveal"
    assert clerk.post(path, {"purpose": "curious"}).status_code == 303
    assert not session.query(Trace).filter_by(action="customer.revealed").count()
    mobile = session.query(Contact).filter_by(kind="mobile").one().id
    one = clerk.post(path, {"purpose": "service", "contact": mobile}).text
    assert "13987654321" in one and "0757-83334444" not in one and "欧阳建国" not in one
    every = clerk.post(path, {"purpose": "service", "contact": ""}).text
    assert "0757-83334444" in every and "欧阳建国" in every
    seen = session.query(Trace).filter_by(action="customer.revealed").order_by(Trace.id).all()
    assert [row.details for row in seen] == [
        {"purpose": "service", "contacts": [mobile]}, {"purpose": "service", "contacts": "all"},
    ]  # fmt: skip


def test_whoever_may_not_reveal_has_no_button_and_no_way(app, session, unit, customer):
    head = browse(app, session, make_staff(session, "station_head", unit))
    assert 'id="reveal"' not in head.get(f"/admin/customers/{customer.id}").text
    assert head.post(f"/admin/customers/{customer.id}/reveal", {"purpose": "audit"}).status_code == 403


def test_a_value_from_the_counter_is_current_at_once(session, clerk, customer):
    form = {
        "kind": "mobile",
        "text": "13725551608",
        "source": "counter",
        "relation": "family",
        "evidence": "LY-1",
    }
    assert clerk.post(f"/admin/customers/{customer.id}/add", form).status_code == 303
    row = session.query(Contact).filter_by(value="+8613725551608").one()
    assert (row.state, row.source, row.relation, row.evidence) == ("current", "counter", "family", "LY-1")
    assert session.query(Contact).filter_by(kind="mobile", state="current").count() == 2


def test_a_replacement_makes_the_old_value_history(session, clerk, customer):
    old = session.query(Contact).filter_by(kind="mobile").one()
    form = {"kind": "mobile", "text": "13725551608", "source": "hotline", "replaces": old.id}
    clerk.post(f"/admin/customers/{customer.id}/add", form)
    session.expire_all()
    assert old.state == "superseded"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1381234", "位数不对"),
        ("无", "等于没有填写"),
        ("13987654321", "已经是现用的"),
        ("95598", "公共服务号码"),
    ],
)
def test_an_unusable_value_is_refused_and_stays_in_the_form(session, clerk, customer, text, said):
    answer = clerk.post(
        f"/admin/customers/{customer.id}/add", {"kind": "mobile", "text": text, "source": "counter"}
    )
    assert answer.status_code == 422 and said in answer.text and f'value="{text}"' in answer.text
    assert session.query(Contact).count() == 2


def test_an_end_waits_for_another_person(app, session, unit, clerk, customer):
    old = session.query(Contact).filter_by(kind="mobile").one()
    form = {"contact": old.id, "source": "counter", "evidence": "停机"}
    clerk.post(f"/admin/customers/{customer.id}/end", form)
    assert (
        "已经有人申请停用"
        in clerk.post(f"/admin/customers/{customer.id}/end", form, follow_redirects=True).text
    )
    leader = browse(app, session, make_staff(session, "team_leader", unit))
    waiting = session.query(Contact).filter_by(state="proposed").one().id
    assert "<del>139****4321</del>" in leader.get("/admin/proposals/").text
    leader.post("/admin/proposals/approve", {"rowid": waiting})
    session.expire_all()
    assert old.state == "stopped"


def test_a_finding_needs_evidence_and_counts_for_reach(session, clerk, customer):
    mobile = session.query(Contact).filter_by(kind="mobile").one()
    form = {"contact": mobile.id, "method": "call", "reason": "dead_number"}
    path = f"/admin/customers/{customer.id}/finding"
    assert "请填写佐证" in clerk.post(path, form, follow_redirects=True).text
    page = clerk.post(path, form | {"evidence": "LY-2"}, follow_redirects=True).text
    assert "核实有误" in page and '<span class="state good">短信</span>' not in page


def test_one_line_of_time_holds_everything(session, unit, clerk, customer):
    session.info["actor_id"] = make_staff(session, name="录入员", unit=unit).id
    mobile = session.query(Contact).filter_by(kind="mobile").one()
    confirm(session, [Finding(mobile.id, "confirmed", "call", evidence="LY-3")])
    letter = make_letter(session, customer, make_campaign(session, unit, name="春季核对"))
    letter.undelivered_at, letter.undelivered_reason = now(session) + timedelta(hours=1), "moved"
    facts = {"customer_id": customer.id, "unit_id": unit.id, "source": "returned_form", "since": now(session)}
    session.add(Consent(purpose="business", channel="sms", granted=False, **facts))
    traces.record(session, "customer.changed", customer, customer_id=customer.id)
    page = clerk.get(f"/admin/customers/{customer.id}").text
    line = page[page.index('class="timeline"') :]
    wanted = ("迁移新址不明", "已交寄", "春季核对", "通话核实", "LY-3", "退订", "客户资料更新", "系统导入")
    assert [text for text in wanted if text not in line] == []


def test_proposals_are_approved_or_refused_with_a_reason_but_never_one_s_own(app, session, unit, customer):
    steward = make_staff(session, "data_steward")
    own = Draft(
        customer.id, unit.id, "wechat", "lamp_1", "lamp_1", "valid", "cleanup", recorder_id=steward.id
    )
    other = Draft(customer.id, unit.id, "email", "a@b.cn", "a@b.cn", "valid", "cleanup")
    first, second = record(session, [own, other]).ids
    browser = browse(app, session, steward)
    page = browser.post("/admin/proposals/approve", {"rowid": [first, second]}, follow_redirects=True).text
    assert "不能审核自己" in page and session.get_one(Contact, second).state == "proposed"
    session.rollback()
    browser.post("/admin/proposals/refuse", {"rowid": second, "choice": "no_evidence"})
    session.expire_all()
    row = session.get_one(Contact, second)
    assert (row.state, row.refused_reason) == ("refused", "no_evidence")
    assert "请先勾选" in browser.post("/admin/proposals/approve", {}, follow_redirects=True).text


def test_traces_are_found_by_customer_and_action_and_the_chain_is_checked(app, session, unit, customer):
    traces.seal(session)
    auditor = browse(app, session, make_staff(session, "auditor"))
    place = auditor.post("/admin/traces/search", {"account": customer.account_no}).headers["Location"]
    assert customer.account_no not in place and "联系信息生效" in auditor.get(place).text
    assert "没有符合条件" in auditor.get("/admin/traces/?action=notice.signed").text
    assert "没有符合条件" in auditor.get("/admin/traces/?until=2001-01-01").text
    assert "链条完整" in auditor.post("/admin/traces/verify").text
    session.query(Trace).filter_by(seq=2).update({"details": {"kinds": ["forged"]}})
    assert "第 2 条断开" in auditor.post("/admin/traces/verify").text


def test_the_bureau_s_own_facts_are_changed_with_a_dated_version(app, session, unit, customer):
    steward = browse(app, session, make_staff(session, "data_steward"))
    manager = make_staff(session, "account_manager", unit)
    path, form = f"/admin/customers/{customer.id}/edit", {"sensitivity": "high", "meter_book": "B-7"}
    assert steward.get(path).status_code == 200
    assert "单位范围" in steward.post(path, form | {"manager_id": "999999"}, follow_redirects=True).text
    steward.post(path, form | {"manager_id": str(manager.id)})
    session.expire_all()
    assert (customer.manager_id, customer.sensitivity, customer.meter_book) == (manager.id, "high", "B-7")
    assert session.query(CustomerVersion).filter_by(customer_id=customer.id, valid_until=None).count() == 1
    clerk = browse(app, session, make_staff(session, "clerk", unit))
    assert clerk.post(path, form).status_code == 403


def test_reach_is_counted_by_unit_and_opens_its_customers(app, session, unit, customer):
    make_customer(session, unit)
    page = (
        browse(app, session, make_staff(session, "data_steward"))
        .get("/admin/reach/")
        .text.replace("&amp;", "&")
    )
    assert "50.00%" in page and f'href="/admin/customers/?unit={unit.id}&reach=sms">1<' in page
    assert f'href="/admin/customers/?unit={unit.id}&reach=none">1<' in page
    assert f'href="/admin/customers/?unit={unit.id}&reach=any">1<' in page


def test_closed_accounts_are_found_by_searching_and_by_filter_only(session, clerk, customer):
    customer.closed_on = now(session).date()
    assert customer.account_no not in clerk.get("/admin/customers/").text
    assert customer.account_no in clerk.get("/admin/customers/?closed=1").text
    answer = clerk.post("/admin/customers/search", {"q": customer.account_no})
    assert "已销户" in clerk.get(answer.headers["Location"]).text


def test_page_tells_how_an_address_is_understood(session, unit, clerk, customer):
    text = "南海市桂城街道南海大道北12号"
    make_contact(session, customer, kind="supply_address", raw=text, value=text, verdict="repairable")
    page = clerk.get(f"/admin/customers/{customer.id}").text
    assert "写到门牌或楼栋。写的是旧名，已换成现名。南海市于 2002 年改为南海区。" in page
