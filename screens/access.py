"""Who may enter: every address names its permission or says why it is open; what says neither is closed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from flask_security import current_user

READING = ("GET", "HEAD", "OPTIONS")
SIGNED_IN = "signed_in"
OPEN_ENDPOINTS = ("static", "admin.static")

View = TypeVar("View", bound=Callable[..., Any])


def needs(*permissions: str) -> Callable[[View], View]:
    """Let those enter who hold one of these permissions (`subject.verb`); SIGNED_IN lets everybody who signed in."""

    def mark(view: View) -> View:
        view.permissions = permissions  # type: ignore[attr-defined]
        return view

    return mark


def reads(view: View) -> View:
    """A posted address that only looks something up: its session cannot write, and waits for no other writer."""
    view.reads = True  # type: ignore[attr-defined]
    return view


def opened(why: str) -> Callable[[View], View]:
    """Open an address to strangers; the reason is read by whoever reviews the list of open addresses."""

    def mark(view: View) -> View:
        view.opened = why  # type: ignore[attr-defined]
        return view

    return mark


def anonymous(view: View) -> View:
    """Serve this address without asking who is there: what hundreds of open boards poll."""
    view.anonymous = True  # type: ignore[attr-defined]
    return view


def may(*permissions: str) -> bool:
    """Whether the asking person holds one of the permissions."""
    if not current_user.is_authenticated:
        return False
    return any(permission == SIGNED_IN or current_user.can(permission) for permission in permissions)


def is_open(endpoint: str, view: Any) -> bool:
    """Whether strangers may come here."""
    return endpoint in OPEN_ENDPOINTS or bool(getattr(view, "opened", ""))


def permissions_of(view: Any, *, reading: bool) -> tuple[str, ...]:
    """The permissions that open a view: its own, else those of its screen; none closes it."""
    own: tuple[str, ...] = getattr(view, "permissions", ())
    screen = getattr(view, "__self__", None)
    if own or screen is None or not hasattr(screen, "permissions_for"):
        return own
    found: tuple[str, ...] = screen.permissions_for(view.__name__, reading=reading)
    return found
