"""How messages and calls leave the house, from the environment; secrets also from the secret file, never from rows."""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app

FILE = "file"


@dataclass(frozen=True)
class ChannelSettings:
    """`LAMPLIGHTER_SMS_DRIVER` = `file` or `http`, `LAMPLIGHTER_MAIL_DRIVER` = `file` or `smtp`; the rest belongs to them.

    `call_allowed`: prefixes of web addresses that may be called. `call_private`: hosts that may lie in a private net.
    `mail_security`: `starttls`, `tls` or `none`. `timeout` in seconds, for each connection.
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
    call_token: str = ""
    timeout: float = 10.0


def channel_settings() -> ChannelSettings:
    """What this installation has set."""
    config = current_app.config
    texts = {
        name: str(config.get(name.upper(), getattr(ChannelSettings, name)))
        for name in (
            "sms_driver",
            "sms_url",
            "sms_token",
            "mail_driver",
            "mail_host",
            "mail_security",
            "mail_user",
        )
    }
    texts |= {
        name: str(config.get(name.upper(), "")) for name in ("mail_password", "mail_from", "call_token")
    }
    lists = {name: _parts(str(config.get(name.upper(), ""))) for name in ("call_allowed", "call_private")}
    return ChannelSettings(
        **texts,
        **lists,  # type: ignore[arg-type]
        mail_port=int(config.get("MAIL_PORT", ChannelSettings.mail_port)),
        timeout=float(config.get("CALL_TIMEOUT", ChannelSettings.timeout)),
    )


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in text.replace(",", " ").split() if part)
