"""The proxy settings of the environment, read so that no value of theirs can break a request.

Desktops and companies set ``http_proxy``, ``https_proxy``, ``all_proxy`` and ``no_proxy`` for every program,
in forms that not every library takes. What is understood is used; the rest is passed over with one warning.
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
from urllib.parse import quote, unquote, urlsplit

from tallow.monitoring.integrations import no_proxy
from tallow.monitoring.integrations.no_proxy import Exemption
from tallow.monitoring.lifecycle.warn_once import warn_once

SocksLibrary = Literal["httpx_socks", "python_socks", "socks"]
"""What makes SOCKS possible for httpx, for websockets, and for urllib3."""

SCHEMES: Final = ("http", "https", "ws", "wss", "all")
"""Each has a variable: ``http_proxy`` or ``HTTP_PROXY``."""
SOCKS: Final = frozenset({"socks5", "socks5h"})
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "socks5": 1080, "socks5h": 1080}
_FALLBACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "http": ("http", "all"),
    "https": ("https", "all"),
    # A WebSocket goes the way of the requests to the same server.
    "ws": ("ws", "http", "all"),
    "wss": ("wss", "https", "all"),
}
_HOST: Final = re.compile(r"[a-z0-9_.-]+|[0-9a-f:]*:[0-9a-f:.]+")
_CGI: Final = "REQUEST_METHOD"
"""In a CGI program ``HTTP_PROXY`` is a client's ``Proxy:`` header (https://httpoxy.org)."""


class ProxyConnectionError(OSError):
    """A request failed that went through a proxy: one line with the proxy's address, without its password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used.

    Attributes:
        scheme: how it is spoken to: ``http``, ``https``, ``socks5`` or ``socks5h``.
        password: empty where there is a user without one.
    """

    scheme: str
    host: str
    port: int
    user: str | None = None
    password: str = field(default="", repr=False)

    @property
    def address(self) -> str:
        """For people: scheme, host and port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    @property
    def url(self) -> str:
        """For libraries: with user and password. Not to be shown. A SOCKS proxy resolves the names."""
        scheme, _, rest = self.address.partition("://")
        login = ""
        if self.user is not None:
            login = f"{quote(self.user, safe='')}:{quote(self.password, safe='')}@"
        return f"{'socks5h' if scheme in SOCKS else scheme}://{login}{rest}"


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What the environment says about proxies at one moment.

    Attributes:
        proxies: by the scheme of the address that is asked for, ``all`` for every other one.
        exemptions: what is reached directly.
        problems: what cannot be used, one line each, with the variable and without its value.
    """

    proxies: Mapping[str, Proxy] = field(default_factory=dict)
    exemptions: tuple[Exemption, ...] = ()
    problems: tuple[str, ...] = ()
    from_system: bool = False
    """Whether they come from macOS or Windows, since no variable is set."""

    @classmethod
    def read(
        cls,
        environ: Mapping[str, str] = os.environ,
        *,
        socks: SocksLibrary | None = "httpx_socks",
        warn: Callable[[str], None] = warn_once,
    ) -> Self:
        """Read the environment; warn of what cannot be used.

        Args:
            socks: the library that has to be installed for SOCKS; None: none has to.
            warn: shows a warning; by default it is logged once in the life of the process.
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
            problems.append(f"{name}: {unknown} of its entries; accepted: names, addresses, networks, *")
        settings = cls(proxies, exemptions, tuple(problems), from_system=bool(system))
        if problems:
            warn(f"proxy settings are passed over: {'; '.join(problems)}")
        return settings

    def proxy_for(self, url: str) -> Proxy | None:
        """The proxy for a request to ``url``; None: it goes directly, as to loopback it always does."""
        try:
            parts = urlsplit(url)
            host, port = no_proxy.normalise_host(parts.hostname or ""), parts.port
        except ValueError:  # no address at all: whoever connects to it says so
            return None
        scheme = parts.scheme.lower()
        proxy = next((self.proxies[key] for key in _FALLBACKS.get(scheme, ()) if key in self.proxies), None)
        if proxy is None or no_proxy.is_loopback(host):
            return None
        if any(one.covers(scheme, host, port or PORTS[scheme]) for one in self.exemptions):
            return None
        if self.from_system and urllib.request.proxy_bypass(host):
            return None
        return proxy

    def for_program(self, environ: Mapping[str, str]) -> dict[str, str]:
        """The environment for a program of others, with the proxies in the form that all programs know."""
        names = {f"{scheme}_proxy" for scheme in ("http", "https", "all")}
        kept = {name: value for name, value in environ.items() if name.lower() not in names}
        for scheme in ("http", "https"):
            if proxy := self.proxies.get(scheme) or self.proxies.get("all"):
                kept[f"{scheme}_proxy"] = proxy.url
        return kept


def _variables(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Scheme, and name and value of the variable that counts: the lower-case one, even where it is empty."""
    for scheme in (*SCHEMES, "no"):
        lower = f"{scheme}_proxy"
        others = sorted(name for name in environ if name.lower() == lower and name != lower)
        name = lower if lower in environ else next(iter(others), "")
        if not name or (name.isupper() and scheme == "http" and _CGI in environ):
            continue
        if value := environ[name].strip():
            yield scheme, (name, value)


def _system_proxies() -> dict[str, tuple[str, str]]:
    """What macOS and Windows have in their settings."""
    if sys.platform in {"darwin", "win32"}:
        found = urllib.request.getproxies()
        return {scheme: ("the system's proxy", found[scheme]) for scheme in SCHEMES if found.get(scheme)}
    return {}


def _parse(value: str, socks: SocksLibrary | None) -> Proxy | str:
    """The proxy, or what is wrong with its address, without any part of it that could be secret."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        port, user, password = parts.port, parts.username, parts.password
        host = no_proxy.normalise_host(parts.hostname or "")
    except ValueError:
        return "not an address; accepted: http://HOST:PORT"
    if problem := _scheme_problem(parts.scheme, socks):
        return problem
    if not _HOST.fullmatch(host) or port == 0 or parts.path not in {"", "/"} or parts.query or parts.fragment:
        return "not an address; accepted: http://HOST:PORT"
    return Proxy(
        parts.scheme,
        host,
        port or PORTS[parts.scheme],
        None if user is None else unquote(user),
        unquote(password or ""),
    )


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
