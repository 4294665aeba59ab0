"""Why a request failed, in words for people, with the proxy that it went through."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final

import httpx

from tallow.monitoring.integrations.proxy import Proxy, ProxyConnectionError
from tallow.monitoring.lifecycle.warn_once import warn_once

PROXY_EXTENSION: Final = "tallow.proxy"
"""The key under which a response's ``extensions`` hold the address of the proxy it came through."""
_STATUS: Final = re.compile(r"\d{3}(?!\d)")
_DESCRIPTIONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((httpx.InvalidURL, httpx.UnsupportedProtocol), "the address cannot be used"),
    (
        (httpx.ConnectTimeout, httpx.ConnectError, ConnectionRefusedError, socket.gaierror),
        "cannot be reached",
    ),
    ((httpx.TimeoutException, TimeoutError), "does not answer in time"),
    ((httpx.TransportError, OSError), "the connection broke"),
    ((httpx.RequestError,), "its answer cannot be used"),
)


def describe_error(error: Exception) -> str:
    """Why a request failed, for people: a few words without the address asked for, which may be secret.

    The proxy that it went through is named.
    """
    if failure := failed_proxy(error):
        return failure
    if is_untrusted(error):
        return "its certificate is not trusted"
    known = (text for kinds, text in _DESCRIPTIONS if isinstance(error, kinds))
    return next(known, f"failed unexpectedly ({type(error).__name__})")


def describe_response(response: httpx.Response) -> str:
    """An answer that is no success, for people: its status, and the proxy that it came through."""
    return f"answers {response.status_code}{proxy_suffix(response)}"


def proxy_suffix(response: httpx.Response) -> str:
    """``" through the proxy ADDRESS"``, where an answer came through one: it may be the proxy's own."""
    proxy = response.extensions.get(PROXY_EXTENSION)
    return f" through the proxy {proxy}" if proxy else ""


def failed_proxy(error: BaseException | None) -> str | None:
    """One line about the proxy that a failed request went through; None where it went directly."""
    while error is not None:
        if isinstance(error, ProxyConnectionError):
            return str(error)
        error = error.__cause__
    return None


def warn_of_proxy_failure(what: str, error: Exception) -> None:
    """Warn once that a proxy, which is named, keeps ``what`` from being sent. Does nothing without one."""
    if failure := failed_proxy(error):
        warn_once(f"{what} are not sent", failure)


def is_untrusted(error: BaseException | None) -> bool:
    """Whether a certificate that is not trusted is the cause of an error."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def explain_proxy_failure(proxy: Proxy, error: Exception) -> ProxyConnectionError:
    """What an error of a request through a proxy says about the proxy; the error is its cause."""
    failure = ProxyConnectionError(_what_failed(f"the proxy {proxy.address}", error))
    failure.__cause__ = error
    return failure


def _what_failed(proxy: str, error: Exception) -> str:
    if is_untrusted(error):
        return f"the certificate shown through {proxy} is not trusted"
    if isinstance(error, httpx.ProxyError):
        status = _STATUS.match(str(error))
        return f"{proxy} answers {status[0]}" if status else f"{proxy} refuses the connection"
    if isinstance(error, httpx.TimeoutException | TimeoutError):
        return f"no answer in time through {proxy}"
    broken = isinstance(error, ConnectionError) and not isinstance(error, ConnectionRefusedError)
    if isinstance(error, httpx.ConnectError | OSError) and not broken:
        return f"{proxy} cannot be reached"
    return f"the connection through {proxy} broke"
