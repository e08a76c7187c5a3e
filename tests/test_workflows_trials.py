"""Trial runs: the figures a real run comes to, shares of branches, assumptions, and nothing written."""

from datetime import date, datetime

import pytest
from factories import ADDRESS, make_customer, make_staff, make_unit
from sqlalchemy import func, select, update

from models import Campaign, Competition, Customer, Letter, Recipient, Trial, Visit
from models.clock import ZONE, move_to, now
from models.home import home_path
from models.people import root_unit
from services import Refused, postage, trials, workflows
from services.balances import exclusions
from services.contacts import Draft, record, settle
from services.workflows import Definition, publish
from workflows import engine, runs, trial_figures, trial_runs, trying
from workflows.sessions import writing
from workflows.trial_rows import kept

VALUES = {"select.name": "秋季核对", "select.kinds": "mobile", "select.reply_days": "10"}
LONG = "广东省佛山市南海区" + "桂城街道平洲夏东涌口村工业区" * 8 + "12号"


def people(session, number=8):
    """Customers without a mobile: three in eight cannot be written to, for one of two reasons."""
    far = make_unit(session)
    made = [make_customer(session, far if at % 2 else None, legal_hold=at % 4 == 0) for at in range(number)]
    texts = [LONG if at % 8 == 3 else ADDRESS.replace("12号", f"{at}号") for at in range(number)]
    facts = {"kind": "supply_address", "verdict": "valid", "source": "import", "recorded_at": now(session)}
    drafts = [
        Draft(customer_id=one.id, unit_id=one.unit_id, raw=text, value=text, **facts)
        for one, text in zip(made, texts, strict=True)
    ]
    settle(session, sorted(record(session, drafts).waiting))
    return far


def tried(session, staff, key, values=None, assumed=None):
    """A trial as a worker reckons it, kept."""
    trial = trial_runs.prepare(session, key, values or {}, staff)
    trial.assumed = assumed or {}
    trial_id = trial.id
    session.commit()
    found = trying.reckon(trial_id)
    trials.keep(session, trial, **{"result": found["result"], "digest": found["sha256"]})
    session.commit()
    return trial


def stored():
    return {path.name for path in (home_path() / "files").rglob("*") if path.is_file()}


def node(trial, name):
    return next(one for one in trial.result["nodes"] if one["node"] == name)


def publish_tree(session, *nodes):
    publish(session, Definition("any_tree", "任意", "", "workflows.start", list(nodes), "x"), None)


@pytest.mark.slow
def test_the_survey_comes_to_what_was_forecast(session, shell):
    people(session, 300)
    trial = tried(session, shell, "contact_survey", VALUES)
    runs.start(session, "contact_survey", VALUES, shell)
    session.commit()
    engine.drain()
    campaign = session.scalars(select(Campaign)).one()
    letters = session.scalar(select(func.count(Letter.id)))
    foretold = {**node(trial, "select")["excluded"], **node(trial, "freeze")["excluded"]}
    assert node(trial, "print")["figures"]["letters"] == letters == 187
    assert foretold == exclusions(session, campaign.id) == {"legal_hold": 75, "address_too_long": 38}
    assert node(trial, "mark_posted")["results"]["until"] == node(trial, "returns")["until"]


def test_letters_have_pages_weight_and_postage(session, shell):
    people(session)
    made = node(tried(session, shell, "contact_survey", VALUES), "print")["figures"]
    assert made == {"letters": 5, "pages": 10, "grams": 69.5, "postage": 4.0}
    with pytest.raises(Refused, match="资费的出处"):
        postage.change(session, {"source": "0"})
    postage.change(session, {"local": "0", "distant": "0", "source": "公司统付"})
    free = tried(session, shell, "contact_survey", VALUES)
    assert trial_figures.totals(free.result)["postage"] == 0
    assert "资费依据：公司统付" in node(free, "print")["notes"]


def test_what_comes_of_the_letters_follows_the_assumptions(session, shell):
    people(session, 16)
    assumed = {"answered": 0.5, "undelivered": 0.2, "undelivered_to_door": 0.5}
    trial = tried(session, shell, "contact_survey", VALUES, assumed)
    posted, silent = node(trial, "mark_posted")["figures"], node(trial, "silent")["figures"]
    assert (posted["answered"], posted["undelivered"], posted["visits"], silent["silent"]) == (5, 2, 1, 3)
    assert node(trial, "visits")["figures"] == {"visits": 3, "visitor_days": 0.15}
    assert {one["name"]: one["source"] for one in trial.result["assumptions"]}["answered"] == "hand"


def test_rows_behind_a_number_are_kept(session, shell):
    far = people(session)
    trial = tried(session, shell, "contact_survey", VALUES)
    rows = kept(trials.rows_path(trial), node(trial, "select")["path"], "customers", "legal_hold")
    assert [row.exclusion for row in rows] == ["legal_hold"] * 2
    letters = kept(trials.rows_path(trial), node(trial, "print")["path"], "letters", "")
    assert {row.unit_id for row in letters} == {far.id, root_unit(session).id}


