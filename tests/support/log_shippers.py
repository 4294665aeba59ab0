"""Real shippers that follow Tallow's log file, with the committed files but for addresses and folders."""

from __future__ import annotations

import abc
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import httpx

from support.programs.go_modules import PROMTAIL, go_program
from support.programs.otel_collector import otel_collector
from support.programs.prometheus import free_port
from support.stack import wait_until
from tallow.stack.log_pipeline.collector import collector_config
from tallow.stack.log_pipeline.promtail import promtail_config


class LogShipper(abc.ABC):
    """A program that follows ``folder/tallow.log`` and sends to ``loki``."""

    def __init__(self, folder: Path, loki: str) -> None:
        self.folder = folder
        self.log = folder / "tallow.log"
        self.output = folder / "shipper.out"
        self.port = free_port()
        self.configure(str(folder / "*.log"), loki)

    @abc.abstractmethod
    def configure(self, include: str, loki: str) -> None:
        """Write its configuration file."""

    @abc.abstractmethod
    def command(self) -> list[str]:
        """Its command, which is run in the folder."""

    @abc.abstractmethod
    def is_ready(self) -> bool:
        """Whether it follows the file."""

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Run it for the block, from when it follows the file on."""
        with self.output.open("w") as output:
            process = subprocess.Popen(self.command(), cwd=self.folder, stdout=output, stderr=output)

        def is_ready() -> bool:
            assert process.poll() is None, self.output.read_text()
            return self.is_ready()

        try:
            wait_until(is_ready, f"{type(self).__name__} is ready")
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0

    def write(self, *lines: bytes) -> None:
        """Append lines to the log file."""
        with self.log.open("ab") as file:
            file.write(b"".join(lines))

    def answers(self, path: str) -> bool:
        """Whether its port answers with success."""
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}{path}", trust_env=False).is_success
        return False


class Collector(LogShipper):
    """The OpenTelemetry Collector."""

    def configure(self, include: str, loki: str) -> None:
        data, health = PurePosixPath(self.folder / "data"), f"127.0.0.1:{self.port}"
        text = collector_config(include=include, loki=loki, data=data, health=health)
        (self.folder / "collector.yml").write_text(text)

    def command(self) -> list[str]:
        return [str(otel_collector()), "--config", "file:collector.yml"]

    def is_ready(self) -> bool:
        return self.answers("/")


class Promtail(LogShipper):
    """Promtail."""

    def configure(self, include: str, loki: str) -> None:
        (self.folder / "promtail.yml").write_text(promtail_config(include=include, loki=loki))

    def command(self) -> list[str]:
        return [
            str(go_program(PROMTAIL)),
            "-config.file=promtail.yml",
            f"-positions.file={self.folder / 'positions.yaml'}",
            "-server.http-listen-address=127.0.0.1",
            "-server.grpc-listen-address=127.0.0.1",
            f"-server.http-listen-port={self.port}",
        ]

    def is_ready(self) -> bool:
        return self.answers("/ready")
