"""Describe why a request to a service failed, for `tallow status` and error messages."""

from __future__ import annotations

import smtplib
from typing import Final

import httpx

_DESCRIPTIONS: Final[tuple[tuple[tuple[type[Exception], ...], str], ...]] = (
    ((ConnectionRefusedError, httpx.ConnectError), "does not listen on its port"),
    (
        (httpx.RemoteProtocolError, smtplib.SMTPServerDisconnected),
        "closes the connection without a valid answer",
    ),
    ((httpx.NetworkError, ConnectionError), "breaks the connection off"),
)


def describe(error: Exception, timeout_s: float) -> str:
    """A failed request in a few words that follow the name of the service.

    Args:
        error: an error of httpx, smtplib or the operating system.
        timeout_s: the time limit of the request, in seconds.
    """
    # smtplib reports a timeout as a connection that was closed.
    if _is_timeout(error) or _is_timeout(error.__context__):
        return f"does not answer within {timeout_s:g} s"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"answers {error.smtp_code}"
    for kinds, description in _DESCRIPTIONS:
        if isinstance(error, kinds):
            return description
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"cannot be asked: {where}{error.strerror}"
    return "cannot be asked"


def _is_timeout(error: BaseException | None) -> bool:
    return isinstance(error, TimeoutError | httpx.TimeoutException)
