"""The native stack as `tallow up` starts it, on free ports and in a folder of its own."""

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

from support.debian import program
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

PATIENCE_S = 60.0


def wait_until(done: Callable[[], Any], what: str, seconds: float = PATIENCE_S) -> Any:
    """Wait for something to be true: its value. Fails, saying ``what`` was waited for."""
    deadline = time.monotonic() + seconds
    while not (value := done()):
        assert time.monotonic() < deadline, f"{what}: not within {seconds:.0f} s"
        time.sleep(0.05)
    return value


def free_offset() -> int:
    """A port offset at which every service's port is free."""
    return next(
        offset
        for offset in (random.randrange(11_000, 22_000) for _ in range(1000))
        if not any(is_taken(port) for port in ports(offset).values())
    )


@dataclass(frozen=True)
class Stack:
    """A stack that was started."""

    state_dir: StateDir
    options: StackOptions

    def start(self) -> None:
        """As `up`: whatever does not run yet, and wait until all of it is healthy."""
        lifecycle.start(self.state_dir, self.options, lambda _: None)
        wait_until(self.healthy, "every service healthy")

    def healthy(self) -> bool:
        """Whether every service can work."""
        return all(
            probe(service, self.port(service.name), self.state_dir).healthy
            for service in SERVICES
            if service.name not in state_files.read_plan(self.state_dir).held
        )

    def port(self, service: str) -> int:
        return ports(self.options.port_offset)[service]

    def running(self, service: str) -> ProcessStatus:
        """What the supervisor says of a service."""
        return state_files.read_status(self.state_dir).services[service]

    def process(self, service: str) -> psutil.Process:
        """A service's living process."""
        found = wait_until(lambda: self.running(service).process(), f"{service} runs")
        assert isinstance(found, psutil.Process)
        return found

    def mail(self, subject: str) -> list[Mail]:
        """Messages whose subject contains a text."""
        return [mail for mail in read_messages(self.state_dir.data / "mailbox") if subject in mail.subject]

    def get(self, service: str, path: str, **query: str) -> httpx.Response:
        """Ask a service behind the monitoring password."""
        auth = (USER, credentials.password(self.state_dir.secrets))
        return httpx.get(f"http://127.0.0.1:{self.port(service)}{path}", params=query, auth=auth)

    def value(self, expr: str) -> float | None:
        """An instant query's only value, None where there is no series."""
        answer = self.get("prometheus", "/api/v1/query", query=expr)
        result = answer.json()["data"]["result"] if answer.is_success else []
        return float(result[0]["value"][1]) if result else None

    def processes(self) -> list[psutil.Process]:
        """Living processes that were started for this stack."""
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.state_dir.root) in part for part in process.info["cmdline"] or ())
        ]


@contextlib.contextmanager
def stack(
    folder: Path, scale: float = 1.0, before: Callable[[Stack], object] = lambda _: None
) -> Iterator[Stack]:
    """A healthy stack; stopped at the end. ``folder`` is where it looks for ``.env``.

    ``before`` is called with the folders made and nothing started yet: to give it a past.
    """
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)  # skips where it cannot be had
    made = Stack(StateDir(folder / "home"), StackOptions(free_offset(), str(folder), scale))
    made.state_dir.make()
    before(made)
    try:
        made.start()
        yield made
    finally:
        lifecycle.stop(made.state_dir)
