"""Signing in and out, one's own password, and the language."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, abort, current_app, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import logout_user
from flask_security import current_user
from flask_security.utils import login_user
from sqlalchemy import select

from models import Staff, db
from models.clock import utcnow
from models.scope import set_scope
from screens.access import READING, SIGNED_IN, needs, opened
from screens.languages import LOCALES
from screens.messages import done, said, warn
from services import Refused, accounts

pages = Blueprint("accounts", __name__)

NEW_PASSWORD_PLACES = (
    "accounts.password",
    "accounts.sign_out",
    "accounts.language",
    "static",
    "admin.static",
)


def keep_session() -> Any:
    """End a session that was idle for 30 minutes, open for 12 hours, or ended elsewhere; remember when it was used."""
    if not current_user.is_authenticated:
        return None
    now = utcnow()
    seen = datetime.fromtimestamp(session.get("seen", 0), UTC)
    if now - seen > accounts.IDLE or not accounts.holds(
        db.session(), current_user.id, session.get("secret", "")
    ):
        _forget()
        warn(_("您已较长时间没有操作，请重新登录。"))
        return None
    if (now - seen).total_seconds() > 30:
        session["seen"] = now.timestamp()
    if current_user.must_change and request.endpoint not in NEW_PASSWORD_PLACES:
        return redirect(url_for("accounts.password"))
    return None


@pages.route("/login", methods=["GET", "POST"])
@opened("strangers sign in here")
def sign_in() -> Any:
    """The form, and what it does."""
    target = safe_target(request.values.get("next"))
    if current_user.is_authenticated:
        return redirect(target)
    if request.method in READING:
        return render_template("screens/sign_in.html", target=target)
    login = request.form.get("username", "").strip()[:64]
    try:
        staff = _checked(login, request.form.get("password", "")[:200])
    except accounts.Throttled as refusal:
        return render_template("screens/sign_in.html", target=target, login=login, message=said(refusal)), 429
    if staff is None:
        message = _("登录名或密码不正确。")
        return render_template("screens/sign_in.html", target=target, login=login, message=message), 401
    _remember(staff)
    return redirect(target, 303)


@pages.route("/logout", methods=["POST"])
@needs(SIGNED_IN)
def sign_out() -> Any:
    """End this browser's session."""
    accounts.finish(db.session(), current_user, session.get("secret", ""))
    _forget()
    return redirect(url_for("accounts.sign_in"), 303)


@pages.route("/password", methods=["GET", "POST"])
@needs(SIGNED_IN)
def password() -> Any:
    """One's own password: the old one, and the new one twice."""
    if request.method in READING:
        return render_template("screens/password.html")
    try:
        _change_password()
    except Refused as refusal:
        db.session.rollback()
        return render_template("screens/password.html", message=said(refusal)), 422
    done(_("密码已修改。"))
    return redirect(url_for("home.index"), 303)


@pages.route("/language", methods=["POST"])
@opened("the sign-in page has the switch too")
def language() -> Any:
    """Choose the language; it stays with the person."""
    wanted = request.form.get("locale", "")
    if wanted not in LOCALES:
        abort(400)
    session["locale"] = wanted
    if current_user.is_authenticated:
        current_user.locale = wanted
    return redirect(safe_target(request.form.get("next")), 303)


@pages.route("/alive", methods=["GET"])
@needs(SIGNED_IN)
def alive() -> Any:
    """A person is typing: asking here keeps the session awake."""
    return "", 204


def safe_target(target: str | None) -> str:
    """Where to go next: a path of this site, never another host."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")) or "\\" in target:
        return url_for("home.index")
    return target if target.isprintable() else url_for("home.index")


def _checked(login: str, given: str) -> Staff | None:
    """The person whose password this is. The attempt is counted and committed before the slow hash is computed."""
    key, address = current_app.config["THROTTLE_KEY"], request.remote_addr or ""
    try:
        accounts.claim_attempt(db.session(), login, address=address, key=key)
        db.session.commit()
    except accounts.Throttled:
        db.session.rollback()
        raise
    staff = db.session.scalar(select(Staff).where(Staff.username == login))
    db.session.rollback()
    if not accounts.right_password(staff, given, decoy=_decoy()):
        return None
    accounts.forgive_attempts(db.session(), login, address=address, key=key)
    return staff


def _decoy() -> str:
    kept: dict[str, str] = current_app.extensions.setdefault("accounts", {})
    if "decoy" not in kept:
        kept["decoy"] = accounts.decoy_hash()
    return kept["decoy"]


def _remember(staff: Staff) -> None:
    """A new session with nothing of the stranger's in it."""
    session.clear()
    login_user(staff, remember=False, authn_via=["password"])
    session["secret"] = accounts.begin(db.session(), staff)
    session["seen"] = utcnow().timestamp()
    session.permanent = True


def _forget() -> None:
    logout_user()
    session.clear()
    db.session.info.pop("actor_id", None)
    set_scope(db.session(), None)


def _change_password() -> None:
    staff = db.session.get(Staff, current_user.id)
    given, new, again = (request.form.get(name, "")[:200] for name in ("password", "new", "again"))
    if staff is None or not accounts.right_password(staff, given, decoy=_decoy()):
        raise Refused(_("原密码不正确。"))
    if new != again:
        raise Refused(_("两次输入的新密码不一致。"))
    if new == given:
        raise Refused(_("新密码不能和原密码相同。"))
    accounts.set_password(db.session(), staff, new)
    _remember(staff)
