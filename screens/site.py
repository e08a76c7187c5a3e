"""What every page shares: who asks, the scope of the session, the gate, the transaction, the headers."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, current_app, g, redirect, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_admin import Admin
from flask_admin.theme import Bootstrap4Theme
from flask_babel import Babel
from flask_security import current_user
from flask_wtf.csrf import CSRFProtect

from models import db
from models.scope import set_scope
from screens import access, errors, languages, looks
from screens.access import READING
from screens.base import GROUPS
from screens.numbers import HouseRequest, RowNumber
from screens.pages import ADDRESSES, HOME_CARDS, SCREENS, accounts, home, replies
from screens.proxies import trust_proxies
from services.people import scope_of


class HouseSessions(SecureCookieSessionInterface):
    """The signed session cookie; over https it never travels without."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure


def register(app: Flask) -> None:
    """Give the app its pages and what they share."""
    app.config.setdefault("WTF_CSRF_TIME_LIMIT", None)  # as long as the session: nobody loses a form to a phone call
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.session_interface = HouseSessions()
    app.request_class = HouseRequest
    app.url_map.converters["int"] = RowNumber
    trust_proxies(app)
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(languages.compiled(Path(app.config["HOME"])))
    Babel(app, locale_selector=languages.babel_name)
    # first of all, before the accounts' own hook asks the database who is there: a page that reads takes no write lock
    app.before_request_funcs.setdefault(None, []).insert(0, open_session)
    app.before_request(keep_session)
    app.before_request(gate)
    forms = CSRFProtect(app)
    app.after_request(close_session)
    app.after_request(add_headers)
    errors.register(app)
    looks.register(app)
    for blueprint in ADDRESSES:
        app.register_blueprint(blueprint)
    forms.exempt(replies.pages)  # nobody is signed in there: a signed ticket in the form proves the check
    mount(app)


def mount(app: Flask) -> Admin:
    """Put the screens under /admin/, in the order of the table."""
    theme = Bootstrap4Theme(base_template="screens/shell.html")
    admin = Admin(app, name="掌灯", url="/admin", index_view=home.Home(HOME_CARDS), theme=theme)
    for group in GROUPS.values():
        admin.add_category(group)
    for key, screen in SCREENS.items():
        admin.add_view(screen.mounted(key))
    return admin


def open_session() -> None:
    """Put the asking person's scope into the session; what only reads gets a session that cannot write."""
    session = db.session()
    view = current_app.view_functions.get(request.endpoint or "")
    session.info["readonly"] = request.method in READING or getattr(view, "reads", False)
    g.nonce = secrets.token_urlsafe(16)
    if asks_who() and current_user.is_authenticated:
        session.info["actor_id"] = current_user.id
        set_scope(session, scope_of(session, current_user))


def asks_who() -> bool:
    """Whether this address cares who is there."""
    return not getattr(current_app.view_functions.get(request.endpoint or ""), "anonymous", False)


def keep_session() -> Any:
    """End a sign-in that was idle or open for too long."""
    return accounts.keep_session() if asks_who() else None


def gate() -> Any:
    """Let in who may; strangers are sent to sign in. Closed unless opened."""
    view = current_app.view_functions.get(request.endpoint or "")
    if view is None or access.is_open(request.endpoint or "", view):
        return None
    if not current_user.is_authenticated:
        return to_sign_in()
    if not access.may(*access.permissions_of(view, reading=request.method in READING)):
        abort(403)
    return None


def to_sign_in() -> Any:
    """A stranger who reads comes back here after signing in; whatever writes is refused."""
    if request.method not in READING or request.headers.get("HX-Request"):
        abort(401)
    path = request.full_path.rstrip("?") if request.path != "/" else None
    return redirect(url_for("accounts.sign_in", next=path))


def close_session(response: Response) -> Response:
    """Commit what a request wrote when it ended well, else roll it back."""
    if request.method not in READING and response.status_code < 400:
        db.session.commit()
    else:
        db.session.rollback()
    return response


def add_headers(response: Response) -> Response:
    """A strict policy: own scripts with this request's nonce only, no frames, no sniffing, no referrer."""
    nonce = g.get("nonce", "")
    policy = (
        f"default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint not in access.OPEN_ENDPOINTS:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
