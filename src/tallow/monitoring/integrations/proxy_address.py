"""Parse the address of a proxy, as people and desktops write it.

The rules are those of curl, requests, httpx and Go where these agree. Where they do not, an address is read
rather than ignored, so that no request goes past the proxy: see the table in ``docs/proxies.md``.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Final, Literal
from urllib.parse import quote, unquote

from tallow.monitoring.integrations import host_names

SocksLibrary = Literal["httpx_socks", "python_socks", "socks"]
"""The libraries that support SOCKS in httpx, websockets and urllib3."""

SOCKS: Final = frozenset({"socks5", "socks5h"})
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443, "socks5": 1080, "socks5h": 1080}
_KNOWN_SCHEME: Final = re.compile(r"(https?|socks5h?):/{1,3}", re.IGNORECASE)
_ANY_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_NAMED_SCHEMES: Final = frozenset({"socks", "socks4", "socks4a", "ftp", "file", "tcp", "ws", "wss", "quic"})
"""Schemes that an error may name. Any other text before ``://`` may be a part of a password."""
_SERVER: Final = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{0,5}))?")
_AFTER_SERVER: Final = re.compile(r"[/?#]")
_MAX_PORT: Final = 65_535
_MAX_SOCKS_LOGIN: Final = 255
_NOT_AN_ADDRESS: Final = "not an address; accepted: http://HOST:PORT"
_PACKAGES: Final[Mapping[str, str]] = {
    "httpx_socks": "httpx-socks",
    "python_socks": "python-socks",
    "socks": "PySocks",
}


class ProxyConnectionError(OSError):
    """A request through a proxy failed. The text is one line with the proxy's address, without password."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A valid proxy.

    Attributes:
        scheme: ``http``, ``https``, ``socks5`` or ``socks5h``.
        host: name or address, without brackets; a link-local IPv6 address can have a zone: ``fe80::1%eth0``.
        port: the port.
        user: the user, None for none. A byte that is not UTF-8 is a surrogate, as in ``os.environ``.
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
        """The URL for Python libraries, with user and password: do not show it.

        A SOCKS proxy resolves host names. A zone follows ``%`` alone, because httpx and websockets do not
        decode the host.
        """
        scheme, _, rest = self.address.partition("://")
        login = ""
        if self.user is not None:
            login = f"{_quoted(self.user)}:{_quoted(self.password)}@"
        return f"{'socks5h' if scheme in SOCKS else scheme}://{login}{rest}"

    @property
    def program_url(self) -> str:
        """The URL for other programs: as :attr:`url`, but a zone follows ``%25`` (RFC 6874)."""
        return self.url.replace(self.host, self.host.replace("%", "%25")) if "%" in self.host else self.url

    @property
    def authorization(self) -> str | None:
        """The value of the header ``Proxy-Authorization``, None without a user: do not show it."""
        if self.user is None:
            return None
        login = f"{self.user}:{self.password}".encode("utf-8", "surrogateescape")
        return f"Basic {b64encode(login).decode('ascii')}"


def parse_proxy(value: str, socks: SocksLibrary | None) -> Proxy | str:
    """Return the proxy of a variable, or what is wrong with it, without any part that could be secret.

    Accepted is ``[SCHEME:][//][USER[:PASSWORD]@]HOST[:PORT]``. The last ``@`` ends the password, which can
    hold every character. A path, query or fragment is ignored, as every client does.

    Args:
        value: the value.
        socks: the library that must be installed for SOCKS; None if no library is needed.

    Example:
        >>> parse_proxy("me:p#/?@proxy.example:3128", None)
        Proxy(scheme='http', host='proxy.example', port=3128, user='me')
        >>> parse_proxy("http://proxy.example:port", None)
        'not an address; accepted: http://HOST:PORT'
    """
    scheme, rest = _split_scheme(value)
    if problem := _scheme_problem(scheme, socks):
        return problem
    login, at, server = rest.rpartition("@")
    found = _SERVER.fullmatch(_AFTER_SERVER.split(server, maxsplit=1)[0])
    host = _host(found[1]) if found else None
    if found is None or host is None:
        return _NOT_AN_ADDRESS
    port = int(found[2] or PORTS[scheme])
    if not 0 < port <= _MAX_PORT:
        return _NOT_AN_ADDRESS
    if not at:
        return Proxy(scheme, host, port)
    user, _, password = login.partition(":")
    proxy = Proxy(scheme, host, port, _unquoted(user), _unquoted(password))
    return _socks_login_problem(proxy) or proxy


def _split_scheme(value: str) -> tuple[str, str]:
    """Return scheme and rest. As curl does, one to three slashes are accepted after a known scheme."""
    if found := _KNOWN_SCHEME.match(value):
        return found[1].lower(), value[found.end() :]
    if found := _ANY_SCHEME.match(value):
        return found[1].lower(), ""
    return "http", value.removeprefix("//")


def _host(text: str) -> str | None:
    try:
        host = host_names.normalise_host(text)
    except ValueError:
        return None
    is_address = host_names.ip_address(host) is not None
    return host if is_address or (text[:1] != "[" and host_names.is_name(host)) else None


def _scheme_problem(scheme: str, socks: SocksLibrary | None) -> str | None:
    if scheme in {"http", "https"}:
        return None
    if scheme not in SOCKS:
        named = f"the scheme {scheme}" if scheme in _NAMED_SCHEMES else "an unknown scheme"
        return f"{named}; accepted: http, https, socks5, socks5h"
    if socks is not None and find_spec(socks) is None:
        return f"the scheme {scheme} needs the Python package {_PACKAGES[socks]}"
    return None


def _socks_login_problem(proxy: Proxy) -> str | None:
    """The SOCKS libraries accept no other user or password."""
    if proxy.scheme not in SOCKS or proxy.user is None:
        return None
    parts = (proxy.user, proxy.password)
    if all(part.isascii() and len(part) <= _MAX_SOCKS_LOGIN for part in parts):
        return None
    return f"user and password of a SOCKS proxy are not ASCII, or longer than {_MAX_SOCKS_LOGIN}"


def _quoted(text: str) -> str:
    return quote(text, safe="", errors="surrogateescape")


def _unquoted(text: str) -> str:
    return unquote(text, errors="surrogateescape")
