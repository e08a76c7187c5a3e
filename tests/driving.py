"""A real Chromium on the real app: served in a thread, signed in without the form, watched for errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from browsing import browse
from flask import Flask
from needs import CHROMIUM
from playwright.sync_api import Page, sync_playwright
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
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


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
    with served(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=address, viewport={"width": size[0], "height": size[1]}, locale="zh-CN")
        context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
        page, errors = context.new_page(), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        yield page
        browser.close()
        surprising = [error for error in errors if not any(part in error for part in (*ENDED, *expected))]
        assert not surprising, surprising


def serious_findings(page: Page) -> list[str]:
    """What axe finds that is serious or critical on the page as it stands."""
    page.evaluate(Path(AXE).read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run(document, {resultTypes: ['violations']})).violations")
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
