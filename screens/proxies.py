"""What is believed of reverse proxies in front of the pages."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from services import Refused


def trust_proxies(app: Flask) -> None:
    """Believe what as many reverse proxies say as the administrator set up; none by default."""
    hops = str(app.config.get("PROXY_HOPS") or "0")
    if not hops.isdigit():
        raise Refused("LAMPLIGHTER_PROXY_HOPS 要填反向代理的层数，例如 1；现在是「%(hops)s」。", hops=hops)
    if int(hops):
        proxies = ProxyFix(app.wsgi_app, x_for=int(hops), x_proto=int(hops), x_host=int(hops))
        app.wsgi_app = proxies  # type: ignore[method-assign]
