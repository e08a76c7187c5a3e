"""/r/<token>: what a customer meets behind the code on the letter. The same pages here and on the machine outside.

No account, no cookie, no script: who answers is proved by a datum that the letter hides, and the proof travels in the
form as a signed ticket. A wrong answer, an unknown code, one whose time is over and one that was tried too often get
the same page with the same status.
"""

from __future__ import annotations

import base64
import hashlib
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from flask import Blueprint, Response, current_app, g, make_response, redirect, render_template, request
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from models.home import CHECKOUT
from screens.access import anonymous, opened
from screens.languages import BABEL_NAMES, LOCALES
from screens.messages import said
from services import Refused, return_rows
from services.replies import Shown
from services.reply_checks import USUAL, normal_token
from services.returns import Line

WHY = "customers answer here by the code on their letter; a hidden datum proves who they are"
TICKET_SECONDS = 30 * 60
MOST_BYTES = 20_000
REFUSED_STATUS = 403
SLOWNESS = 0.15  # seconds before a refusal; finding a letter or none differs by milliseconds

LABELS = {place: _l(label) for place, label in return_rows.LABELS.items()}
KEYBOARDS = {"mobile": "tel", "landline": "tel", "outage_mobile": "tel", "postcode": "numeric", "email": "email"}
QUESTIONS = {
    "phone": (_l("请输入登记手机号码的第 4 至 7 位"), _l("就是函件背面用 * 遮住的四位数字。"), 4, "numeric"),
    "identity": (_l("请输入户主身份证件号码的后四位"), _l("最后一位是字母 X 的，照样输入。"), 4, "text"),
    "meter": (_l("请输入电能表上条码下数字的后八位"), _l("电能表就是家里的电表，条码贴在表面上。"), 8, "numeric"),
}


@dataclass(frozen=True)
class Bureau:
    """Who asks, and where customers may turn instead."""

    organ: str
    hotline: str


class Door(Protocol):
    """Where codes are looked up: the bureau's own database, or what the machine outside was given."""

    def bureau(self) -> Bureau:
        """Who asks."""

    def question(self, token: str) -> str:
        """The check that a code asks for; empty for a code that cannot be answered."""

    def is_answered(self, token: str) -> bool:
        """Whether the letter behind a code has its answer."""

    def enter(self, token: str, given: str, address: str) -> bool:
        """Count a try, and whether it was right."""

    def lines(self, token: str) -> Sequence[Shown]:
        """What the page asks about; empty for a code that cannot be answered any more."""

    def answer(self, token: str, lines: Sequence[Line]) -> None:
        """Keep the answer; Refused says what to mend."""

    def rest(self) -> None:
        """Let go of the database while an answer is held back."""


def reply_pages(door: Door) -> Blueprint:
    """The pages on one door."""
    pages = Blueprint("reply", __name__)

    @opened(WHY)
    @anonymous
    def reply(token: str) -> Any:
        request.max_content_length = MOST_BYTES
        with _in_language():
            return _guarded(_answered(door, normal_token(token)))

    for rule in ("/r/<token>", "/R/<token>"):
        pages.add_url_rule(rule, "reply", reply, methods=("GET", "POST"))
    pages.register_error_handler(Exception, failed)
    return pages


def is_customers(path: str) -> bool:
    """Whether an address belongs to the customers' page, as far as anybody can tell who mistyped one."""
    return path[:3].lower() == "/r/"


def failed(error: Exception) -> Any:
    """The one page for whatever went wrong here, whatever the code; it asks no database, and the log names no address:
    the code of a letter stands in it."""
    status = (error.code or 500) if isinstance(error, HTTPException) else 500
    if status >= 500:
        places = "".join(traceback.format_tb(error.__traceback__))
        current_app.logger.error("a customer's page failed: %s\n%s", type(error).__name__, places)
    with _in_language():
        return _guarded((_page("failed", Bureau("", "")), status))


