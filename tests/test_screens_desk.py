"""The mail desk and the campaign pages: what they show, what they refuse, and who may come."""

import re

import pytest
from browsing import browse
from factories import ADDRESS, make_campaign, make_contact, make_customer, make_letter, make_staff, make_unit
from sqlalchemy import select

from models import Contact, Keying, Letter, PrintRun, Recipient, Run
from models.clock import today, utcnow
from screens.pages import desk
from services import undelivered_registers
from services.letters import plan_reprint, write_letters
from services.outcomes import STRENGTH
from services.returns import KINDS

NEW_MOBILE = "13902800241"


@pytest.fixture
def clerk(app, session):
    return browse(app, session, make_staff(session, "clerk"))


@pytest.fixture
def letter(session):
    customer = make_customer(session, name="欧阳建国")
    make_contact(session, customer, "mobile")
    return make_letter(session, customer)


def test_the_form_appears_covered_and_in_the_paper_s_order(session, clerk, letter):
    page = clerk.post("/admin/desk/open", {"code": letter.token}).text
    assert re.findall(r'name="new_(\w+)"', page) == list(KINDS)
    assert "138****1111" in page and "欧阳*" in page and "欧阳建国" not in page and "+8613800001111" not in page
    assert page.count("> 无变化</label>") == 1 and page.count("> 暂无</label>") == 6


def test_saving_a_form_answers_its_letter_and_asks_for_the_next(session, clerk, letter):
    form = {"code": letter.token, "new_mobile": NEW_MOBILE, "signed": "1", "outage": ["sms", "wechat"]}
    page = clerk.post("/admin/desk/save", form | {"relation": "self"}).text
    session.expire_all()
    assert letter.state == "answered" and "已变更" in page and 'name="all_same"' not in page
    assert "<strong>1</strong>" in page and f"{letter.serial:05}" in page
    row = session.scalars(select(Contact).where(Contact.value == "+8613902800241")).one()
    assert (row.state, row.relation) == ("current", "self")


def test_a_mistake_brings_the_form_back_as_it_was_keyed(session, clerk, letter):
    form = {"code": letter.token, "same": "mobile", "new_mobile": NEW_MOBILE, "note": "请看背面", "outage": "sms"}
    page = clerk.post("/admin/desk/save", form).text
    assert "只保留其中一种" in page and NEW_MOBILE in page and "请看背面" in page
    assert re.search(r'name="outage" value="sms" checked', page) and not session.query(Keying).count()


@pytest.mark.parametrize(
    ("place", "text", "said"),
    [("mobile", "139", "无效"), ("mobile", NEW_MOBILE, "有效"), ("postcode", "528200", "有效"), ("email", "a", "无效")],
)
def test_the_judge_speaks_at_once(clerk, letter, place, text, said):
    page = clerk.post("/admin/desk/judge", {"code": letter.token, "place": place, f"new_{place}": text}).text
    assert said in page and "<html" not in page


def test_a_wrong_code_says_what_to_do_and_stays_in_the_field(clerk, letter):
    page = clerk.post("/admin/desk/open", {"code": "NOT-A-CODE"}).text
    assert "不是函件的码" in page and 'value="NOT-A-CODE"' in page


def test_the_last_form_is_taken_back(session, clerk, letter):
    clerk.post("/admin/desk/save", {"code": letter.token, "all_same": "1", "signed": "1"})
    assert "已撤销" in clerk.post("/admin/desk/undo").text
    session.expire_all()
    assert letter.state == "posted"
    assert "没有可以撤销" in clerk.post("/admin/desk/undo").text


def test_ticks_beside_an_empty_record_mean_none(session, clerk, letter):
    clerk.post("/admin/desk/save", {"code": letter.token, "same": ["mobile", "email", "outage"], "signed": "1"})
    lines = session.scalars(select(Keying)).one().answers["lines"]
    assert {(line["place"], line["reply"]) for line in lines} == {
        ("mobile", "same"),
        ("email", "none"),
        ("outage_person", "none"),
    }


def test_one_scan_and_one_key_record_an_undelivered_letter(session, clerk, letter):
    assert "欧阳*" in clerk.post("/admin/desk/undelivered/look", {"code": letter.token}).text
    page = clerk.post("/admin/desk/undelivered/save", {"code": letter.token, "reason": "moved"}).text
    assert "迁移新址不明" in page and "已生成走访任务" in page and "<strong>1</strong>" in page
    assert "已登记过退信" in clerk.post("/admin/desk/undelivered/look", {"code": letter.token}).text
    assert "已撤销" in clerk.post("/admin/desk/undelivered/undo").text
    session.expire_all()
    assert letter.state == "posted"


