"""Accounts: rights are given within one's own, never to oneself, and auditing never with administering."""

import pytest
from factories import make_staff, make_unit
from flask_security import verify_password

from models import Role, SignIn, Staff, Trace
from models.scope import ALL, set_scope
from services import Refused, accounts, staff
from services.people import scope_of
from services.staff import NewStaff

PASSWORD = "Lamp-2026"


@pytest.fixture
def admin(session):
    row = make_staff(session, "administrator", make_unit(session))
    session.info["actor_id"] = row.id
    set_scope(session, scope_of(session, row))
    return row


def draft(unit_id, **facts):
    return NewStaff(
        **{"login": "lisi", "name": "李四", "roles": ("clerk",), "password": PASSWORD, **facts},
        unit_id=unit_id,
    )


def role(session, name):
    return session.query(Role).filter_by(name=name).one()


def test_a_new_person_can_sign_in_and_leaves_a_trace(session, admin):
    made = staff.add_staff(session, draft(admin.unit_id))
    assert verify_password(PASSWORD, made.password) and made.password.startswith("$argon2id$")
    assert session.query(Trace).filter_by(action="staff.created", object_id=made.id).one().details == {
        "roles": ["clerk"]
    }


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"login": "Li Si"}, "登录名"),
        ({"login": "shell"}, "已经有人用了"),
        ({"password": "12345678"}, "密码太弱"),
        ({"password": "Lisi-2026"}, "不能含有登录名"),
        ({"roles": ("clerk", "king")}, "没有角色 king"),
        ({"roles": ("administrator", "auditor")}, "不同的人"),
    ],
)
def test_a_person_that_may_not_be_is_refused(session, admin, facts, said):
    with pytest.raises(Refused, match=said):
        staff.add_staff(session, draft(admin.unit_id, **facts))


def test_nobody_is_put_into_a_unit_outside(session, admin):
    with pytest.raises(Refused, match="单位范围"):
        staff.add_staff(session, draft(make_unit(session).id))


def test_powers_that_one_lacks_are_not_given(session, root):
    giver = make_staff(session, "administrator")
    giver.roles = [Role(name="half", label="半", permissions=["staff.edit"])]
    session.flush()
    session.info["actor_id"] = giver.id
    with pytest.raises(Refused, match="自己没有的管理权限"):
        staff.add_staff(session, draft(root.id, roles=("administrator",)))
    assert staff.add_staff(session, draft(root.id, roles=("clerk",))).id


def test_one_s_own_roles_stay(session, admin):
    with pytest.raises(Refused, match="自己的角色"):
        staff.give_roles(session, admin, ["administrator", "data_steward"])
    staff.give_roles(session, admin, ["administrator"])


def test_one_s_own_role_is_changed_by_another(session, admin):
    with pytest.raises(Refused, match="自己所在的角色"):
        staff.change_permissions(session, role(session, "administrator"), ["customers.view"])
    clerk = role(session, "clerk")
    staff.change_permissions(session, clerk, ["customers.view", "units.view"])
    set_scope(session, ALL)
    details = session.query(Trace).filter_by(action="role.changed").one().details
    assert clerk.permissions == ["customers.view", "units.view"] and details["added"] == ["units.view"]


def test_closing_an_account_ends_its_sessions(session, admin):
    person = make_staff(session, "clerk", admin.unit)
    secret, before = accounts.begin(session, person), person.fs_uniquifier
    session.info["actor_id"] = admin.id
    assert accounts.holds(session, person.id, secret)
    staff.set_active(session, person, False)
    assert not accounts.holds(session, person.id, secret) and person.fs_uniquifier != before
    assert session.query(SignIn).one().ended_at is not None


def test_nobody_closes_the_own_account(session, admin):
    for row in (admin, session.query(Staff).filter_by(username="shell").one()):
        with pytest.raises(Refused, match="不能停用"):
            staff.set_active(session, row, False)


def test_a_reset_password_is_strong_and_must_be_changed(session, admin):
    person = make_staff(session, "clerk", admin.unit)
    password = staff.reset_password(session, person)
    accounts.check_password(password, person.username)
    assert person.must_change and verify_password(password, person.password)
    assert len({accounts.one_time_password() for _ in range(50)}) == 50


def test_who_has_more_power_is_not_reset(session, root):
    helper = make_staff(session, "clerk")
    session.info["actor_id"] = helper.id
    with pytest.raises(Refused, match="管理权限比自己高"):
        staff.reset_password(session, make_staff(session, "administrator"))


def test_the_command_line_account_has_no_password(session, shell):
    with pytest.raises(Refused, match="不能从网页登录"):
        staff.reset_password(session, shell)
    assert not accounts.right_password(shell, "x", decoy=accounts.decoy_hash())
