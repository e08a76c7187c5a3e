"""Trials on screens: from the start form to the launch sheet, its lists, its assumptions, its PDF and the start."""

import pikepdf
import pytest
from browsing import browse
from factories import ADDRESS, make_contact, make_customer, make_staff, make_unit
from sqlalchemy import select

from models import Run, Setting, Trial, Workflow
from screens.launch_words import share_text, written
from services.workflow_drafts import open_draft
from workflows import engine

FORM = {
    "act": "trial",
    "select.kinds": "mobile",
    "select.conditions": ["missing"],
    "select.recent_days": "90",
    "select.reply_days": "21",
    "mark_posted.grace_days": "3",
    "visits.origins": ["silent"],
    "visits.limit": "100",
}
TOLD = (
    "函件",
    "邮资（元）",
    "2.40",
    "司法或投诉处理中",
    "按此发起",
    "没有可比的实例",
    "最迟等到",
    "寄出的函件有回复的占比",
)
WRITTEN = [
    ("postage", 2.4, "2.40"),
    ("letters", 1200, "1,200"),
    ("letters", 2.25, "2.2"),
    ("visitor_days", 0.5, "0.5"),
]


def people(session):
    for at in range(4):
        customer = make_customer(session, legal_hold=at == 0)
        make_contact(session, customer, "supply_address", raw=ADDRESS, value=ADDRESS)


def survey(session):
    return (
        session.connection().exec_driver_sql("select id from workflows where key = 'contact_survey'").scalar()
    )


@pytest.fixture
def tried(app, session):
    """A trial that a specialist asked for on the start form, reckoned by a worker; the browser and the trial."""
    people(session)
    page = browse(app, session, make_staff(session, "service_specialist"))
    got = page.post(f"/admin/workflows/{survey(session)}/start", FORM)
    assert got.status_code == 303, got.text
    assert "正在推算" in page.get(got.headers["Location"]).text
    engine.drain()
    session.expire_all()
    return page, session.scalars(select(Trial)).one()


def test_the_launch_sheet_shows_figures_assumptions_and_calendar(tried):
    page, trial = tried
    text = page.get(f"/admin/trials/{trial.id}").text
    for part in ("启动预估单", *TOLD):
        assert part in text, part


@pytest.mark.slow
def test_every_figure_opens_its_list_masked(tried):
    page, trial = tried
    shown = page.get(f"/admin/trials/{trial.id}/rows?node=1&what=customers&reason=legal_hold").text
    assert shown.count('<td class="code"><a') == 1 and "张*" in shown and "张三" not in shown
    assert (
        page.get(f"/admin/trials/{trial.id}/rows?node=3.yes.1&what=letters").text.count('<td class="code"><a')
        == 3
    )
    assert page.get(f"/admin/trials/{trial.id}/rows?node=9&what=letters").status_code == 404


def test_who_may_not_see_customers_gets_no_list_of_them(app, session, tried):
    _page, trial = tried
    admin = browse(app, session, make_staff(session, "administrator"))
    assert "rows?" not in admin.get(f"/admin/trials/{trial.id}").text
    assert admin.get(f"/admin/trials/{trial.id}/rows?node=1&what=customers").status_code == 403


@pytest.mark.slow
def test_changed_assumptions_make_another_trial(session, tried):
    page, trial = tried
    before = trial.result
    page.post(f"/admin/trials/{trial.id}/again", {"assumed.answered": "100", "assumed.undelivered": "0"})
    engine.drain()
    session.expire_all()
    again = session.scalars(select(Trial).order_by(Trial.id.desc())).first()
    assert (again.assumed, trial.result) == ({"answered": 1.0, "undelivered": 0.0}, before)
    assert next(one for one in again.result["nodes"] if one["node"] == "mark_posted")["figures"] == {
        "answered": 3
    }


def test_assumptions_beyond_a_whole_are_refused(session, tried):
    page, trial = tried
    page.post(f"/admin/trials/{trial.id}/again", {"assumed.answered": "140"})
    assert len(session.scalars(select(Trial)).all()) == 1


