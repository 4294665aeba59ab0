"""Read the proxy settings of the environment.

Desktops and companies set ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` for all programs,
in forms that not every library accepts. Invalid values are ignored and logged once; they never break a
request.
"""

from __future__ import annotations

import os
import re
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final, Literal, Self
from urllib.parse import SplitResult, quote, unquote, urlsplit

from tallow.monitoring.integrations import no_proxy
from tallow.monitoring.integrations.no_proxy import Exemption
from tallow.monitoring.lifecycle.warn_once import warn_once

SocksLibrary = Literal["httpx_socks", "python_socks", "socks"]
"""The libraries that support SOCKS in httpx, websockets and urllib3."""

SCHEMES: Final = ("http", "https", "ws", "wss", "all")
"""Schemes with a variable, such as ``http_proxy`` or ``HTTP_PROXY``."""
SOCKS: Final = frozenset({"socks5", "socks5h"})
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "socks5": 1080, "socks5h": 1080}
_FALLBACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("http", "all"),
    "https": ("https", "all"),
    # A WebSocket uses the proxy of HTTP requests to the same server.
    "ws": ("ws", "http", "all"),
    "wss": ("wss", "https", "all"),
}
_HOST: Final = re.compile(r"[a-z0-9_.-]+|[0-9a-f:]*:[0-9a-f:.]+")
_NOT_AN_ADDRESS: Final = "not an address; accepted: http://HOST:PORT"
_CGI: Final = "REQUEST_METHOD"
"""In a CGI program ``HTTP_PROXY`` is a client's ``Proxy:`` header (https://httpoxy.org)."""


class ProxyConnectionError(OSError):
    """A request through a proxy failed. The text is one line with the proxy's address, without password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A valid proxy.

    Attributes:
        scheme: ``http``, ``https``, ``socks5`` or ``socks5h``.
        host: name or address, without brackets.
        port: the port.
        user: the user, None for none.
        password: the user's password; may be empty.
    """

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """Scheme, host and port, for messages."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL for libraries, with user and password: do not show it.

        A SOCKS proxy resolves host names.
        """
        scheme, _, rest = self.address.partition("://")
        login = ""
        if self.user is not None:
            login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return f"{'socks5h' if scheme in SOCKS else scheme}://{login}{rest}"


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
            found = _parse(value, socks)
            if isinstance(found, Proxy):
                proxies[scheme] = found
            else:
                problems.append(f"{name}: {found}")
        name, value = values.get("no", ("no_proxy", ""))
        exemptions, unknown = no_proxy.parse(value)
        if unknown:
            problems.append(
                f"{name}: {unknown} of its entries are invalid; accepted: names, addresses, networks, *"
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
            host, port = no_proxy.normalise_host(parts.hostname or ""), parts.port
        except ValueError:  # not an address: connecting to it raises the error
            return None
        scheme = parts.scheme.lower()
        proxy = next((self.proxies[key] for key in _FALLBACKS.get(scheme, ()) if key in self.proxies), None)
        if proxy is None or self._is_exempt(scheme, host, port or PORTS[scheme]):
            return None
        return proxy

    def _is_exempt(self, scheme: str, host: str, port: int) -> bool:
        return (
            no_proxy.is_loopback(host)
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
                kept[f"{scheme}_proxy"] = proxy.url
        return kept


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each scheme with its variable's name and value: the lower-case variable, even if it is empty."""
    for scheme in (*SCHEMES, "no"):
        name = _variable_name(scheme, environ)
        if name and (value := environ[name].strip()):
            yield scheme, (name, value)


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


def _parse(value: str, socks: SocksLibrary | None) -> Proxy | str:
    """Return the proxy, or what is wrong with its address, without any part of it that could be secret."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port = parts.port
        host = no_proxy.normalise_host(parts.hostname or "")
    except ValueError:
        return _NOT_AN_ADDRESS
    if problem := _scheme_problem(parts.scheme, socks):
        return problem
    if not _HOST.fullmatch(host) or port == 0 or _has_path(parts):
        return _NOT_AN_ADDRESS
    return Proxy(parts.scheme, host, port or PORTS[parts.scheme], *_login(parts))


def _login(parts: SplitResult) -> tuple[str | None, str]:
    user = parts.username
    return None if user is None else unquote(user), unquote(parts.password or "")


def _has_path(parts: SplitResult) -> bool:
    return bool(parts.path not in {"", "/"} or parts.query or parts.fragment)


def _scheme_problem(scheme: str, socks: SocksLibrary | None) -> str | None:
    if scheme in {"http", "https"}:
        return None
    if scheme not in SOCKS:
        return f"the scheme {scheme}; accepted: http, https, socks5, socks5h"
    if socks is not None and find_spec(socks) is None:
        return f"the scheme {scheme} needs the Python package {_PACKAGES[socks]}"
    return None


_PACKAGES: Final[Mapping[str, str]] = {
    "httpx_socks": "httpx-socks",
    "python_socks": "python-socks",
    "socks": "PySocks",
}
