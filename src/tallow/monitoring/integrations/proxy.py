"""Read the proxy settings of the environment.

Desktops and companies set ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` for all programs,
in forms that not every library accepts. Invalid values are ignored and logged once; they never break a
request.
"""

from __future__ import annotations

import os
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Self
from urllib.parse import urlsplit

from tallow.monitoring.integrations import host_names, no_proxy
from tallow.monitoring.integrations.no_proxy import Exemption
from tallow.monitoring.integrations.proxy_address import PORTS, Proxy, SocksLibrary, parse_proxy
from tallow.monitoring.lifecycle.warn_once import warn_once

SCHEMES: Final = ("http", "https", "ws", "wss", "all")
"""Schemes with a variable, such as ``http_proxy`` or ``HTTP_PROXY``."""
_FALLBACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("http", "all"),
    "https": ("https", "all"),
    # A WebSocket uses the proxy of HTTP requests to the same server.
    "ws": ("ws", "http", "all"),
    "wss": ("wss", "https", "all"),
}
_CGI: Final = "REQUEST_METHOD"
"""In a CGI program ``HTTP_PROXY`` is a client's ``Proxy:`` header (https://httpoxy.org)."""


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """The proxy settings of the environment at one moment.

    Attributes:
        proxies: by the scheme of the requested address, ``all`` for every other scheme.
        exemptions: hosts that are reached directly.
        problems: one line for each invalid value, with the variable and without the value.
        from_system: whether the settings are those of macOS or Windows, because no variable is set.
    """

    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    problems: tuple[str, ...] = ()
    from_system: bool = False

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        socks: SocksLibrary | None = "httpx_socks",
        warn: Callable[[str], None] = warn_once,
    ) -> Self:
        """Read the environment and warn about invalid values.

        Args:
            environ: the environment variables.
            socks: the library that must be installed for SOCKS; None if no library is needed.
            warn: called with a warning; by default it is logged once per process.
        """
        values = dict(_variables(environ))
        system = {} if values else _system_proxies()
        proxies: dict[str, Proxy] = {}
        problems: list[str] = []
        for scheme, (name, value) in (values or system).items():
            if scheme == "no":
                continue
            found = parse_proxy(value, socks)
            if isinstance(found, Proxy):
                proxies[scheme] = found
            else:
                problems.append(f"{name}: {found}")
        name, value = values.get("no", ("no_proxy", ""))
        exemptions, unknown = no_proxy.parse(value)
        if unknown:
            problems.append(
                f"{name}: {unknown} of its entries are invalid; "
                "accepted: names, addresses, networks such as 10.0.0.0/8, *"
            )
        settings = cls(proxies, exemptions, tuple(problems), from_system=bool(system))
        if problems:
            warn(f"proxy settings are ignored: {'; '.join(problems)}")
        return settings

    def proxy_for(self, url: str) -> Proxy | None:
        """Return the proxy for a request to ``url``; None if it goes directly, as to loopback it always
        does."""
        try:
            parts = urlsplit(url)
            host, port = host_names.normalise_host(parts.hostname or ""), parts.port
        except ValueError:  # not an address: connecting to it raises the error
            return None
        scheme = parts.scheme.lower()
        proxy = next((self.proxies[key] for key in _FALLBACKS.get(scheme, ()) if key in self.proxies), None)
        if proxy is None or self._is_exempt(scheme, host, port or PORTS[scheme]):
            return None
        return proxy

    def _is_exempt(self, scheme: str, host: str, port: int) -> bool:
        return (
            host_names.is_loopback(host)
            or any(exemption.covers(scheme, host, port) for exemption in self.exemptions)
            or (self.from_system and bool(urllib.request.proxy_bypass(host)))
        )

    def for_program(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the environment for another program, with the proxies in the form that all programs
        accept."""
        names = {f"{scheme}_proxy" for scheme in ("http", "https", "all")}
        kept = {name: value for name, value in environ.items() if name.lower() not in names}
        for scheme in ("http", "https"):
            if proxy := self.proxies.get(scheme) or self.proxies.get("all"):
                kept[f"{scheme}_proxy"] = proxy.program_url
        return kept


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each scheme with its variable's name and value: the lower-case variable, even if it is empty."""
    for scheme in (*SCHEMES, "no"):
        name = _variable_name(scheme, environ)
        if name and (value := _unquoted(environ[name])):
            yield scheme, (name, value)


def _unquoted(value: str) -> str:
    """Return a value without the quotes and spaces around it, which some programs leave in variables."""
    bare = value.strip()
    if len(bare) > 1 and bare[0] in {'"', "'"} and bare[0] == bare[-1]:
        return bare[1:-1].strip()
    return bare


def _variable_name(scheme: str, environ: Mapping[str, str]) -> str:
    lower = f"{scheme}_proxy"
    if lower in environ:
        return lower
    name = next(iter(sorted(name for name in environ if name.lower() == lower)), "")
    return "" if name == "HTTP_PROXY" and _CGI in environ else name


def _system_proxies() -> dict[str, tuple[str, str]]:
    """Return the proxies in the settings of macOS or Windows."""
    if sys.platform in {"darwin", "win32"}:
        found = urllib.request.getproxies()
        return {scheme: ("the system's proxy", found[scheme]) for scheme in SCHEMES if found.get(scheme)}
    return {}
