"""Addresses of machines: IPv4, IPv6, MAC."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span

_V4: Final = re.compile(
    r"(?<![A-Za-z0-9.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d"
    r"|1?\d?\d)(?![A-Za-z0-9]|\.\d|-[A-Za-z])"
)
_CLOUD: Final = re.compile(r"(?<![A-Za-z0-9])ip-(\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})(?!\d)")
_V6: Final = re.compile(
    r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?(?![\w:]|\.\d)"
)
_MAC: Final = re.compile(
    r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5})(?![:-]?[0-9A-Fa-f])"
    r"|(?<![0-9A-Za-z.])[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?![.]?[0-9A-Za-z])"
)
_VERSION: Final = re.compile(
    r"(?:\b(?:v|version|ver|release|build|upgraded to|upgrade to|mozilla"
    r"|assemblyversion)\.?[\"']?[ =:]{0,3}[\"']?"
    r"|(?:^|[\s(\"';])(?!tcp|udp|inet|ip|host|from|addr|client|peer)[A-Za-z][\w.+-]{1,40}/|==|@)$",
    re.IGNORECASE,
)
_NEAR: Final = re.compile(
    r"(?:ip|addr|address|from|client|host|peer|server|remote|to|//)\W{0,3}$", re.IGNORECASE
)
_LEADING: Final = {"0", "255"}


def ipv4(text: str) -> Iterator[Span]:
    """IPv4 addresses, but for loopback, masks, and four-part versions."""
    for found in _V4.finditer(text):
        if not _is_plain(found[0], text, *found.span()):
            yield Span(*found.span(), "ip")
    if "ip-" in text:
        for found in _CLOUD.finditer(text):
            yield Span(*found.span(1), "ip")


def _is_plain(address: str, text: str, start: int, end: int) -> bool:
    octets = address.split(".")
    if octets[0] in _LEADING or octets[0] == "127":
        return True
    before = text[max(0, start - 44) : start]
    if before and _VERSION.search(before):
        return True
    if text[end : end + 1] == "/" and octets[3] == "0" and re.match(r"/\d{1,2}(?!\d)", text[end:]):
        return ipaddress.ip_address(address).is_private
    if max(map(len, octets)) > 1 or text[end : end + 1] == ":":
        return False
    return bool(before) and not _NEAR.search(before)


def ipv6(text: str) -> Iterator[Span]:
    """IPv6 addresses, compressed, mapped or in full; not ``::1``, times, slices or names with ``::``."""
    for found in _V6.finditer(text):
        address = found[0]
        digits = address.replace(":", "")
        if len(digits) < 5 or not any(char.isdigit() for char in digits):
            continue
        if digits.lower() != digits and digits.upper() != digits:
            continue
        try:
            parsed = ipaddress.IPv6Address(address)
        except ValueError:
            continue
        if not parsed.is_loopback:
            yield Span(*found.span(), "ip")


def macs(text: str) -> Iterator[Span]:
    """Hardware addresses, six octets; longer chains are fingerprints."""
    for found in _MAC.finditer(text):
        if set(found[0].lower()) - set("0:-.") and set(found[0].lower()) - set("f:-."):
            yield Span(*found.span(), "mac")