def _answered(door: Door, token: str) -> Any:
    if token and door.is_answered(token):
        return _thanks(door)
    if request.method != "POST":
        return _question(door, token)
    try:
        fields = request.form
    except RequestEntityTooLarge:
        return _refused(door)
    if fields.get("step") == "answer":
        return _take(door, token)
    if not door.enter(token, fields.get("answer", ""), request.remote_addr or ""):
        return _refused(door)
    return _form(door, token)


def _take(door: Door, token: str) -> Any:
    """The second page came back: the ticket proves that the first was passed."""
    if not token or not _holds(request.form.get("ticket", ""), token):
        return _refused(door)
    lines = door.lines(token)
    if not lines:
        return _refused(door)
    try:
        door.answer(token, _said(lines))
    except Refused as refusal:
        return _form(door, token, mistake=said(refusal)), 422
    return redirect(request.full_path.rstrip("?"), 303)


def _said(lines: Sequence[Shown]) -> list[Line]:
    """What was filled in; "all is right" speaks of every recorded value."""
    if request.form.get("all") == "same":
        return [Line(line.place, "same") for line in lines if line.text]
    found = []
    for line in lines:
        text = request.form.get(f"new_{line.place}", "").strip()
        reply = request.form.get(f"is_{line.place}", "")
        if text or reply == "new":
            found.append(Line(line.place, "new", text))
        elif reply == "same" and line.text:
            found.append(Line(line.place, "same"))
    return found


def _question(door: Door, token: str) -> str:
    """The first page; a code that cannot be answered gets the usual question, so that it says nothing."""
    check = (door.question(token) if token else "") or USUAL
    label, hint, length, keyboard = QUESTIONS[check]
    facts = {"label": label, "hint": hint, "length": length, "keyboard": keyboard}
    return _page("question", door.bureau(), **facts)


def _form(door: Door, token: str, mistake: str = "") -> str:
    facts = {"lines": door.lines(token), "labels": LABELS, "keyboards": KEYBOARDS, "typed": request.form}
    return _page("form", door.bureau(), ticket=_tickets().dumps(token), mistake=mistake, **facts)


def _refused(door: Door) -> Any:
    """The one answer to everything that does not fit, never sooner than after a while: time tells nothing either."""
    page = _page("refused", door.bureau())
    door.rest()
    time.sleep(max(0.0, SLOWNESS - (time.monotonic() - g.reply_began)))
    return page, REFUSED_STATUS


def _thanks(door: Door) -> str:
    return _page("thanks", door.bureau())


def _page(name: str, bureau: Bureau, **facts: Any) -> str:
    other = "en" if g.reply_language == "zh_CN" else "zh_CN"
    shared = {"bureau": bureau, "language": g.reply_language, "style": _style()}
    shared |= {"other": other, "other_name": LOCALES[other]}
    return render_template(f"screens/reply_{name}.html", **shared, **facts)


@cache
def _style() -> str:
    """The look, inside the page: nothing else is fetched, and the same page has the same bytes."""
    return (CHECKOUT / "templates" / "screens" / "_reply.css").read_text(encoding="utf-8")


@cache
def _style_hash() -> str:
    return base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()


def _tickets() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="reply")


def _holds(ticket: str, token: str) -> bool:
    try:
        return bool(_tickets().loads(ticket, max_age=TICKET_SECONDS) == token)
    except BadData:
        return False


@contextmanager
def _in_language() -> Iterator[None]:
    """The language that the address names, else the browser's, else Chinese; nothing is remembered."""
    g.reply_began = time.monotonic()
    wanted = request.args.get("lang", "")
    best = request.accept_languages.best_match(["zh", "en"]) or "zh"
    g.reply_language = wanted if wanted in BABEL_NAMES else {"zh": "zh_CN", "en": "en"}[best]
    with force_locale(BABEL_NAMES[g.reply_language]):
        yield


def _guarded(answer: Any) -> Response:
    """Nothing is kept, nothing is told to others, nothing foreign is loaded."""
    response = make_response(answer)
    policy = f"default-src 'none'; style-src 'sha256-{_style_hash()}'; form-action 'self'; base-uri 'none'"
    response.headers["Content-Security-Policy"] = f"{policy}; frame-ancestors 'none'"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
