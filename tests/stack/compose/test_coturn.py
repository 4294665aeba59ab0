"""The address that coturn tells peers."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from tallow.monitoring.settings.errors import BadSettingError
from tallow.stack.compose.coturn import coturn_config, require_address


@pytest.mark.parametrize(
    "servers", ["", "stun:stun.example.org", "turn:192.0.2.7:3478", "turn:localhost", "turns:[2001:db8::7]"]
)
def test_an_address_and_a_name_that_has_one_are_accepted(servers: str) -> None:
    require_address({"ICE_SERVERS": servers})
    assert "listening-port=3478" in coturn_config({"ICE_SERVERS": servers})


@pytest.mark.parametrize(
    ("servers", "reason"),
    [
        ("turn:[2001:db8::7]:3478", "[2001:db8::7], an IPv6 address, and the container of coturn has none"),
        ("stun:a.example,turn:relay..example", "relay..example, without an IPv4 address (not a host name)"),
    ],
)
def test_a_host_that_coturn_cannot_use_is_one_line(servers: str, reason: str) -> None:
    with pytest.raises(BadSettingError) as refused:
        require_address({"ICE_SERVERS": servers})
    accepted = "an IPv4 address, or a host name that has one"
    assert str(refused.value) == f"ICE_SERVERS has the TURN server {reason}; accepted: {accepted}"


def test_a_name_without_an_address_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver is replaced: the time that a real one takes for a missing name has no limit."""

    def resolve(host: str, *_: Any) -> Any:
        assert host == "turn.example.org"
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(BadSettingError, match=r"turn\.example\.org, without .* \(Name or service not known"):
        require_address({"ICE_SERVERS": "turn:turn.example.org:3478"})
