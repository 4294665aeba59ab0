"""Addresses of machines: IPv4, IPv6, MAC."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.words import words

_OCTET: Final = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_V4: Final = re.compile(rf"\d(?<![A-Za-z0-9.]\d)\d{{0,2}}(?:\.{_OCTET}){{3}}(?![A-Za-z0-9]|\.\d|-[A-Za-z])")
_PORTED: Final = re.compile(rf"\d(?<![\w.]\d)\d{{0,2}}(?:\.{_OCTET}){{3}}(?=\.\d{{1,5}}(?![\w.]))")
"""An address with its port as a fifth part, as tcpdump and BSD's netstat write it."""
_CLOUD: Final = re.compile(r"ip-(?<![A-Za-z0-9]ip-)(\d{1,3}-\d{1,3}-\d{1,3}-\d{1,3})(?!\d)")
_V6: Final = re.compile(
    r"[0-9A-Fa-f:](?<![\w:.].)(?:[0-9A-Fa-f]{0,4}:){1,7}(?:[0-9A-Fa-f]{1,4}|(?:\d{1,3}\.){3}\d{1,3})?"
    r"(%[\w.-]{1,16})?(?!\w|:(?!\d{5}(?!\w))|\.\d(?!\d{0,4}(?::? |:?$| >)))"
)
_MAC: Final = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z:.-].)[0-9A-Fa-f](?:(?::[0-9A-Fa-f]{2}){5}|(?:-[0-9A-Fa-f]{2}){5}"
    r"|[0-9A-Fa-f]{2}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4})(?![:.-]?[0-9A-Fa-f])"
)
_CHAIN: Final = re.compile(
    r"[0-9A-Fa-f](?<![0-9A-Za-z:.-].)[0-9A-Fa-f](?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){5,18}(?![:-]?[0-9A-Fa-f])"
)
_SHORT: Final = re.compile(
    r"[0-9A-Fa-f](?<![\w:.-].)[0-9A-Fa-f]?(?::[0-9A-Fa-f]{1,2}){5}(?![:.-]?[0-9A-Za-z])"
)
"""A hardware address without leading zeros, as macOS and Solaris write it."""
_FRAMES: Final = ("0800", "86dd", "0806", "8100", "88cc", "8864")
"""What a frame can hold (IEEE 802): it stands behind the addresses of both ends."""
_VERSIONED: Final = words(
    "v version ver release build mozilla assemblyversion upgraded upgrade updated from_version"
)
_SCHEMES: Final = words("tcp udp inet inet6 ip host from addr client peer http https icmp sctp")
_NEAR: Final = re.compile(
    r"(?:->|ip|addr|address|client|host|peer|server|remote|//|for|dns|from)\W{0,3}$", re.IGNORECASE
)
_WORD: Final = re.compile(r"[\w.+-]+")


def ipv4(text: str) -> Iterator[Span]:
    """IPv4 addresses, but for loopback, masks, private networks, and four-part versions."""
    for found in _V4.finditer(text):
        if not _is_plain(found[0], text, *found.span()):
            yield (*found.span(), "ip")


def ported(text: str) -> Iterator[Span]:
    """IPv4 addresses before ``.port``, in what speaks of connections."""
    if " > " in text or "tcp" in text or "udp" in text:
        for found in _PORTED.finditer(text):
            if not _is_plain(found[0], text, *found.span()):
                yield (*found.span(), "ip")


def cloud_names(text: str) -> Iterator[Span]:
    """Host names made of addresses: ``ip-10-0-3-17``."""
    for found in _CLOUD.finditer(text):
        yield (*found.span(1), "ip")


def _is_plain(address: str, text: str, start: int, end: int) -> bool:
    octets = address.split(".")
    if octets[0] in {"0", "255", "127"} or int(octets[0]) > 255:
        return True
    if start and _is_version(text[max(0, start - 44) : start]):
        # What follows an @ is a version of a package, or the host of a login: root@10.1.1.5.
        return text[start - 1] != "@" or max(map(len, octets)) == 1
    after = text[end : end + 1]
    if after == "/" and octets[3] == "0" and re.match(r"/\d{1,2}(?!\d)", text[end : end + 4]):
        return ipaddress.ip_address(address).is_private
    if max(map(len, octets)) > 1 or after == ":" or len(set(octets)) == 1:
        return False
    return start > 0 and not _NEAR.search(text[max(0, start - 12) : start])


def _is_version(before: str) -> bool:
    """Whether what stands before four numbers makes them a version: ``v``, ``==``, ``Chrome/``."""
    last = before[-1]
    if last in "@^~vV" or before.endswith(("==", ">=", "<=", "~=")):
        return True
    if last == "/":
        product = _WORD.match(before[-2::-1])
        named = (
            product is not None
            and product[0][-1].isalpha()
            and before[-2 - product.end() : -1 - product.end()] in " (\"';"
        )
        return named and product is not None and product[0][::-1].lower() not in _SCHEMES
    near = before.rstrip(" =:\"'(.").lower()
    word = near[near.rfind(" ") + 1 :]
    return word.rpartition("_")[2] in _VERSIONED or (word in {"to", "from"} and "grade" in near)


def ipv6(text: str) -> Iterator[Span]:
    """IPv6 addresses, compressed, mapped or in full; not ``::1``, times, slices or names with ``::``."""
    for found in _V6.finditer(text):
        address = found[0].partition("%")[0]
        digits = address.replace(":", "")
        if len(digits) < 5 or not any(map(str.isdigit, digits)):
            continue
        if digits.lower() != digits and digits.upper() != digits:
            continue
        try:
            parsed = ipaddress.IPv6Address(address)
        except ValueError:
            continue
        if not parsed.is_loopback:
            yield (*found.span(), "ip")


def macs(text: str) -> Iterator[Span]:
    """Hardware addresses, six octets, also in frames and identifiers; other chains are fingerprints."""
    for found in _MAC.finditer(text):
        if set(found[0].lower()) - set("0:-.") and set(found[0].lower()) - set("f:-."):
            yield (*found.span(), "mac")
    if " at " in text:
        for found in _SHORT.finditer(text):
            if any(map(str.isalpha, found[0])) and len(found[0]) < 17:
                yield (*found.span(), "mac")
    if text.count(":") < 6 and text.count("-") < 6:
        return
    for found in _CHAIN.finditer(text):
        octets = found[0].replace(":", "").replace("-", "").lower()
        if _holds_mac(octets):
            yield (*found.span(), "mac")


def _holds_mac(octets: str) -> bool:
    """Whether a chain is a hardware address with something before or behind it."""
    size = len(octets) // 2
    return (
        (size == 7 and octets.startswith(("01", "ff")))  # a client's identifier (RFC 2132, 9.14)
        or (size == 8 and octets[6:10] == "fffe")  # an interface's identifier (RFC 4291, A)
        or (size == 10 and octets.startswith("00030001"))  # a host's identifier (RFC 8415, 11)
        or (size == 14 and (octets.startswith("00010001") or octets.endswith(_FRAMES)))
        or (size == 18 and octets.startswith("ff"))  # both: RFC 4361
        or (size == 19 and octets.startswith("ff"))
    )
