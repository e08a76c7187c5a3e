"""How messages and calls leave the house, from the environment; secrets also from the secret file, never from rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field, dataclass, fields
from typing import Any

from flask import current_app

FILE = "file"
KINDS: dict[str, Callable[[str], Any]] = {"str": str, "int": int, "float": float}


@dataclass(frozen=True)
class ChannelSettings:
    """What `LAMPLIGHTER_SMS_…`, `LAMPLIGHTER_MAIL_…` and `LAMPLIGHTER_CALL_…` set.

    `sms_driver`: `file`, `http` or `http_plain`; `mail_driver`: `file` or `smtp`, with `mail_security` `starttls`,
    `tls` or `none`. `call_allowed`: prefixes of web addresses that may be called; `call_private`: hosts that may lie in
    a private net; `call_token`: bearer tokens, each bound to its address (`https://a.example/x=token`). `timeout` in
    seconds, for each connection.
    """

    sms_driver: str = FILE
    sms_url: str = ""
    sms_token: str = ""
    mail_driver: str = FILE
    mail_host: str = ""
    mail_port: int = 587
    mail_security: str = "starttls"
    mail_user: str = ""
    mail_password: str = ""
    mail_from: str = ""
    call_allowed: tuple[str, ...] = ()
    call_private: tuple[str, ...] = ()
    call_token: tuple[str, ...] = ()
    timeout: float = 10.0


def channel_settings() -> ChannelSettings:
    """What this installation has set."""
    found = {field.name: _value(field) for field in fields(ChannelSettings)}
    return ChannelSettings(**{name: value for name, value in found.items() if value is not None})


def _value(field: Field[Any]) -> Any:
    """One setting in the type of its default; None where nothing is set."""
    name = "CALL_TIMEOUT" if field.name == "timeout" else field.name.upper()
    text = current_app.config.get(name)
    if text is None:
        return None
    kind: Callable[[str], Any] = _parts if field.type == "tuple[str, ...]" else KINDS[str(field.type)]
    return kind(str(text))


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.replace(",", " ").split() if part)
