"""CHOICES: the named lists that options choose from, one line an entry: (code as stored, label) in the order shown.

An option names its list with `asked(…, choices="units")`; labels that are words of the program are Chinese source
strings. Lists that depend on the tree (results of earlier nodes) are brought by whoever shows the tree.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from sqlalchemy import ColumnElement, Select, and_, or_, select, true
from sqlalchemy.orm import Session, joinedload

from models import ContactKind, Reason, Role, SavedSegment, Staff, Unit, Workflow
from services import message_templates
from services.people import SHELL

Listed = list[tuple[str, str]]
INDENT = "　"
PEOPLE, PEOPLE_LISTED, MOST_WORDS = "people", 50, 5


def units(session: Session) -> Listed:
    """All units by code, set in by their depth."""
    rows = session.execute(select(Unit.code, Unit.name, Unit.path).order_by(Unit.path)).all()
    top = min((row.path.count("/") for row in rows), default=0)
    return [(row.code, INDENT * (row.path.count("/") - top) + row.name) for row in rows]


def segments(session: Session) -> Listed:
    """Saved segments by code."""
    rows = session.execute(select(SavedSegment.code, SavedSegment.name).order_by(SavedSegment.name))
    return [(row.code, row.name) for row in rows]


def kinds(session: Session) -> Listed:
    """Kinds of contacts in their order."""
    rows = session.execute(select(ContactKind.code, ContactKind.label).order_by(ContactKind.position))
    return [(row.code, row.label) for row in rows]


def roles(session: Session) -> Listed:
    """Roles by name."""
    return [(row.name, row.label) for row in session.execute(select(Role.name, Role.label).order_by(Role.id))]


def permissions(session: Session) -> Listed:
    """Every permission that some role holds; a screen says what it is called."""
    held = session.scalars(select(Role.permissions)).all()
    return [(code, code) for code in sorted({code for codes in held for code in codes})]


def people(session: Session, sought: str = "") -> Listed:
    """Active people by login, with their unit: the first of those whose name, login or unit has what is sought."""
    query = _active().join(Unit, Unit.id == Staff.unit_id).where(is_sought(sought))
    return _named(session.scalars(query.order_by(Unit.path, Staff.name, Staff.id).limit(PEOPLE_LISTED)))


def is_sought(words: str) -> ColumnElement[bool]:
    """The condition on people and their units: each word stands in the name, the login or the unit's name."""
    columns = (Staff.name, Staff.username, Unit.name)
    found = [
        or_(*(column.icontains(word, autoescape=True) for column in columns))
        for word in words.split()[:MOST_WORDS]
    ]
    return and_(true(), *found)


def _active() -> Select[tuple[Staff]]:
    return select(Staff).where(Staff.active, Staff.username != SHELL).options(joinedload(Staff.unit))


def _named(rows: Iterable[Staff]) -> Listed:
    return [(row.username, f"{row.name}（{row.unit.name}）") for row in rows]


def workflows(session: Session) -> Listed:
    """The workflows that are enabled, by key."""
    rows = session.execute(select(Workflow.key, Workflow.name).where(Workflow.enabled).order_by(Workflow.name))
    return [(row.key, row.name) for row in rows]


def templates(channel: str) -> Callable[[Session], Listed]:
    """The message templates of one channel that may be used, by key."""
    return lambda session: [(row.key, row.name) for row in message_templates.listed(session, channel)]


def reasons(list_name: str) -> Callable[[Session], Listed]:
    """One editable list of reasons."""

    def listed(session: Session) -> Listed:
        query = select(Reason.code, Reason.label).where(Reason.list == list_name).order_by(Reason.position)
        return [(row.code, row.label) for row in session.execute(query)]

    return listed


CHOICES: dict[str, Callable[[Session], Listed]] = {
    "units": units,
    "segments": segments,
    "kinds": kinds,
    "roles": roles,
    "permissions": permissions,
    "people": people,
    "undelivered_reasons": reasons("undelivered"),
    "visit_results": reasons("visit_result"),
    "exclusions": reasons("exclusion"),
    "message_failures": reasons("message_failure"),
    "proposal_reasons": reasons("proposal_refused"),
    "workflows": workflows,
    "sms_templates": templates("sms"),
    "email_templates": templates("email"),
}


class Lists:
    """The named lists as they are now, each read once; of people those who fit what is sought."""

    def __init__(self, session: Session, sought: str = "") -> None:
        self.session, self.sought = session, sought
        self.read: dict[str, dict[str, str]] = {}

    def __call__(self, source: str, chosen: Collection[str] = ()) -> dict[str, str] | None:
        """One list, with those chosen ones that a longer list has too; None for a name that CHOICES does not have."""
        if source in CHOICES and source not in self.read:
            listed = people(self.session, self.sought) if source == PEOPLE else CHOICES[source](self.session)
            self.read[source] = dict(listed)
        further = set(chosen) - set(self.read.get(source, ())) if source == PEOPLE else set()
        if further:
            found = self.session.scalars(_active().where(Staff.username.in_(further)))
            self.read[source] = dict(_named(found)) | self.read[source]
        return self.read.get(source)
