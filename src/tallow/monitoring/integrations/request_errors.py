"""Describe why a request failed, for messages; a proxy is named."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Final

import httpx

from tallow.monitoring.integrations.proxy_address import Proxy, ProxyConnectionError
from tallow.monitoring.lifecycle.warn_once import warn_once

PROXY_EXTENSION: Final = "tallow.proxy"
"""The key of a response's ``extensions`` for the address of its proxy."""
_STATUS: Final = re.compile(r"\d{3}(?!\d)")
_DESCRIPTIONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((httpx.InvalidURL, httpx.UnsupportedProtocol), "the address is invalid"),
    (
        (httpx.ConnectTimeout, httpx.ConnectError, ConnectionRefusedError, socket.gaierror),
        "cannot be reached",
    ),
    ((httpx.TimeoutException, TimeoutError), "does not answer in time"),
    ((httpx.TransportError, OSError), "the connection broke"),
    ((httpx.RequestError,), "its response is invalid"),
)


def describe_error(error: Exception) -> str:
    """Return in a few words why a request failed; the requested address may be secret and is not named.

    Example:
        >>> describe_error(httpx.ConnectTimeout("..."))
        'cannot be reached'
    """
    if failure := failed_proxy(error):
        return failure
    if is_untrusted(error):
        return "its certificate is not trusted"
    known = (text for kinds, text in _DESCRIPTIONS if isinstance(error, kinds))
    return next(known, f"failed unexpectedly ({type(error).__name__})")


def describe_response(response: httpx.Response) -> str:
    """Describe an unsuccessful response: its status and its proxy."""
    return f"answers {response.status_code}{proxy_suffix(response)}"


def proxy_suffix(response: httpx.Response) -> str:
    """Return ``" through the proxy ADDRESS"`` if a response came through one: it may be the proxy's own."""
    proxy = response.extensions.get(PROXY_EXTENSION)
    return f" through the proxy {proxy}" if proxy else ""


def failed_proxy(error: BaseException | None) -> str | None:
    """Return one line about the proxy of a failed request; None if it went directly."""
    while error is not None:
        if isinstance(error, ProxyConnectionError):
            return str(error)
        error = error.__cause__
    return None


def warn_of_proxy_failure(what: str, error: Exception) -> None:
    """Log once that a proxy keeps ``what`` from being sent. Does nothing if there is no proxy."""
    if failure := failed_proxy(error):
        warn_once(f"{what} are not sent", failure)


def is_untrusted(error: BaseException | None) -> bool:
    """Whether the cause of an error is an untrusted certificate."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def explain_proxy_failure(proxy: Proxy, error: Exception) -> ProxyConnectionError:
    """Return the error of a proxy whose cause is the error of a request."""
    failure = ProxyConnectionError(_failure_text(f"the proxy {proxy.address}", error))
    failure.__cause__ = error
    return failure


def _failure_text(proxy: str, error: Exception) -> str:
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
