"""A real Chromium on the real app: served in a thread, signed in without the form, watched for errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from browsing import browse
from flask import Flask
from needs import CHROMIUM
from playwright.sync_api import Browser, Page, sync_playwright
from sqlalchemy.orm import Session
from werkzeug.serving import make_server

from models import Staff
from models.home import CHECKOUT

AXE = CHECKOUT / "node_modules" / "axe-core" / "axe.min.js"
WIDE, NARROW = (1360, 900), (390, 844)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a free port of this machine."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def chromium() -> Browser:
    """The one browser of a test process: it ends with the process. Each test has a context of its own in it."""
    return sync_playwright().start().chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


# What htmx says of a question that a click on a link ended.
ENDED = ("htmx:sendAbort", "htmx:afterRequest")


@contextmanager
def driven(
    app: Flask, session: Session, staff: Staff, *, size: tuple[int, int] = WIDE, expected: tuple[str, ...] = ()
) -> Iterator[Page]:
    """A page on which this person is signed in; errors in scripts or against the content policy fail the test.

    `expected`: what the texts of errors hold that the test provokes.
    """
    cookie = browse(app, session, staff).client.get_cookie(app.config["SESSION_COOKIE_NAME"])
    viewport = {"width": size[0], "height": size[1]}
    with served(app) as address:
        context = chromium().new_context(base_url=address, viewport=viewport, locale="zh-CN")
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        try:
            yield page
        finally:
            context.close()
        surprising = [error for error in errors if not any(part in error for part in (*ENDED, *expected))]
        assert not surprising, surprising


def serious_findings(page: Page) -> list[str]:
    """What axe finds that is serious or critical on the page as it stands."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


def settle(page: Page) -> None:
    """Wait until what the page asks for by itself has come."""
    page.wait_for_function("!document.querySelector('.htmx-request')")


def barriers(page: Page) -> list[str]:
    """What is in the way on the page as it stands, wide and narrow: serious findings, and scrolling sideways."""
    found = []
    for width, height in (WIDE, NARROW):
        page.set_viewport_size({"width": width, "height": height})
        found += [f"{width}: {one}" for one in serious_findings(page)]
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.append(f"{width}: scrolls sideways")
    return found
