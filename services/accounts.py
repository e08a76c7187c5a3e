"""Signing in: throttled on every machine alike, one answer for every failure, sessions that can be ended."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from flask_security import hash_password, verify_password
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from models import SignIn, SignInAttempt, Staff
from models.clock import utcnow
from services import Refused, traces
from services.people import SHELL

WINDOW = timedelta(minutes=15)
WRONG_BY_ACCOUNT = 5
WRONG_BY_ADDRESS = 30
IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
SHORTEST_PASSWORD = 8
CLASSES = 3


class Throttled(Refused):
    """Too many wrong passwords: neither this account nor this address may try for a while."""


def claim_attempt(session: Session, login: str, *, address: str, key: str) -> None:
    """Count an attempt before its password is looked at, so that parallel guesses count too."""
    account_key, address_key = keyed(key, "account", login), keyed(key, "address", address)
    since = utcnow() - WINDOW
    recent = session.execute(
        select(
            func.count().filter(SignInAttempt.account_key == account_key),
            func.count().filter(SignInAttempt.address_key == address_key),
        )
        .where(SignInAttempt.at > since)
        .where(or_(SignInAttempt.account_key == account_key, SignInAttempt.address_key == address_key))
    ).one()
    if recent[0] >= WRONG_BY_ACCOUNT or recent[1] >= WRONG_BY_ADDRESS:
        raise Throttled("连续输错的次数太多，请 15 分钟后再试；忘记密码请联系系统管理员重置。")
    session.execute(delete(SignInAttempt).where(SignInAttempt.at < since - WINDOW))
    session.add(SignInAttempt(account_key=account_key, address_key=address_key, at=utcnow()))


def forgive_attempts(session: Session, login: str, *, address: str, key: str) -> None:
    """A right password clears the account's count, and takes its own attempt off the address."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.account_key == keyed(key, "account", login)))


def right_password(staff: Staff | None, password: str, *, decoy: str) -> bool:
    """Whether this person may sign in with this password; takes the same time for accounts that do not exist."""
    kept = None
    if staff is not None and staff.active and staff.username != SHELL:
        kept = staff.password
    return bool(verify_password(password, kept or decoy)) and kept is not None


def decoy_hash() -> str:
    """A hash that no password fits, to be verified where there is no account."""
    return str(hash_password(secrets.token_hex(16)))


def begin(session: Session, staff: Staff) -> str:
    """Open a session for a person; returns its secret, which only the browser keeps."""
    secret = secrets.token_urlsafe(32)
    row = SignIn(secret_hash=_hashed(secret), staff_id=staff.id, began_at=utcnow())
    session.execute(delete(SignIn).where(SignIn.began_at < utcnow() - 2 * LONGEST))
    session.add(row)
    session.info["actor_id"] = staff.id
    traces.record(session, "staff.signed_in", staff)
    return secret


def holds(session: Session, staff_id: int, secret: str) -> bool:
    """Whether a browser's session is still good: not ended, not older than twelve hours, of this person."""
    query = select(SignIn.id).where(SignIn.secret_hash == _hashed(secret), SignIn.staff_id == staff_id)
    fresh = query.where(SignIn.ended_at.is_(None), SignIn.began_at > utcnow() - LONGEST)
    return session.scalar(fresh) is not None


def finish(session: Session, staff: Staff, secret: str) -> None:
    """End one session, so that its cookie is worth nothing any more."""
    ended = update(SignIn).where(SignIn.secret_hash == _hashed(secret)).values(ended_at=utcnow())
    session.execute(ended)
    traces.record(session, "staff.signed_out", staff)


def finish_all(session: Session, staff: Staff) -> None:
    """End all sessions of a person: after a new password, or when the account is closed."""
    staff.fs_uniquifier = secrets.token_hex(32)
    session.execute(
        update(SignIn).where(SignIn.staff_id == staff.id, SignIn.ended_at.is_(None)).values(ended_at=utcnow())
    )


def set_password(session: Session, staff: Staff, password: str, *, must_change: bool = False) -> None:
    """Give a person a new password; every open session of that person ends."""
    check_password(password, staff.username)
    staff.password = hash_password(password)
    staff.must_change = must_change
    finish_all(session, staff)
    traces.record(session, "staff.password_set", staff)


def check_password(password: str, login: str) -> None:
    """Refuse a weak password: eight characters, three of four classes, not the login name in it."""
    tests = (str.islower, str.isupper, str.isdigit)
    found = sum(any(test(sign) for sign in password) for test in tests)
    found += any(not sign.isalnum() for sign in password)
    if len(password) < SHORTEST_PASSWORD or found < CLASSES:
        raise Refused("密码太弱：至少 8 位，并含大写字母、小写字母、数字、符号中的三种。")
    if login.casefold() in password.casefold():
        raise Refused("密码里不能含有登录名，请换一个。")


def one_time_password() -> str:
    """A random password to be handed over once and changed at the first sign-in; no signs that look alike."""
    small, capitals = "abcdefghjkmnpqrstuvwxyz23456789", "ABCDEFGHJKMNPQRSTUVWXYZ"
    body = "".join(secrets.choice(small) for _ in range(10))
    return f"{body}-{secrets.choice(capitals)}{secrets.randbelow(8) + 2}"


def keyed(key: str, kind: str, text: str) -> str:
    """A keyed hash, so that neither logins nor addresses stand in the throttle's table."""
    return hmac.new(
        bytes.fromhex(key), f"{kind}|{text.strip().casefold()}".encode(), hashlib.sha256
    ).hexdigest()


def _hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