def test_a_trial_writes_nothing_but_itself(session, shell):
    people(session)
    tried(session, shell, "contact_survey", VALUES)
    counts = [
        session.scalar(select(func.count()).select_from(table))
        for table in (Campaign, Recipient, Letter, Visit)
    ]
    assert counts == [0, 0, 0, 0]
    assert session.scalars(select(Trial.state)).all() == ["done"]


def test_a_trial_waits_for_no_writer(session, shell):
    people(session)
    trial_id = trial_runs.prepare(session, "contact_survey", VALUES, shell).id
    session.commit()
    with writing() as other:
        other.execute(update(Customer).values(name="别人正在改"))
        found = trying.reckon(trial_id)
    assert found["result"]["nodes"][0]["figures"] == {"customers": 6}


def test_a_trial_shows_no_customer_its_starter_could_not_look_up(session):
    far = people(session)
    owner = make_staff(session, "service_specialist")
    manager, other = (make_staff(session, "account_manager", unit) for unit in (far, make_unit(session)))
    one = session.scalars(select(Customer).where(Customer.unit_id == far.id)).first()
    one.manager_id = manager.id
    row = workflows.by_key(session, "contact_survey")
    row.owner_id, row.starters = owner.id, ["account_manager"]
    owner.unit_id = far.id
    session.commit()
    with pytest.raises(Refused, match="没有重合"):
        tried(session, other, "contact_survey", VALUES)
    owner.unit_id = root_unit(session).id
    session.commit()
    found = node(tried(session, manager, "contact_survey", VALUES), "select")
    assert found["figures"].get("customers", 0) + sum(found["excluded"].values()) == 1


def test_who_gets_no_reminder_is_not_counted_as_left_out_of_the_campaign():
    groups = [["customers", "legal_hold", 1, "", 2], ["messages", "no_value", 1, "", 3]]
    result = {"nodes": [{"share": 0.5, "groups": groups}]}
    assert trial_figures.exclusions(result) == {"no_value": 1.5, "legal_hold": 1}
    assert trial_figures.exclusions(result, of=("customers", "recipients")) == {"legal_hold": 1}


def test_nobody_to_write_to_is_seen_before_the_start(session, shell):
    trial = tried(session, shell, "contact_survey", VALUES)
    assert node(trial, "anybody")["arms"] == {"yes": 0.0, "no": 1.0}
    assert (node(trial, "print")["share"], node(trial, "print")["figures"]) == (0.0, {})


PERSON = {"title": "批准", "permission": "notices.review", "due_days": 3}
CHOICES = [{"code": "agree", "label": "同意"}, {"code": "return", "label": "退回"}]


def approval(letters):
    return [
        {"id": "select", "step": "select_customers", "options": {"kinds": ["mobile"]}},
        {"id": "freeze", "step": "freeze_recipients"},
        {"id": "head", "person": {**PERSON, "choices": CHOICES}},
        {
            "id": "agreed",
            "branch": {"field": "head.choice", "op": "eq", "value": "agree"},
            "yes": letters,
            "no": [{"id": "close_at_once", "step": "close_campaign"}],
        },
        {"id": "posted", "step": "post_letters"},
    ]


def test_both_arms_are_run_where_a_person_decides(session, shell):
    people(session)
    publish_tree(session, *approval([{"id": "print", "step": "print_letters"}]))
    trial = tried(
        session,
        shell,
        "any_tree",
        assumed={"head.agree": 0.75, "head.return": 0.25, "answered": 1, "undelivered": 0},
    )
    assert node(trial, "agreed")["arms"] == {"yes": 0.75, "no": 0.25}
    assert (node(trial, "print")["share"], node(trial, "print")["figures"]["letters"]) == (0.75, 5)
    assert node(trial, "close_at_once")["share"] == 0.25
    assert node(trial, "posted")["figures"]["answered"] == 3.75


@pytest.mark.parametrize(
    ("assumed", "chances"),
    [
        ({"head.agree": 0.7}, {"agree": 0.7, "return": 0.3}),
        ({"head.return": 0.4}, {"agree": 0.6, "return": 0.4}),
        ({"head.agree": 0.0}, {"agree": 0.0, "return": 1.0}),
        ({"head.agree": 1.0, "head.return": 1.0}, {"agree": 0.5, "return": 0.5}),
    ],
)
def test_the_other_choices_share_what_is_left(session, shell, assumed, chances):
    publish_tree(session, *approval([{"id": "print", "step": "print_letters"}]))
    assert node(tried(session, shell, "any_tree", assumed=assumed), "head")["choices"] == chances


def test_without_a_run_before_the_first_choice_is_taken(session, shell):
    publish_tree(session, *approval([{"id": "print", "step": "print_letters"}]))
    trial = tried(session, shell, "any_tree")
    assert node(trial, "head")["choices"] == {"agree": 1.0, "return": 0.0}


