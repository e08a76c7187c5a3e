"""Whether this process lives and its surroundings are ready, for supervisors and load balancers."""

from __future__ import annotations

import hmac
from typing import Any

from flask import Blueprint, abort, current_app, request

from screens.access import opened
from services import health

pages = Blueprint("health", __name__)
LOOPBACK = ("127.0.0.1", "::1")


@pages.route("/healthz")
@opened("supervisors ask whether the process lives")
def healthz() -> Any:
    """Alive."""
    return {"ok": True}


@pages.route("/readyz")
@opened("from this machine, or with the token")
def readyz() -> Any:
    """Database, queue, clock; 503 when one of them is not ready."""
    if not from_here():
        abort(404)
    checks = health.check_readiness(current_app._get_current_object())  # type: ignore[attr-defined]
    ready = all(check.ok for check in checks)
    return {"ok": ready, "checks": [check.as_row() for check in checks]}, 200 if ready else 503


def from_here() -> bool:
    """Whether a request comes from this machine itself, or brings the token; what a proxy passes on does not."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if given and hmac.compare_digest(given.encode(), current_app.config["METRICS_TOKEN"].encode()):
        return True
    passed_on = any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-Ip"))
    return request.remote_addr in LOOPBACK and not passed_on