@pytest.mark.slow
def test_the_register_of_a_day_lists_as_many_as_were_recorded(session, clerk, letter, monkeypatch):
    others = [make_letter(session, make_customer(session), letter.campaign) for _ in range(2)]
    session.commit()
    for piece in (letter, *others):
        page = clerk.post("/admin/desk/undelivered/save", {"code": piece.token, "reason": "moved"}).text
    assert re.search(r'href="([^"]*)"><strong>3</strong>', page)[1].endswith("undelivered/list?mine=1")
    clerk.post("/admin/desk/undelivered/undo")
    clerk.post("/admin/desk/undelivered/save", {"code": others[1].token, "reason": "refused"})
    monkeypatch.setattr(desk, "LISTED", 2)
    first = clerk.get("/admin/desk/undelivered/list?mine=1").text
    following = re.search(r'href="([^"]*before=\d+)"', first)[1].replace("&amp;", "&")
    rows = [clerk.get(path).text.count('class="code">') for path in ("/admin/desk/undelivered/list", following)]
    assert rows == [2, 1] and "不再寄信" in first and "地址停用、走访" in first
    assert "没有登记退信" in clerk.get("/admin/desk/undelivered/list?day=2020-01-01").text
    facts = undelivered_registers.facts(session, today(session), unit="某所")
    assert [line.reason for line in facts.lines] == ["迁移新址不明", "迁移新址不明", "拒收"]


def test_a_copy_that_waits_in_the_house_is_told_to_be_taken_out(session, clerk, letter):
    plan = plan_reprint(session, letter, form_version=1, reason="污损")
    run = {"form_version_id": letter.form_version_id, "print_run_id": letter.print_run_id}
    write_letters(session, letter.campaign_id, [plan], **run)
    session.commit()
    page = clerk.post("/admin/desk/undelivered/save", {"code": letter.token, "reason": "moved"}).text
    assert "第 2 次打印的一份还没有寄" in page


def test_ten_reasons_have_a_key_each(clerk):
    page = clerk.get("/admin/desk/undelivered").text
    assert re.findall(r'data-digit="(\d)"', page) == list("1234567890")


@pytest.mark.parametrize("role", ["account_manager", "agent", "viewer"])
def test_others_do_not_come_to_the_desk(app, session, letter, role):
    other = browse(app, session, make_staff(session, role))
    for path in ("/admin/desk/", "/admin/desk/undelivered", "/admin/print_room/", "/admin/campaigns/new"):
        assert other.get(path).status_code == 403
    assert other.post("/admin/desk/save", {"code": letter.token, "all_same": "1"}).status_code == 403


def test_an_auditor_reads_and_keys_nothing(app, session, letter):
    auditor = browse(app, session, make_staff(session, "auditor"))
    assert 'id="scan"' not in auditor.get("/admin/desk/").text
    assert auditor.post("/admin/desk/open", {"code": letter.token}).status_code == 403


def test_another_unit_s_letter_stays_closed(app, session, letter):
    clerk = browse(app, session, make_staff(session, "clerk", make_unit(session)))
    for path in ("open", "undelivered/look"):
        page = clerk.post(f"/admin/desk/{path}", {"code": letter.token}).text
        assert "不在您的单位范围内" in page and "欧阳" not in page
    assert clerk.post(f"/admin/print_room/run/{letter.print_run_id}/posted").status_code == 404


@pytest.mark.slow
def test_the_campaign_page_adds_up_and_opens_its_lists(app, session, letter):
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    place = f"/admin/campaigns/{letter.campaign_id}"
    assert re.search(r"合计：选中客户.*?>1</a>", specialist.get(place).text, re.DOTALL)
    for query in ("", "?bucket=open", "?bucket=posted", "?outcome=pending"):
        assert letter.customer.account_no in specialist.get(f"{place}/recipients{query}").text
    for query in ("?bucket=silent", "?outcome=changed", "?exclusion=recent"):
        assert letter.customer.account_no not in specialist.get(f"{place}/recipients{query}").text


def test_recipients_are_paged_without_counting(app, session):
    campaign = make_campaign(session)
    for _ in range(51):
        row = make_customer(session)
        facts = {"campaign_id": campaign.id, "customer_id": row.id, "unit_id": row.unit_id}
        session.add(Recipient(**facts, exclusion="closed", outcome="excluded", decided_at=utcnow()))
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    first = specialist.get(f"/admin/campaigns/{campaign.id}/recipients").text
    after = re.search(r"recipients\?after=(\d+)", first)[1]
    second = specialist.get(f"/admin/campaigns/{campaign.id}/recipients?after={after}").text
    assert first.count("已销户</td>") == 50 and second.count("已销户</td>") == 1


