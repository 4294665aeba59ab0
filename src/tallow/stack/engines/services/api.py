"""Clients of the HTTP APIs of Prometheus and Alertmanager, with the monitoring password."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tallow.monitoring.integrations.http_client import client
from tallow.stack import credentials
from tallow.stack.engines.errors import NotRunningError, StackError
from tallow.stack.engines.services.definitions import HOST, ports
from tallow.stack.engines.services.http_errors import describe
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import USER

TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Api:
    """The HTTP API of one service.

    Every method that sends a request raises NotRunningError if the service does not answer, and StackError if
    it answers with an error.

    Attributes:
        auth: user and password; None if the API requires none.
    """

    name: str
    url: str
    auth: tuple[str, str] | None = None

    @classmethod
    def of(cls, service: str, home: StateDir) -> Api:
        """The API of a service of the stack in ``home``.

        Raises:
            OSError: the password cannot be read.
        """
        port = ports(home.options().port_offset)[service]
        return cls(service, f"http://{HOST}:{port}", (USER, credentials.password(home.secrets)))

    def get(self, path: str, **query: str) -> Any:
        """Send a GET request and return the JSON of the response."""
        return self._json(self._request("GET", path, params=query))

    def text(self, path: str) -> str:
        """Send a GET request and return the text of the response."""
        return self._request("GET", path).text

    def post(self, path: str, body: object) -> Any:
        """Send a POST request with JSON, and return the JSON of the response; None if it has no body."""
        response = self._request("POST", path, json=body)
        return self._json(response) if response.content else None

    def delete(self, path: str) -> None:
        """Send a DELETE request."""
        self._request("DELETE", path)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Guard the block that reads a response: another program may have answered on the service's port.

        Raises:
            StackError: the response does not have the expected form.
        """
        try:
            yield
        except (LookupError, TypeError, ValueError):
            raise StackError(
                f"what answers at {self.url} is not {self.name}; another program may have taken its port"
            ) from None

    def _json(self, response: httpx.Response) -> Any:
        with self.reading():
            return response.json()

    def _request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        try:
            with client(direct=True, timeout=TIMEOUT_S, auth=self.auth) as http:
                response = http.request(method, f"{self.url}{path}", **arguments)
        except httpx.HTTPError as error:
            reason = describe(error, TIMEOUT_S)
            raise NotRunningError(f"{self.name} {reason} ({self.url}); see: tallow status") from None
        if response.is_success:
            return response
        raise StackError(f"{self.name} answers {response.status_code}: {_reason(response)}")


def _reason(response: httpx.Response) -> str:
    """The error message of a response, as one line."""
    try:
        body = response.json()
    except ValueError:
        body = response.text
    if isinstance(body, dict):
        body = body.get("error") or body.get("message") or body
    return " ".join(str(body).split())[:300] or response.reason_phrase
