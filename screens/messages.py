"""What a person is told after an operation; no personal data: it travels in the cookie."""

from __future__ import annotations

from typing import Any

from flask import flash
from flask_babel import gettext as _

from models import db
from models.words import Said
from screens.languages import told
from services import Refused


def done(message: str) -> None:
    """Something was done."""
    flash(message, "success")


def warn(message: str) -> None:
    """Something to look at."""
    flash(message, "warning")


def refuse(message: Any) -> bool:
    """Something was not done, and why; forgets what was half done. Always False, to be returned.

    After a failed flush the message must be lazy: to know the language is a query, and that waits for the rollback.
    """
    db.session.rollback()
    flash(str(message), "danger")
    return False


def said(message: str | Refused) -> str:
    """A sentence of a lower floor, with its values, in the language of the asking person."""
    sentence = message.message if isinstance(message, Refused) else message
    if not isinstance(sentence, Said):
        return told(sentence)
    values = {key: said(value) if isinstance(value, str) else value for key, value in sentence.values.items()}
    return _(sentence.text, **values)