def test_the_sheet_starts_a_run_with_the_same_options(session, tried):
    page, trial = tried
    page.post(f"/admin/trials/{trial.id}/start")
    run = session.scalars(select(Run).where(Run.workflow_key == "contact_survey")).one()
    assert (run.tree, run.version) == (trial.tree, trial.version)


def test_a_sheet_of_an_older_version_starts_nothing(session, tried):
    page, trial = tried
    trial.version = 99
    page.post(f"/admin/trials/{trial.id}/start")
    assert session.scalars(select(Run).where(Run.workflow_key == "contact_survey")).all() == []
    assert "已发布新的版本" in page.get(f"/admin/trials/{trial.id}").text


def test_another_unit_does_not_see_the_trial(app, session, tried):
    _page, trial = tried
    trial.unit_id = make_unit(session).id
    other = browse(app, session, make_staff(session, "data_steward", make_unit(session)))
    assert other.get(f"/admin/trials/{trial.id}").status_code == 404


def test_who_may_not_start_may_not_try(app, session):
    page = browse(app, session, make_staff(session, "auditor"))
    page.post(f"/admin/workflows/{survey(session)}/start", FORM)
    assert session.scalars(select(Trial)).all() == []


def test_weights_and_prices_are_the_bureau_s(app, session):
    page = browse(app, session, make_staff(session, "administrator"))
    form = {"sheet_grams": "5", "local": "1.2", "source": "协议 2026-07"}
    assert page.post("/admin/trials/postage", form).status_code == 303
    assert session.get_one(Setting, "postage").value["local"] == 1.2
    page.post("/admin/trials/postage", {"local": "-1"})
    assert session.get_one(Setting, "postage").value["local"] == 1.2


@pytest.mark.slow
def test_the_sheet_is_printed_in_chinese(app, session, tried, tmp_path):
    page, trial = tried
    got = page.post(f"/admin/trials/{trial.id}/pdf")
    (tmp_path / "sheet.pdf").write_bytes(got.data)
    with pikepdf.open(tmp_path / "sheet.pdf") as pdf:
        assert len(pdf.pages) in (1, 2) and f"启动预估单 SY-{trial.id}" in str(pdf.docinfo["/Title"])


@pytest.mark.parametrize(("name", "number", "text"), WRITTEN)
def test_figures_are_written_as_people_read_them(name, number, text):
    assert written(name, number) == text


@pytest.mark.parametrize(("share", "text"), [(1.0, "100%"), (0.355, "35.5%"), (0, "0%"), (1 / 3, "33.3%")])
def test_shares_are_percentages(share, text):
    assert share_text(share) == text


def test_the_list_names_the_newest_trials(tried):
    page, trial = tried
    text = page.get("/admin/trials/").text
    assert f"/admin/trials/{trial.id}" in text and "已完成" in text


def test_a_draft_is_tried_before_it_is_published(app, session):
    people(session)
    admin = make_staff(session, "administrator")
    make_staff(session, "clerk")  # somebody has to be able to post
    workflow = session.get_one(Workflow, survey(session))
    draft = open_draft(session, workflow, admin)
    page = browse(app, session, admin)
    assert "最多选多少户" in page.get(f"/admin/trials/draft/{draft.id}").text
    assert page.post(f"/admin/trials/draft/{draft.id}", FORM).status_code == 303
    engine.drain()
    session.expire_all()
    trial = session.scalars(select(Trial)).one()
    assert (trial.state, trial.version) == ("done", None)
    assert "按此发起" not in page.get(f"/admin/trials/{trial.id}").text


def test_a_draft_that_cannot_run_is_not_tried(app, session):
    admin = make_staff(session, "administrator")
    draft = open_draft(session, session.get_one(Workflow, survey(session)), admin)
    draft.tree = [{"id": "gone", "step": "no_such_step"}]
    page = browse(app, session, admin)
    page.post(f"/admin/trials/draft/{draft.id}", {})
    assert session.scalars(select(Trial)).all() == []
