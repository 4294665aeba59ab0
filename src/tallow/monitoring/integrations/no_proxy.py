"""Parse ``NO_PROXY``, the hosts that are reached directly.

An entry has the meaning that curl, requests, httpx or Go's ``httpproxy`` gives it. Where they disagree, it
has the narrowest of their meanings, and an entry that none of them understands is invalid: see the table in
``docs/proxies.md``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tallow.monitoring.integrations.host_names import Network, ip_address, ip_network, is_name, normalise_host

_SEPARATORS: Final = re.compile(r"[,\s]+")
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_PORT: Final = re.compile(r"(.*?):([0-9]{1,5})", re.DOTALL)
_MAX_PORT: Final = 65_535
_ZONE: Final = re.compile(r"%(?:25)?([^/\]]+)")
_BRACKETS: Final = re.compile(r"\[([^\[\]]*)\](/[0-9]{1,3}|)")


@dataclass(frozen=True, slots=True)
class Exemption:
    """One entry of ``NO_PROXY``. Exactly one of ``domain`` and ``network`` is set.

    Attributes:
        domain: a name. ``*`` means every host.
        exact: whether the host of that name is exempt.
        subdomains: whether its subdomains are exempt.
        network: a network; an address is a network of one.
        zone: of a link-local IPv6 address; empty means every zone.
        scheme: None means every scheme.
        port: None means every port.
    """

    domain: str = ""
    exact: bool = True
    subdomains: bool = True
    network: Network | None = None
    zone: str = ""
    scheme: str | None = None
    port: int | None = None

    def covers(self, scheme: str, host: str, port: int | None) -> bool:
        """Whether requests to ``host`` (as from :func:`normalise_host`) go directly."""
        if self.scheme not in {None, scheme} or self.port not in {None, port}:
            return False
        if self.domain == "*":
            return True
        address = ip_address(host)
        if self.network is None:
            return address is None and self._covers_name(host)
        if address is None or (self.zone and host.partition("%")[2] != self.zone):
            return False
        return address.version == self.network.version and address in self.network

    def _covers_name(self, host: str) -> bool:
        return (self.exact and host == self.domain) or (self.subdomains and host.endswith(f".{self.domain}"))


def parse(text: str) -> tuple[tuple[Exemption, ...], int]:
    """Return the valid entries of a value of ``NO_PROXY``, and the number of invalid ones.

    Accepted, separated by commas or spaces: ``*``; a name with its subdomains (``example.org``), or its
    subdomains alone (``.example.org``, ``*.example.org``); an address; a network in CIDR notation; IPv6 with
    or without brackets and zone. A name or an address can have a port, and a scheme, which exempts that host
    alone.

    Example:
        >>> entries, invalid = parse("localhost,10.0.0.0/8,10.*")
        >>> len(entries), invalid
        (2, 1)
    """
    parts = [part for part in _SEPARATORS.split(text) if part]
    found = [_exemption(part) for part in parts]
    known = tuple(exemption for exemption in found if exemption is not None)
    return known, len(parts) - len(known)


def _exemption(entry: str) -> Exemption | None:
    if entry == "*":
        return Exemption("*")
    scheme, rest = None, entry
    if found := _SCHEME.match(entry):
        scheme, rest = found[1].lower(), entry[found.end() :].removesuffix("/")
    for host, port in _splits(rest):
        if (network := _network(host)) is not None:
            return Exemption(network=network, zone=_zone(host), scheme=scheme, port=port)
    for host, port in _splits(rest):
        bare = host.removeprefix("*.") if host.startswith("*") else host.removeprefix(".")
        if (name := _name(bare)) is not None:
            exact, subdomains = bare == host, scheme is None or bare != host
            return Exemption(name, exact, subdomains, scheme=scheme, port=port)
    return None


def _splits(text: str) -> Iterator[tuple[str, int | None]]:
    """Yield host and port of an entry: first read without a port, because ``::1:80`` may be an address."""
    yield text, None
    if (found := _PORT.fullmatch(text)) and int(found[2]) <= _MAX_PORT:
        yield found[1], int(found[2])


def _network(text: str) -> Network | None:
    bare = _ZONE.sub("", text, count=1)
    if found := _BRACKETS.fullmatch(bare):
        bare = found[1] + found[2]
        if ":" not in bare:  # brackets are for IPv6
            return None
    return ip_network(bare.removesuffix(".").lower()) if ":" in bare or bare == text else None


def _zone(text: str) -> str:
    found = _ZONE.search(text)
    return found[1] if found else ""


def _name(text: str) -> str | None:
    if "[" in text or "]" in text:
        return None
    try:
        name = normalise_host(text)
    except ValueError:
        return None
    return name if is_name(name) else None
