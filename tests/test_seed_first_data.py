"""First data: what an installation starts with, and what stays as staff left it."""

import re
from datetime import date

import pytest
from sqlalchemy import func, select

import seed
from models import (
    ContactKind,
    Holiday,
    Letterhead,
    Policy,
    Reason,
    RequiredField,
    Role,
    Setting,
    Staff,
    Target,
    Unit,
    Workflow,
    WorkflowVersion,
)
from models.quality_words import MEASURES
from models.words import CUSTOMER_CLASSES
from workflows import definitions

GLOSSARY_ROLES = {
    "administrator", "viewer", "data_steward", "service_specialist", "clerk", "agent", "meter_reader",
    "team_leader", "station_head", "department_head", "bureau_leader", "account_manager", "auditor",
    "dispatcher", "union_organiser",
}  # fmt: skip
TABLES = (ContactKind, Holiday, Letterhead, Policy, Reason, RequiredField, Role, Staff, Target, Unit)


def _counts(session):
    return [session.scalar(select(func.count()).select_from(model)) for model in TABLES]


def test_loading_twice_adds_nothing(session):
    before = _counts(session)
    seed.load(session)
    assert _counts(session) == before and all(before)


def test_loading_again_keeps_what_staff_changed(session):
    role = session.scalars(select(Role).where(Role.name == "clerk")).one()
    role.permissions, role.label = ["customers.view"], "综合柜员"
    session.delete(session.scalars(select(Policy).order_by(Policy.position)).first())
    session.flush()
    seed.load(session)
    assert (role.permissions, role.label) == (["customers.view"], "综合柜员")
    assert session.scalar(select(func.min(Policy.position))) == 20


def test_permission_of_a_newer_program_reaches_its_roles_and_no_other_comes_back(session):
    roles = {role.name: role for role in session.scalars(select(Role))}
    for role in roles.values():
        role.permissions = [one for one in role.permissions if not one.startswith("samples.")]
    roles["viewer"].permissions = []
    session.delete(session.get_one(Setting, seed.KNOWN_PERMISSIONS))
    for _start in range(2):
        seed.load(session)
        assert roles["auditor"].permissions[-2:] == ["samples.view", "samples.run"]
        assert roles["viewer"].permissions == []
    roles["auditor"].permissions = []
    seed.load(session)
    assert roles["auditor"].permissions == []


def test_shell_account_cannot_sign_in(shell, root):
    assert shell.password is None
    assert (shell.unit_id, root.path, root.parent_id) == (root.id, f"/{root.id}/", None)


def test_all_roles_of_the_glossary_are_seeded():
    assert set(seed.permissions_by_role()) == GLOSSARY_ROLES
    own = {row["name"] for row in seed.read_table("roles") if row["scope"] == "own"}
    assert own == {"account_manager", "meter_reader"}


@pytest.mark.parametrize("other", ["notices.review", "notices.approve", "notices.sign"])
def test_who_drafts_a_notice_does_not_pass_it(other):
    holders = {row["permission"]: set(row["roles"].split()) for row in seed.read_table("permissions")}
    assert not holders["notices.edit"] & holders[other]


def test_review_approval_and_signing_are_different_roles():
    holders = {row["permission"]: set(row["roles"].split()) for row in seed.read_table("permissions")}
    assert not holders["notices.review"] & holders["notices.approve"]
    assert not holders["notices.approve"] & holders["notices.sign"]


@pytest.mark.parametrize("subject", ["customers", "contacts", "letters", "returns", "visits", "traces"])
def test_administrator_and_viewer_see_no_customer_data(subject):
    permissions = seed.permissions_by_role()
    for role in ("administrator", "viewer"):
        assert not [name for name in permissions[role] if name.startswith(f"{subject}.")]


def test_viewer_reads_boards_and_published_figures_only():
    assert seed.permissions_by_role()["viewer"] == ["competitions.view", "assessments.view"]


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        ("2025-10-11", "workday"),
        ("2026-02-23", "holiday"),
        ("2026-02-28", "workday"),
        ("2026-10-10", "workday"),
    ],
)
def test_calendar_holds_the_announced_days(session, day, kind):
    assert session.get(Holiday, date.fromisoformat(day)).kind == kind


def test_make_up_workdays_fall_on_weekends_and_no_year_is_guessed():
    rows = seed.holidays()
    assert all(row["day"].weekday() >= 5 for row in rows if row["kind"] == "workday")
    assert {row["day"].year for row in rows} == {2025, 2026}


def test_reasons_carry_their_consequences(session):
    found = {(row.list, row.code): row.consequences for row in session.scalars(select(Reason))}
    assert found["undelivered", "moved"] == {"refutes_address": True, "makes_visit": True}
    assert found["undelivered", "unclaimed"]["retry_after_days"] == 30
    assert found["visit_result", "verified"]["reached"] is True


def test_required_fields_and_targets_speak_of_known_words(session):
    kinds = set(session.scalars(select(ContactKind.code)))
    required = session.scalars(select(RequiredField)).all()
    assert {row.customer_class for row in required} == set(CUSTOMER_CLASSES)
    assert {row.kind for row in required} <= kinds
    assert {row.measure for row in session.scalars(select(Target))} <= set(MEASURES)


def _permissions_asked_for():
    """Every `subject.verb` that code, templates and workflows name, with the file that names it."""
    parts = [row["permission"].split(".") for row in seed.read_table("permissions")]
    subjects, verbs = ("|".join(sorted({part[at] for part in parts})) for at in (0, 1))
    named = re.compile(rf"""["'](({subjects})\.({verbs}))["']""")
    for folder in ("services", "workflows", "screens", "templates", "seed"):
        for path in (seed.FOLDER.parent / folder).rglob("*"):
            if path.suffix in (".py", ".html", ".toml"):
                yield from ((match[0], path.name) for match in named.findall(path.read_text("utf-8")))


def test_every_permission_that_is_asked_for_is_seeded():
    known = {row["permission"] for row in seed.read_table("permissions")}
    assert not {(name, path) for name, path in _permissions_asked_for() if name not in known}


SEEDED = sorted((seed.FOLDER / "workflows").glob("*.toml"))


@pytest.mark.parametrize("path", SEEDED, ids=lambda path: path.stem)
def test_seeded_workflow_is_without_faults_and_bears_its_file_name(path):
    definition = definitions.read(path.read_text("utf-8"))
    assert definition == seed.read_definition(path.read_text("utf-8"))
    assert definition.key == path.stem
    assert not list(definitions.faults(definition.tree))


def test_seeded_workflows_get_one_version_however_often_they_are_loaded(session):
    seed.load(session)
    versions = session.execute(
        select(Workflow.key, WorkflowVersion.number).join(WorkflowVersion.workflow)
    ).all()
    assert sorted(versions) == [(path.stem, 1) for path in SEEDED]
