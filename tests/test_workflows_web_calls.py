"""Calling a web address: only what the administrator allowed, and nothing in a private net."""

import pytest

from services import Refused
from workflows import web_calls
from workflows.channel_settings import ChannelSettings
from workflows.deliveries import DeliveryFailed
from workflows.web_calls import checked, token_for

ALLOWED = ("https://api.example.com/v1", "http://10.0.0.5:8080")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://api.example.com/v1",
        "https://api.example.com/v2",
        "https://api.example.com/v10",
        "https://api.example.com/v1/../admin",
        "https://api.example.com/v1/%2e%2e/admin",
        "https://api.example.com:444/v1",
        "https://api.example.com.evil.com/v1",
        "https://api.example.com@evil.com/v1",
        "https://user:word@api.example.com/v1",
        "http://api.example.com/v1",
        "https://api.example.com/v1 /x",
        "https://api.example.com/v1\\x",
        "https://api.example.com/v1/户",
        "http://[::1",
        "",
    ],
)
def test_only_allowed_addresses_are_called(url):
    with pytest.raises(DeliveryFailed) as failure:
        web_calls.checked(url, ChannelSettings(call_allowed=ALLOWED))
    assert failure.value.permanent


@pytest.mark.parametrize(
    "url", ["https://api.example.com/v1", "https://API.example.com:443/v1/x?y=1", "http://10.0.0.5:8080/"]
)
def test_an_address_below_an_allowed_one_may_be_called(url):
    assert web_calls.checked(url, ChannelSettings(call_allowed=ALLOWED)).hostname


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "::1",
        "fd00::1",
        "100.64.0.1",
        "192.0.2.1",
        "224.0.0.1",
        "::ffff:10.1.2.3",
        "::ffff:100.64.0.1",
        "64:ff9b::a00:1",
    ],
)
def test_a_name_that_points_into_a_private_net_is_not_called(monkeypatch, address):
    entry = (2, 1, 6, "", (address, 443))
    monkeypatch.setattr(web_calls.socket, "getaddrinfo", lambda *_args, **_more: [entry])
    with pytest.raises(DeliveryFailed, match="内部网络"):
        web_calls.post("https://api.example.com/v1", b"", {}, ChannelSettings(call_allowed=ALLOWED))


@pytest.mark.parametrize(
    ("allowed", "tokens", "url", "token"),
    [
        (("https://a.example/x",), ("s1",), "https://a.example/x", "s1"),
        (("https://a.example", "https://b.example"), ("https://b.example=s=2",), "https://b.example/in", "s=2"),
        (("https://a.example", "https://b.example"), ("https://b.example=s2",), "https://a.example/in", ""),
        (("https://a.example", "https://b.example"), ("https://b.example/x=s2",), "https://b.example/y", ""),
    ],
)
def test_a_token_goes_to_its_own_address_only(allowed, tokens, url, token):
    assert token_for(url, ChannelSettings(call_allowed=allowed, call_token=tokens)) == token


def test_a_token_that_names_no_address_goes_to_none_of_several():
    settings = ChannelSettings(call_allowed=("https://a.example", "https://b.example"), call_token=("s1",))
    with pytest.raises(Refused, match="CALL_TOKEN"):
        token_for("https://a.example/in", settings)


@pytest.mark.parametrize("prefix", ["https://[bad", "https://a.example:port/", "nonsense"])
def test_what_is_written_wrongly_in_the_list_allows_nothing(prefix):
    with pytest.raises(DeliveryFailed, match="不在允许的清单里"):
        checked("https://a.example/in", ChannelSettings(call_allowed=(prefix,)))
