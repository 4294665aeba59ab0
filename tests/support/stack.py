"""The native stack as `tallow up` starts it, on free ports and in its own state folder."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from support.programs.debian import program
from tallow.stack import credentials
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.services.definitions import SERVICES, ports
from tallow.stack.engines.services.health import probe
from tallow.stack.engines.services.ports import is_taken
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus
from tallow.stack.mailbox.reader import Mail, read_messages
from tallow.stack.prometheus import USER

PATIENCE_S = 120.0


def wait_until(done: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Wait until ``done`` returns a true value, and return it. ``what`` is named in the failure message."""
    deadline = time.monotonic() + seconds
    while not (value := done()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return value


def expect_value(read: Callable[[], Any], expected: Any, seconds: float = PATIENCE_S) -> None:
    """Wait until ``read`` returns the expected value. The failure message compares the last one with it."""
    with contextlib.suppress(AssertionError):
        wait_until(lambda: read() == expected, "the expected value", seconds)
    assert read() == expected


def free_offset() -> int:
    """A port offset with which the ports of all services are free."""
    return next(
        offset
        for offset in (random.randrange(11_000, 22_000) for _ in range(1000))
        if not any(is_taken(port) for port in ports(offset).values())
    )


@dataclass(frozen=True)
class Stack:
    """A running stack."""

    state_dir: StateDir
    options: StackOptions

    def start(self) -> None:
        """Start all services that do not run, as `tallow up` does; wait until every service is healthy."""
        lifecycle.start(self.state_dir, self.options, lambda _: None)
        wait_until(self.healthy, "every service healthy")

    def healthy(self) -> bool:
        """Whether every service is healthy, except those stopped on request."""
        return all(
            probe(service, self.port(service.name), self.state_dir).healthy
            for service in SERVICES
            if service.name not in state_files.read_plan(self.state_dir).held
        )

    def port(self, service: str) -> int:
        return ports(self.options.port_offset)[service]

    def running(self, service: str) -> ProcessStatus:
        """The supervisor's status of a service."""
        return state_files.read_status(self.state_dir).services[service]

    def process(self, service: str) -> psutil.Process:
        """The running process of a service."""
        found = wait_until(lambda: self.running(service).process(), f"{service} runs")
        assert isinstance(found, psutil.Process)
        return found

    def mail(self, subject: str) -> list[Mail]:
        """Messages in the mailbox whose subject contains ``subject``."""
        return [mail for mail in read_messages(self.state_dir.data / "mailbox") if subject in mail.subject]

    def get(self, service: str, path: str, **query: str) -> httpx.Response:
        """GET from a service with the monitoring credentials."""
        auth = (USER, credentials.password(self.state_dir.secrets))
        return httpx.get(f"http://127.0.0.1:{self.port(service)}{path}", params=query, auth=auth)

    def value(self, expr: str) -> float | None:
        """The value of an instant query's only series; None without series, and while Prometheus is away."""
        try:
            answer = self.get("prometheus", "/api/v1/query", query=expr)
        except httpx.TransportError:
            return None
        result = answer.json()["data"]["result"] if answer.is_success else []
        return float(result[0]["value"][1]) if result else None

    def processes(self) -> list[psutil.Process]:
        """Running processes that were started for this stack."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.state_dir.root) in part for part in process.info["cmdline"] or ())
        ]


@contextlib.contextmanager
def stack(
    folder: Path, scale: float = 1.0, before: Callable[[Stack], object] = lambda _: None
) -> Iterator[Stack]:
    """A healthy stack that is stopped at the end. Its ``.env`` is looked up in ``folder``.

    ``before`` is called when the folders exist and nothing is started: it can write a history.
    """
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips the test if it is not available
    made = Stack(StateDir(folder / "home"), StackOptions(free_offset(), str(folder), scale))
    made.state_dir.make()
    before(made)
    try:
        made.start()
        yield made
    finally:
        lifecycle.stop(made.state_dir)