def test_the_preview_says_how_many_and_why_not(app, session):
    unit = make_unit(session, name="石湾供电所")
    for hold in (True, False, False):
        row = make_customer(session, unit, legal_hold=hold)
        make_contact(session, row, "supply_address", raw=ADDRESS, value=ADDRESS)
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    form = {"kinds": "mobile", "conditions": ["missing", "invalid"], "limit": "", "recent_days": "90"}
    page = specialist.post("/admin/campaigns/preview", form).text
    assert "选中 3 户，寄出约 2 封" in page and "石湾供电所" in page and "司法或投诉处理中" in page
    assert "不是可用的数字" in specialist.post("/admin/campaigns/preview", {**form, "limit": "many"}).text


def test_a_campaign_starts_as_a_run_with_what_was_chosen(app, session):
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    form = {"name": "秋季核对", "kinds": ["mobile", "email"], "conditions": "missing", "by_hand": "1 2，3"}
    form["reply_days"] = "15"
    assert specialist.post("/admin/campaigns/start", form).status_code == 303
    run = session.scalars(select(Run)).one()
    options = run.tree[0]["options"]
    assert (options["kinds"], options["by_hand"], options["reply_days"]) == (["mobile", "email"], ["1", "2", "3"], 15)
    page = specialist.post("/admin/campaigns/start", {**form, "name": ""})
    assert page.status_code == 422 and "起一个名称" in page.text and re.search(r'value="email" checked', page.text)


def test_a_letter_that_was_not_posted_is_taken_back(app, session, letter):
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    place = f"/admin/campaigns/{letter.campaign_id}/withdraw"
    specialist.post(place, {"letter": letter.id})
    session.expire_all()
    assert letter.state == "posted"
    letter.state, letter.posted_at = "printed", None
    session.commit()
    specialist.post(place, {"letter": letter.id})
    session.expire_all()
    assert letter.state == "spoiled" and session.get_one(Recipient, letter.recipient_id).outcome == "withdrawn"


def test_rows_of_another_campaign_are_not_reached_through_this_one(app, session, letter):
    other = make_campaign(session)
    specialist = browse(app, session, make_staff(session, "service_specialist"))
    assert specialist.post(f"/admin/campaigns/{other.id}/withdraw", {"letter": letter.id}).status_code == 404
    assert specialist.get("/admin/campaigns/999999999999999999999999/recipients").status_code == 404


@pytest.mark.slow
def test_one_letter_is_printed_again_with_a_reason(app, session, letter):
    clerk = browse(app, session, make_staff(session, "clerk"))
    place = f"/admin/campaigns/{letter.campaign_id}/reprint"
    clerk.post(place, {"letter": letter.id})
    assert session.query(Letter).count() == 1
    clerk.post(place, {"letter": letter.id, "reason": "污损"})
    session.expire_all()
    copy = session.scalars(select(Letter).where(Letter.copy == 2)).one()
    assert (letter.state, copy.serial, copy.posted_at) == ("reprinted", letter.serial, letter.posted_at)
    assert copy.token != letter.token and session.get_one(PrintRun, copy.print_run_id).pages == 2


def test_home_cards_count_what_waits_and_what_was_done(session, clerk, letter):
    session.get_one(PrintRun, letter.print_run_id).state = "composed"
    session.commit()
    clerk.post("/admin/desk/save", {"code": letter.token, "all_same": "1", "signed": "1"})
    page = clerk.get("/admin/").text
    assert re.search(r'<span class="number">1</span> 封函件待打印、交寄', page)
    assert re.search(r'<span class="number">1</span> 份回函今天已录入', page)


def test_every_outcome_has_its_word(app):
    from_words = app.jinja_env.globals["word"]
    with app.test_request_context():
        assert all(from_words(code, "OUTCOMES") != code for code in STRENGTH)


def test_each_figure_of_a_campaign_opens_as_many_customers_as_it_says(session, clerk, letter):
    states = [("answered", "paper"), ("undelivered", "paper"), ("silent", "paper"), ("composed", "paper")]
    for state, by in states:
        made = make_letter(session, make_customer(session), letter.campaign, state=state, answered_by=by)
        made.posted_at = None if state == "composed" else made.posted_at
    session.commit()
    pages = ["/admin/campaigns/", f"/admin/campaigns/{letter.campaign_id}"]
    shown = "".join(clerk.get(page).text for page in pages)
    found = re.findall(r'href="([^"]*/recipients[^"]*)">([0-9]+)<', shown)
    counted = [clerk.get(link.replace("&amp;", "&")).text.count("<tr>") - 1 for link, _number in found]
    assert counted == [int(number) for _link, number in found] and len(found) > 15
