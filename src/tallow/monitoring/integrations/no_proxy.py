"""Parse ``NO_PROXY``, the hosts that are reached directly, and recognise loopback hosts.

Source: libcurl's ``CURLOPT_NOPROXY`` for names; Go's ``httpproxy`` for ports and networks.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_SEPARATORS: Final = re.compile(r"[,\s]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT: Final = re.compile(r"(.*?):(\d{1,5})", re.DOTALL)
_NAME: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
_ZONE: Final = re.compile(r"%[^/\]]*")
_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\](/\d{1,3}|)")
_LEGACY_IPV4: Final = re.compile(r"[0-9a-fx.]+")
"""IPv4 addresses that the resolver accepts and ``ipaddress`` does not: ``127.1``, ``0x7f000001``."""


@dataclass(frozen=True, slots=True)
class Exemption:
    """One entry of ``NO_PROXY``. Exactly one of ``domain`` and ``network`` is set.

    Attributes:
        domain: a name; its subdomains are exempt, too. ``*`` means every host.
        network: a network; an address is a network of one.
        scheme: None means every scheme.
        port: None means every port.
    """

    domain: str = ""
    network: Network | None = None
    scheme: str | None = None
    port: int | None = None

    def covers(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether requests to ``host`` (as from :func:`normalise_host`) go directly."""
        if self.scheme not in {None, scheme} or self.port not in {None, port}:
            return False
        if self.network is None:
            return self.domain in {"*", host} or host.endswith(f".{self.domain}")
        address = ip_address(host)
        return address is not None and address.version == self.network.version and address in self.network


def parse(text: str) -> tuple[tuple[Exemption, ...], int]:
    """Return the valid entries of a value of ``NO_PROXY``, and the number of invalid ones.

    Accepted, separated by commas or spaces: ``*``, a name (``example.org``, ``.example.org``,
    ``*.example.org``), an address, a network in CIDR notation; IPv6 with or without brackets and zone; each
    optionally with a scheme and a port.

    Example:
        >>> entries, invalid = parse("localhost,10.0.0.0/8,?")
        >>> len(entries), invalid
        (2, 1)
    """
    parts = [part for part in _SEPARATORS.split(text) if part]
    found = [_exemption(part) for part in parts]
    known = tuple(exemption for exemption in found if exemption is not None)
    return known, len(parts) - len(known)


def is_loopback(host: str) -> bool:
    """Whether a host (as from :func:`normalise_host`) is this machine, by its name or address."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    address = ip_address(host)
    return address is not None and (address.is_loopback or address.is_unspecified)


def normalise_host(host: str) -> str:
    """Return a host in lower case and ASCII, without brackets, IPv6 zone and final dot.

    Raises:
        ValueError: the name is invalid: a label is empty, too long, or cannot be encoded by IDNA.

    Example:
        >>> normalise_host("[FE80::1%eth0]"), normalise_host("Example.ORG.")
        ('fe80::1', 'example.org')
    """
    bare = _ZONE.sub("", host.strip().strip("[]").lower()).rstrip(".")
    return bare.encode("idna").decode("ascii")


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


def _legacy_ipv4(host: str) -> Address | None:
    if not _LEGACY_IPV4.fullmatch(host):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _exemption(entry: str) -> Exemption | None:
    scheme, rest = None, entry
    if found := _SCHEME.match(entry):
        scheme, rest = found[1].lower(), entry[found.end() :].rstrip("/")
    for host, port in _splits(rest):
        if (network := _network(host)) is not None:
            return Exemption(network=network, scheme=scheme, port=port)
    for host, port in _splits(rest):
        if (domain := _domain(host)) is not None:
            return Exemption(domain=domain, scheme=scheme, port=port)
    return None


def _splits(text: str) -> Iterator[tuple[str, int | None]]:
    """Yield host and port of an entry: first read without a port, because ``::1:80`` may be an address."""
    yield text, None
    if (found := _PORT.fullmatch(text)) and int(found[2]) <= 65_535:
        yield found[1], int(found[2])


def _network(text: str) -> Network | None:
    bare = _ZONE.sub("", text)
    if found := _BRACKETS.fullmatch(bare):
        bare = found[1] + found[2]
    try:
        return ipaddress.ip_network(bare, strict=False)
    except ValueError:
        return None


def _domain(text: str) -> str | None:
    if text == "*":
        return "*"
    try:
        name = normalise_host(text.removeprefix("*").removeprefix("."))
    except ValueError:  # UnicodeError is one
        return None
    return name if _NAME.fullmatch(name) and "[" not in text and "]" not in text else None
