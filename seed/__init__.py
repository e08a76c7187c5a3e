"""First data of an installation, from the tables beside this file; what staff changed is never touched."""

from __future__ import annotations

import csv
import json
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import (
    ContactKind,
    Holiday,
    Letterhead,
    MessageTemplate,
    Policy,
    Reason,
    RequiredField,
    Role,
    Rule,
    Setting,
    Staff,
    Target,
    Unit,
)
from models.clock import utcnow
from models.scope import ALL, working_as
from services import workflows
from services.people import SHELL
from services.workflows import Definition

FOLDER = Path(__file__).resolve().parent
ROOT = {"code": "root", "name": "供电局", "kind": "bureau"}
SHELL_ROLES = ("administrator", "data_steward")
KNOWN_PERMISSIONS = "known_permissions"


def load(session: Session) -> None:
    """Put in what an installation starts with; rows that are there stay, so it may run at every start."""
    with working_as(session, ALL):
        load_roles(session)
        load_people(session)
        load_tables(session)
        load_workflows(session)
        session.flush()


def load_roles(session: Session) -> None:
    """The roles with their permissions; a role that is there keeps what staff gave or took.

    A permission that this installation has never known comes with a newer program: it goes to the roles it is for.
    """
    roles = {role.name: role for role in session.scalars(select(Role))}
    permissions = permissions_by_role()
    kept = session.get(Setting, KNOWN_PERMISSIONS)
    held = {permission for role in roles.values() for permission in role.permissions}
    known = set(kept.value) if kept is not None else held
    for row in read_table("roles"):
        role = roles.get(row["name"])
        if role is None:
            session.add(Role(**row, permissions=permissions[row["name"]]))
        elif new := [
            one for one in permissions[role.name] if one not in known and one not in role.permissions
        ]:
            role.permissions = [*role.permissions, *new]
    every = {permission for found in permissions.values() for permission in found}
    if not every <= known or kept is None:
        session.merge(Setting(key=KNOWN_PERMISSIONS, value=sorted(every | known)))


def load_people(session: Session) -> None:
    """The root unit, and the account that commands act as; without a password nobody signs in with it."""
    session.flush()
    root = session.scalar(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1))
    if root is None:
        root = Unit(**ROOT, path="")
        session.add(root)
        session.flush()
        root.path = f"/{root.id}/"
    if session.scalar(select(Staff.id).where(Staff.username == SHELL)) is None:
        roles = list(session.scalars(select(Role).where(Role.name.in_(SHELL_ROLES))))
        session.add(
            Staff(
                username=SHELL,
                name="命令行",
                password=None,
                fs_uniquifier=secrets.token_hex(32),
                unit_id=root.id,
                created_at=utcnow(),
                roles=roles,
            )
        )


def load_tables(session: Session) -> None:
    """The lists that staff edit: kinds, reasons, policies, required fields, targets, rules, calendar,
    message templates, letterhead."""
    _add_missing(session, ContactKind, read_table("contact_kinds"), ("code",))
    _add_missing(session, Reason, reasons(), ("list", "code"))
    _add_missing(
        session,
        RequiredField,
        _unless_any(session, RequiredField, "required_fields"),
        ("customer_class", "kind"),
    )
    _add_missing(session, Target, _unless_any(session, Target, "targets"), ("measure", "cohort"))
    if session.scalar(select(func.count()).select_from(Rule)) == 0:
        session.add_all(Rule(**row) for row in rules())
    _add_missing(session, Policy, _unless_any(session, Policy, "policies"), ("position",))
    _add_missing(session, Holiday, holidays(), ("day",))
    if session.scalar(select(func.count()).select_from(MessageTemplate)) == 0:
        session.add_all(MessageTemplate(**row) for row in message_templates())
    if session.scalar(select(func.count()).select_from(Letterhead)) == 0:
        session.add(Letterhead(**read_toml("letterhead")))


def load_workflows(session: Session) -> None:
    """The workflows that come with the program; one that staff have published anew is left alone."""
    for path in sorted((FOLDER / "workflows").glob("*.toml")):
        workflows.publish_seeded(session, read_definition(path.read_text("utf-8")))


@cache
def read_definition(text: str) -> Definition:
    """A seeded definition; a test checks that the engine finds no fault in it."""
    data = tomllib.loads(text)
    permission = data.get("permission", workflows.START)
    return Definition(data["key"], data["name"], data["description"], permission, data["nodes"], text)


def permissions_by_role() -> dict[str, list[str]]:
    """What each seeded role may do, from the table that lists the roles of each permission."""
    found: dict[str, list[str]] = {row["name"]: [] for row in read_table("roles")}
    for row in read_table("permissions"):
        for role in row["roles"].split():
            found[role].append(row["permission"])
    return found


def reasons() -> list[dict[str, Any]]:
    """The seeded reasons with their place in the list and their consequences (`name` or `name=value`)."""
    rows = read_table("reasons")
    return [
        dict(row) | {"position": at, "consequences": _consequences(row["consequences"])}
        for at, row in enumerate(rows, 1)
    ]


def rules() -> list[dict[str, Any]]:
    """The first version of each seeded rule, active ever since, so that past months can be judged too."""
    made = {"version": 1, "created_at": utcnow(), "active_from": date(2000, 1, 1)}
    return [
        dict(row)
        | made
        | {name: row[name] == "yes" for name in ("may_be_empty", "opens_issues")}
        | {"parameters": json.loads(row["parameters"] or "{}")}
        for row in read_table("rules")
    ]


def message_templates() -> list[dict[str, Any]]:
    """The texts of messages that an installation starts with; a line break is written as backslash n."""
    rows = read_table("message_templates")
    return [row | {"body": row["body"].replace("\\n", "\n"), "changed_at": utcnow()} for row in rows]


def holidays() -> list[dict[str, Any]]:
    """Holidays and make-up workdays as announced; a year that is not announced yet is left out."""
    return [dict(row) | {"day": date.fromisoformat(row["day"])} for row in read_table("holidays")]


def read_table(name: str) -> list[dict[str, Any]]:
    """The rows of one CSV file of this folder; numbers of known columns as numbers."""
    with open(FOLDER / f"{name}.csv", encoding="utf-8", newline="") as file:
        return [{key: _number(key, value) for key, value in row.items()} for row in csv.DictReader(file)]


def read_toml(name: str) -> dict[str, Any]:
    """One TOML file of this folder."""
    return tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))


def _number(column: str, text: str) -> Any:
    if column in ("position", "weight"):
        return int(text)
    return float(text) if column in ("floor", "target", "stretch") else text


def _consequences(text: str) -> dict[str, Any]:
    pairs = (part.partition("=") for part in text.split())
    return {
        name: (int(value) if value.isdigit() else value) if equals else True for name, equals, value in pairs
    }


def _unless_any(session: Session, model: Any, table: str) -> list[dict[str, Any]]:
    """A table whose rows staff may also delete: loaded into an empty one only."""
    return [] if session.scalar(select(func.count()).select_from(model)) else read_table(table)


def _add_missing(
    session: Session, model: Any, rows: Iterable[Mapping[str, Any]], key: tuple[str, ...]
) -> None:
    known = {tuple(row) for row in session.execute(select(*(getattr(model, name) for name in key)))}
    session.add_all(model(**row) for row in rows if tuple(row[name] for name in key) not in known)