def test_what_the_last_run_came_to_is_assumed(session, shell):
    publish_tree(
        session,
        {
            "id": "late",
            "branch": {"field": "receipts_open", "op": "gt", "value": 0},
            "yes": [],
            "no": [{"id": "rest", "wait": {"days": 1}}],
        },
    )
    assert node(tried(session, shell, "any_tree"), "late")["arms"]["yes"] == 0.5
    run = runs.start(session, "any_tree", {}, shell)
    session.commit()
    engine.drain()
    session.refresh(run)
    run.state = "done"
    trial = tried(session, shell, "any_tree")
    assert (node(trial, "late")["arms"]["yes"], trial.result["assumptions"][0]["source"]) == (0.0, "run")


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("assessment", {"assess.allow_empty": True}),
        ("assessment_notice", {"assess.allow_empty": True}),
        ("door_to_door", {}),
    ],
)
def test_seeded_workflows_trial_without_a_stop(session, shell, key, values):
    make_staff(session, "account_manager")
    people(session)
    before = stored()
    trial = tried(session, shell, key, values)
    assert [
        (one["node"], one["problem"]) for one in trial.result["nodes"] if one["missing"] and one["share"]
    ] == []
    assert stored() - before <= {trial.sha256}


def test_a_competition_is_looked_at_to_its_end(session, shell):
    row = Competition(
        code="2026Q4",
        name="竞赛",
        unit_id=root_unit(session).id,
        starts_on=date(2099, 1, 1),
        ends_on=date(2099, 1, 31),
        state="draft",
        points={"mobile": 1},
        created_at=trials.utcnow(),
    )
    session.add(row)
    trial = tried(session, shell, "labour_competition", {"open.competition": "2026Q4"})
    assert [one["node"] for one in trial.result["nodes"] if one["missing"]] == []
    assert node(trial, "last_day")["until"] == "2099-01-31" < trial.result["ends_on"]


def test_a_step_that_would_stop_says_why(session, shell):
    trial = tried(session, shell, "labour_competition", {"open.competition": "没有"})
    assert (node(trial, "open")["missing"], node(trial, "publish")["missing"]) == ("stopped", "ahead")
    assert "没有" in node(trial, "open")["problem"]


IS_HIGH = {"field": "item.sensitivity", "op": "eq", "value": "high"}
LONG_WAIT = {"id": "long", "wait": {"days": 9}}


def test_every_item_of_an_each_goes_its_own_way(session, shell):
    people(session)
    session.scalars(select(Customer).where(Customer.legal_hold.is_(False))).first().sensitivity = "high"
    publish_tree(
        session,
        {"id": "select", "step": "select_customers", "options": {"kinds": ["mobile"]}},
        {"id": "freeze", "step": "freeze_recipients"},
        {"id": "one_by_one", "each": {"list": "recipients"}, "do": [
            {"id": "sensitive", "branch": IS_HIGH, "yes": [], "no": [{"id": "print", "step": "print_letters"}]},
        ]},
        {"id": "post", "step": "post_letters"},
    )  # fmt: skip
    trial = tried(session, shell, "any_tree", assumed={"answered": 1, "undelivered": 0})
    assert (node(trial, "one_by_one")["figures"], node(trial, "sensitive")["arms"]) == (
        {"items": 5},
        {"yes": 0.2, "no": 0.8},
    )
    assert (node(trial, "print")["share"], node(trial, "print")["figures"]["letters"]) == (1.0, 4)
    assert node(trial, "post")["figures"] == {"answered": 4}


@pytest.mark.slow
def test_lanes_begin_together_and_hand_on_what_they_made(session, shell):
    people(session)
    publish_tree(
        session,
        {"id": "select", "step": "select_customers", "options": {"kinds": ["mobile"]}},
        {"id": "both", "parallel": {}, "lanes": [
            {"title": "甲", "nodes": [{"id": "freeze", "step": "freeze_recipients"}, LONG_WAIT]},
            {"title": "乙", "nodes": [{"id": "short", "wait": {"days": 2}}, {"id": "early", "step": "print_letters"}]},
        ]},
        {"id": "print", "step": "print_letters"},
    )  # fmt: skip
    trial = tried(session, shell, "any_tree")
    begun = {one["node"]: one["from"] for one in trial.result["nodes"]}
    assert begun["long"] == begun["short"] == begun["select"] < begun["early"] < begun["print"]
    assert (
        "letters" not in node(trial, "early")["figures"] and node(trial, "print")["figures"]["letters"] == 5
    )


@pytest.mark.parametrize(
    ("due", "until"), [({"due_days": 3}, "2026-11-26"), ({"due_hours": 30}, "2026-11-25"), ({}, "2026-11-23")]
)
def test_a_task_takes_as_long_as_it_may(session, shell, due, until):
    move_to(session, datetime(2026, 11, 23, 9, tzinfo=ZONE))  # a Monday
    task = {"title": "批准", "permission": "notices.review", "choices": CHOICES[:1], **due}
    publish_tree(session, {"id": "head", "person": task})
    told = node(tried(session, shell, "any_tree"), "head")
    assert (told["until"], told["choices"]) == (until, {"agree": 1.0})
