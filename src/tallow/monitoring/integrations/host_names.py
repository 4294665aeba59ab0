"""Host names and addresses in one form, so that two spellings of one host are equal."""

from __future__ import annotations

import ipaddress
import re
import socket
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_LABEL: Final = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_MAX_NAME: Final = 253
_NUMBER: Final = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
_LEGACY_IPV4: Final = re.compile(r"[0-9a-fx.]+")
"""IPv4 addresses that the resolver accepts and ``ipaddress`` does not: ``127.1``, ``0x7f000001``."""
_IPV4_IN_IPV6: Final = 96
"""The length of the prefix of IPv4 addresses mapped into IPv6, ``::ffff:0:0/96``."""


def normalise_host(host: str) -> str:
    """Return a host in lower case and ASCII, without brackets and final dot.

    The zone of an IPv6 address stays and follows ``%``, also where ``%25`` stands in a URL (RFC 6874). Names
    are encoded by IDNA 2008, as httpx does it.

    Raises:
        ValueError: the name is invalid: a label is empty, too long, or cannot be encoded.

    Example:
        >>> normalise_host("[FE80::1%25eth0]"), normalise_host("Example.ORG.")
        ('fe80::1%eth0', 'example.org')
    """
    bare = host.strip()
    if bare.startswith("[") and bare.endswith("]"):
        bare = bare[1:-1]
    name, percent, zone = bare.partition("%")
    if ":" in name:
        return name.lower() + percent + (zone.removeprefix("25") or zone)
    name = _ascii(bare).lower().removesuffix(".")
    if name and not _is_plain(name):
        raise ValueError("the host name is invalid")
    return name


def is_name(host: str) -> bool:
    """Whether a host (as from :func:`normalise_host`) is a name. A number at its end makes it an address."""
    return len(host) <= _MAX_NAME and bool(_NAME.fullmatch(host)) and not _NUMBER.fullmatch(host)


def is_loopback(host: str) -> bool:
    """Whether a host (as from :func:`normalise_host`) is this machine, by its name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = ip_address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def ip_address(host: str) -> Address | None:
    """Return the address that a host (as from :func:`normalise_host`) is; None for a name.

    An IPv4 address mapped into IPv6 (``::ffff:10.0.0.1``) is returned as IPv4.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _legacy_ipv4(host)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def ip_network(text: str) -> Network | None:
    """Return a network in CIDR notation, or an address as a network of one; None if it is neither.

    Networks of IPv4 addresses mapped into IPv6 (``::ffff:10.0.0.0/104``) are returned as IPv4.
    """
    address, slash, length = text.partition("/")
    if slash and not (length.isascii() and length.isdigit()):  # ipaddress would accept a netmask
        return None
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None if slash else _legacy_network(address)
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= _IPV4_IN_IPV6:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((int(mapped), network.prefixlen - _IPV4_IN_IPV6))
    return network


def _legacy_network(text: str) -> Network | None:
    """Return the network of an address that is written as ``10.1``.

    Octal numbers are not accepted, because programs disagree about them, and neither is ``0.0.0.0/8``: a
    single number is rather a mistake.
    """
    parts = text.split(".")
    if any(re.fullmatch(r"0[0-9]+", part) for part in parts) or text.endswith("."):
        return None
    address = _legacy_ipv4(text)
    return None if address is None or int(address) >> 24 == 0 else ipaddress.ip_network(address)


def _legacy_ipv4(host: str) -> ipaddress.IPv4Address | None:
    if not _LEGACY_IPV4.fullmatch(host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _is_plain(name: str) -> bool:
    """Whether no label is empty or too long. The resolver decides about the characters."""
    return len(name) <= _MAX_NAME and all(0 < len(label) <= 63 for label in name.split("."))


def _ascii(name: str) -> str:
    """Encode a name as httpx encodes the name in a request's URL, so that both are equal."""
    if name.isascii():
        return name
    import httpx

    try:
        return httpx.URL(scheme="http", host=name).raw_host.decode("ascii")
    except httpx.InvalidURL:
        raise ValueError("the host name cannot be encoded") from None
