"""Say once on standard error that an endpoint refuses the lines, and what to check."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from tallow.monitoring.lifecycle import standard_error

_HINTS: Final = {
    400: "check LOG_ENDPOINT and LOG_ENDPOINT_KIND",
    401: "check LOG_ENDPOINT_TOKEN, LOG_ENDPOINT_HEADERS and LOG_ENDPOINT_TENANT",
    403: "check LOG_ENDPOINT_TOKEN, LOG_ENDPOINT_HEADERS and LOG_ENDPOINT_TENANT",
    404: "check the path of LOG_ENDPOINT and LOG_ENDPOINT_KIND",
    405: "check the path of LOG_ENDPOINT and LOG_ENDPOINT_KIND",
    407: "check the proxy's password",
}
_DEFAULT_HINT: Final = "check LOG_ENDPOINT"
_PASSING: Final = frozenset({408, 425, 429})
"""Client errors that end by themselves."""


class RefusalNotice:
    """Reports each status of a refusal once, until the endpoint has accepted a batch.

    After that, a rejection concerns single lines, and only the counter tells it.

    Args:
        url: of the endpoint; its user, password and query are not shown.
    """

    def __init__(self, url: str) -> None:
        self._address = _address(url)
        self._reported: set[int] = set()
        self._accepted = False

    def record_success(self) -> None:
        """The endpoint has accepted lines."""
        self._accepted = True

    def record_refusal(self, status: int, *, repeated: bool) -> None:
        """Report a status if it does not end by itself.

        Args:
            status: of the response.
            repeated: whether the lines are sent again. If not, they are dropped.
        """
        if not 300 <= status < 500 or status in _PASSING or status in self._reported:
            return
        if self._accepted and not repeated:
            return
        self._reported.add(status)
        fate = "are kept as long as there is room" if repeated else "are dropped and counted"
        standard_error.write_line(
            f"tallow: {self._address} answers {status}, so log lines do not arrive and {fate}; "
            f"{_HINTS.get(status, _DEFAULT_HINT)}"
        )


def _address(url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()
