"""What every page shares: who asks, the scope of the session, the transaction, the headers."""

from __future__ import annotations

import secrets

from flask import Flask, Response, g, request
from flask_security import current_user

from models import db
from models.scope import set_scope
from services.people import scope_of

READING = ("GET", "HEAD", "OPTIONS")


def register(app: Flask) -> None:
    """Give the app its pages and what they share."""
    app.before_request(open_session)
    app.after_request(close_session)
    app.after_request(add_headers)


def open_session() -> None:
    """Put the asking person's scope into the session; what only reads gets a session that cannot write."""
    session = db.session()
    session.info["readonly"] = request.method in READING
    g.nonce = secrets.token_urlsafe(16)
    if current_user.is_authenticated:
        session.info["actor_id"] = current_user.id
        set_scope(session, scope_of(session, current_user))


def close_session(response: Response) -> Response:
    """Commit what a request wrote when it ended well, else roll it back."""
    if request.method not in READING and response.status_code < 400:
        db.session.commit()
    else:
        db.session.rollback()
    return response


def add_headers(response: Response) -> Response:
    """A strict policy: own scripts with this request's nonce only, no frames, no sniffing, no referrer."""
    policy = (
        f"default-src 'self'; script-src 'self' 'nonce-{g.get('nonce', '')}'; style-src 'self' 'nonce-{g.get('nonce', '')}'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    response.headers.setdefault("Content-Security-Policy", policy)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    return response
