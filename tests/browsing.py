"""A browser without a screen: the test client signed in as somebody, with the token that every posting form carries."""

from __future__ import annotations

import secrets
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from models import Staff
from models.clock import utcnow
from services import accounts


class Browser:
    """What one person sees and sends. The test's own transaction ends before each request: there is one writer."""

    def __init__(self, client: FlaskClient, token: str, session: Session) -> None:
        self.client, self.token, self.session = client, token, session

    def get(self, path: str, **options: Any) -> TestResponse:
        """Open an address."""
        self.session.commit()
        return self.client.get(path, **options)

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        """Send a form."""
        self.session.commit()
        return self.client.post(path, data={"csrf_token": self.token, **(data or {})}, **options)


def browse(app: Flask, session: Session, staff: Staff) -> Browser:
    """A browser in which this person has signed in; commits what the test has written so far."""
    secret, raw = accounts.begin(session, staff), secrets.token_hex(16)
    key = staff.fs_uniquifier
    session.commit()
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie.update(_user_id=key, _fresh=True, secret=secret, seen=utcnow().timestamp(), csrf_token=raw)
    return Browser(
        client, URLSafeTimedSerializer(app.secret_key or "", salt="wtf-csrf-token").dumps(raw), session
    )
