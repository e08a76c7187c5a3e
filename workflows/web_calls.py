"""Calling a web address from inside the house: only what the administrator allowed, never a private net by the way.

The host is looked up once, the address that was checked is the one that is called, and no redirect is followed: a name
that points elsewhere a moment later, or an answer that sends us on, leads nowhere (server-side request forgery).
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from models.words import N_, Said
from services import Refused
from workflows.channel_settings import ChannelSettings
from workflows.deliveries import DeliveryFailed

MOST = 64 * 1024  # bytes of an answer that are read
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 behind NAT64 (RFC 6052)
WHOSE_TOKEN = N_(
    "CALL_TOKEN 没有写明是给哪个网址的，没有调用。允许几个网址时，请系统管理员写成 https://网址=口令，几项用逗号分开。"
)
SAFE_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True)
class Answer:
    """What came back: status and the beginning of the body."""

    status: int
    text: str


def post(url: str, body: bytes, headers: Mapping[str, str], settings: ChannelSettings) -> Answer:
    """Post to an allowed address and return the answer, whatever its status; no redirect is followed.

    DeliveryFailed when nothing was sent; any other exception means that what arrived is not known.
    """
    parts = checked(url, settings)
    connection = _connected(parts, settings)
    try:
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        return Answer(answer.status, answer.read(MOST).decode("utf-8", "replace"))
    finally:
        connection.close()


def checked(url: str, settings: ChannelSettings) -> SplitResult:
    """The parts of an address that the administrator's list allows; refused for all others."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _failed(Said("网址「%(url)s」写得不对。", url=url[:80]), permanent=True) from None
    is_plain = (
        parts.scheme in SAFE_PORTS
        and parts.hostname
        and not (parts.username or parts.password or parts.fragment)
    )
    if not is_plain or port == 0 or any(not "!" <= letter <= "~" or letter == "\\" for letter in url):
        raise _failed(Said("网址「%(url)s」写得不对。", url=url[:80]), permanent=True)
    if not any(_is_below(parts, prefix) for prefix in settings.call_allowed):
        message = Said(
            "网址「%(host)s」不在允许的清单里，请系统管理员把它加进 CALL_ALLOWED。", host=parts.hostname
        )
        raise _failed(message, permanent=True)
    return parts


def token_for(url: str, settings: ChannelSettings) -> str:
    """The bearer token of an address: the one set for it (`https://a.example/x=token`), and no other's.

    A token without an address is that of the only allowed address; with several it is nobody's, and refused.
    """
    parts, bare = urlsplit(url), ""
    for entry in settings.call_token:
        prefix, equals, token = entry.partition("=")
        if not prefix.startswith(tuple(f"{scheme}://" for scheme in SAFE_PORTS)):
            bare = entry
        elif equals and _is_below(parts, prefix):
            return token
    if bare and len(settings.call_allowed) > 1:
        raise Refused(WHOSE_TOKEN)
    return bare


def _failed(message: str, *, permanent: bool) -> DeliveryFailed:
    return DeliveryFailed(message, permanent=permanent, reason="channel_down")


def _is_below(parts: SplitResult, prefix: str) -> bool:
    """Whether an address lies at or below an allowed one: same scheme, host and port, and whole parts of its path."""
    try:
        allowed = urlsplit(prefix)
        same = (parts.scheme, parts.hostname, _port(parts)) == (allowed.scheme, allowed.hostname, _port(allowed))
    except ValueError:  # what is written wrongly in the list allows nothing
        return False
    if not same:
        return False
    folder = allowed.path.rstrip("/")
    inside = parts.path == folder or parts.path.startswith(f"{folder}/") or not folder
    return inside and ".." not in parts.path.split("/") and "%2e" not in parts.path.lower()


def _port(parts: SplitResult) -> int:
    return parts.port or SAFE_PORTS.get(parts.scheme, 0)


def _connected(parts: SplitResult, settings: ChannelSettings) -> http.client.HTTPConnection:
    host, port = str(parts.hostname), _port(parts)
    address = _address(host, port, settings)
    connection = http.client.HTTPConnection(host, port, timeout=settings.timeout)
    connection.default_port = SAFE_PORTS[parts.scheme]
    try:
        line = connection.sock = socket.create_connection((address, port), settings.timeout)
        if parts.scheme == "https":
            connection.sock = ssl.create_default_context().wrap_socket(line, server_hostname=host)
    except OSError as error:
        connection.close()
        message = Said("连不上 %(host)s（%(kind)s），稍后会自动重试。", host=host, kind=type(error).__name__)
        raise _failed(message, permanent=False) from error
    return connection


def _address(host: str, port: int, settings: ChannelSettings) -> str:
    """The network address that is called: the first that the name has, and none in a private net unless allowed."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _failed(Said("找不到主机 %(host)s，稍后会自动重试。", host=host), permanent=False) from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if host not in settings.call_private and not all(map(_is_public, addresses)):
        message = Said("主机 %(host)s 在内部网络里，没有允许调用（CALL_PRIVATE）。", host=host)
        raise _failed(message, permanent=True)
    return addresses[0]


def _is_public(text: str) -> bool:
    """Whether an address lies in the public net; one of IPv4 written as IPv6 is judged as what it is."""
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address in TRANSLATED):
        address = ipaddress.IPv4Address(address.packed[-4:])
    return address.is_global and not address.is_multicast
