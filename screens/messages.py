"""What a person is told after an operation; no personal data: it travels in the cookie."""

from __future__ import annotations

from flask import flash

from models import db


def done(message: str) -> None:
    """Something was done."""
    flash(message, "success")


def warn(message: str) -> None:
    """Something to look at."""
    flash(message, "warning")


def refuse(message: str) -> bool:
    """Something was not done, and why; forgets what was half done. Always False, to be returned."""
    db.session.rollback()
    flash(message, "danger")
    return False
