"""The APIs of the running Prometheus and Alertmanager, behind the monitoring password."""

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
    """One service's HTTP API.

    Every method raises NotRunningError if the service does not answer, and StackError if it answers with an
    error.
    """

    name: str
    url: str
    auth: tuple[str, str] | None = None

    @classmethod
    def of(cls, service: str, home: StateDir) -> Api:
        """The API of a service of the stack in ``home``."""
        port = ports(home.options().port_offset)[service]
        return cls(service, f"http://{HOST}:{port}", (USER, credentials.password(home.secrets)))

    def get(self, path: str, **query: str) -> Any:
        """An answer in JSON."""
        return self._json(self._ask("GET", path, params=query))

    def text(self, path: str) -> str:
        return self._ask("GET", path).text

    def post(self, path: str, body: object) -> Any:
        """Send JSON; the answer's JSON, None where it has no body."""
        answer = self._ask("POST", path, json=body)
        return self._json(answer) if answer.content else None

    def delete(self, path: str) -> None:
        self._ask("DELETE", path)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read an answer that may be another program's: one that does not have the service's form.

        Raises:
            StackError: it does not have it.
        """
        try:
            yield
        except (LookupError, TypeError, ValueError):
            raise StackError(
                f"what answers at {self.url} is not {self.name}; another program may have taken its port"
            ) from None

    def _json(self, answer: httpx.Response) -> Any:
        with self.reading():
            return answer.json()

    def _ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            with client(direct=True, timeout=TIMEOUT_S, auth=self.auth) as http:
                answer = http.request(method, f"{self.url}{path}", **more)
        except httpx.HTTPError as error:
            why = describe(error, TIMEOUT_S)
            raise NotRunningError(f"{self.name} {why} ({self.url}); see: tallow status") from None
        if answer.is_success:
            return answer
        raise StackError(f"{self.name} answers {answer.status_code}: {_reason(answer)}")


def _reason(answer: httpx.Response) -> str:
    """What an API said was wrong, as one line."""
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    if isinstance(body, dict):
        body = body.get("error") or body.get("message") or body
    return " ".join(str(body).split())[:300] or answer.reason_phrase
