"""Units as a tree (materialised path), staff, roles as rows of permissions, territories, sign-in attempts."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from flask_security import RoleMixin, UserMixin
from sqlalchemy import JSON, Column, ForeignKey, String, Table, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from models.base import BigId, WithId, db

staff_roles = Table(
    "staff_roles",
    db.Model.metadata,
    Column("staff_id", BigId, ForeignKey("staff.id"), primary_key=True),
    Column("role_id", BigId, ForeignKey("roles.id"), primary_key=True),
)


class Unit(db.Model, WithId):
    """A node of the unit tree (单位); `path` is `/1/5/12/`, ids from the root down to itself."""

    __tablename__ = "units"
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(80), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("units.id"), index=True)
    path: Mapped[str] = mapped_column(String(200), index=True)
    area_code: Mapped[str] = mapped_column(String(5), default="")
    region: Mapped[str] = mapped_column(String(120), default="")
    phones: Mapped[str] = mapped_column(String(200), default="", server_default="")
    deadline_days: Mapped[int] = mapped_column(default=5)
    parent: Mapped[Unit | None] = relationship(remote_side="Unit.id")

    def __str__(self) -> str:
        return self.name


class Role(db.Model, WithId, RoleMixin):
    """A row of permissions (角色); `scope` is `own` (own customers) or `unit` (own unit and below)."""

    __tablename__ = "roles"
    name: Mapped[str] = mapped_column(String(40), unique=True)
    label: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(200), default="")
    scope: Mapped[str] = mapped_column(String(10), default="unit")
    permissions: Mapped[list[str]] = mapped_column(JSON, default=list)

    def __str__(self) -> str:
        return self.label


class Staff(db.Model, WithId, UserMixin):
    """A person in a unit, and the account that person signs in with (人员、账号)."""

    __tablename__ = "staff"
    username: Mapped[str] = mapped_column(String(64), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    email: Mapped[str | None] = mapped_column(String(120), unique=True)
    phone: Mapped[str] = mapped_column(String(30), default="")
    password: Mapped[str | None] = mapped_column(String(255))
    active: Mapped[bool] = mapped_column(default=True)
    must_change: Mapped[bool] = mapped_column(default=False)
    fs_uniquifier: Mapped[str] = mapped_column(String(64), unique=True)
    locale: Mapped[str] = mapped_column(String(10), default="")
    job: Mapped[str] = mapped_column(String(40), default="")
    capacity: Mapped[int] = mapped_column(default=20)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    created_at: Mapped[datetime | None]
    unit: Mapped[Unit] = relationship()
    roles: Mapped[list[Role]] = relationship(secondary=staff_roles, lazy="selectin")

    def __str__(self) -> str:
        return self.name

    def can(self, permission: str) -> bool:
        """Whether any role of this person holds `subject.verb`."""
        return any(permission in role.permissions for role in self.roles)

    def is_own_scoped(self) -> bool:
        """Whether every role of this person reaches own customers only."""
        return all(role.scope == "own" for role in self.roles)


class Territory(db.Model, WithId):
    """A responsible area (责任区): a meter book, a transformer area or a whole unit given to a person."""

    __tablename__ = "territories"
    __table_args__ = (db.UniqueConstraint("unit_id", "kind", "code"),)
    unit_id: Mapped[int] = mapped_column(ForeignKey("units.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))
    code: Mapped[str] = mapped_column(String(40), default="")
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    unit: Mapped[Unit] = relationship()
    staff: Mapped[Staff] = relationship()

    def __str__(self) -> str:
        return self.code


class Leave(db.Model, WithId):
    """Days on which a person gets no visits (请假), both days included."""

    __tablename__ = "leaves"
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    staff: Mapped[Staff] = relationship()

    def __str__(self) -> str:
        return f"{self.starts_on}–{self.ends_on}"


class SignInAttempt(db.Model, WithId):
    """A failed sign-in, by account key and address key (both keyed hashes), for throttling on every machine alike."""

    __tablename__ = "sign_in_attempts"
    account_key: Mapped[str] = mapped_column(String(64), index=True)
    address_key: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class SignIn(db.Model, WithId):
    """One signed-in browser (登录会话), by the hash of its secret; ended when the person signs out."""

    __tablename__ = "sign_ins"
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SavedFilter(db.Model, WithId):
    """What a person searched for in a list (筛选条件): the address carries its id, so no personal data stands in it."""

    __tablename__ = "saved_filters"
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    screen: Mapped[str] = mapped_column(String(60))
    values: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    created_at: Mapped[datetime] = mapped_column(index=True)


def unit_by_code_or_name(session: Session, text: str) -> Unit | None:
    """The unit a file or a person means: by code, else by a name that only one unit bears."""
    found = session.scalar(select(Unit).where(Unit.code == text))
    if found is not None:
        return found
    named = session.scalars(select(Unit).where(Unit.name == text).limit(2)).all()
    return named[0] if len(named) == 1 else None


def root_unit(session: Session) -> Unit:
    """The root of the unit tree, made at first start."""
    return session.scalars(select(Unit).where(Unit.parent_id.is_(None)).order_by(Unit.id).limit(1)).one()
