"""The machine outside: the customers' page alone, on a file of its own; no other address, no account, nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path

from flask import Flask, Response, current_app
from flask_babel import Babel
from werkzeug.exceptions import HTTPException

from models.home import CHECKOUT
from screens import languages
from screens.proxies import trust_proxies
from screens.reply_pages import MOST_BYTES, Bureau, reply_pages
from services import exchange
from services.outposts import Outpost
from services.replies import Shown
from services.returns import Line


class OuterDoor:
    """The codes that the inner network told of."""

    def __init__(self, outpost: Outpost) -> None:
        self.outpost = outpost

    def bureau(self) -> Bureau:
        """As the last export says."""
        about = self.outpost.about()
        return Bureau(about.get("organ", ""), about.get("hotline", "95598"))

    def question(self, token: str) -> str:
        """The check of a letter that may be answered."""
        return self.outpost.question(token)

    def is_answered(self, token: str) -> bool:
        """Whether the letter has its answer."""
        return self.outpost.is_answered(token)

    def enter(self, token: str, given: str, address: str) -> bool:
        """Count the try, and whether it was right."""
        return self.outpost.enter(token, given, address)

    def lines(self, token: str) -> Sequence[Shown]:
        """What the letter shows."""
        return self.outpost.lines(token)

    def answer(self, token: str, lines: Sequence[Line]) -> None:
        """Keep the answer until it is collected."""
        self.outpost.answer(token, lines)

    def rest(self) -> None:
        """Nothing is held here."""


def create_outpost(home: Path, outpost: Outpost, *, hops: str = "0") -> Flask:
    """The app of the machine outside; its database is the outpost's file, and it knows no other."""
    app = Flask("lamplighter-outside", root_path=str(CHECKOUT), template_folder="templates", static_folder=None)
    app.secret_key = exchange.derived(outpost.key, "tickets").hex()
    app.config.update(MAX_CONTENT_LENGTH=MOST_BYTES, PROXY_HOPS=hops, BABEL_DEFAULT_LOCALE="zh_Hans_CN")
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(languages.compiled(home))
    Babel(app)
    trust_proxies(app)
    app.register_blueprint(reply_pages(OuterDoor(outpost)))
    app.register_error_handler(HTTPException, _plain)
    app.register_error_handler(Exception, _failed)
    return app


def _plain(error: HTTPException) -> Response:
    """Whatever is not a customer's page: a line of text that says nothing about this machine."""
    return _line(error.code or 404)


def _failed(error: Exception) -> Response:
    """The log names no address: the code of a letter stands in it."""
    current_app.logger.error("a page failed: %s", type(error).__name__)
    return _line(500)


def _line(status: int) -> Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff"}
    headers["Content-Security-Policy"] = "default-src 'none'; frame-ancestors 'none'"
    return Response(f"{status} {HTTPStatus(status).phrase}\n", status, headers, mimetype="text/plain")
