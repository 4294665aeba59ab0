"""Real shippers that follow Tallow's log file, with the committed files but for addresses and folders."""

from __future__ import annotations

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


class Collector:
    """A Collector that follows ``folder/tallow.log`` and sends to ``loki``."""

    def __init__(self, folder: Path, loki: str) -> None:
        self.folder = folder
        self.log = folder / "tallow.log"
        self._health = f"127.0.0.1:{free_port()}"
        (folder / "collector.yml").write_text(
            collector_config(
                include=str(folder / "*.log"),
                loki=loki,
                data=PurePosixPath(folder / "data"),
                health=self._health,
            )
        )

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Run it for the block, from when it is healthy on."""
        with (self.folder / "collector.out").open("a") as output:
            command = [str(otel_collector()), "--config", "file:collector.yml"]
            process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output)
        try:
            wait_until(self._is_healthy, "the Collector is healthy")
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0

    def _is_healthy(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://{self._health}/", trust_env=False).is_success
        return False

    def write(self, *lines: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(b"".join(lines))


class Promtail:
    """A Promtail that follows ``folder/tallow.log`` and sends to ``loki``."""

    def __init__(self, folder: Path, loki: str) -> None:
        self.folder = folder
        self.log = folder / "tallow.log"
        (folder / "promtail.yml").write_text(promtail_config(include=str(folder / "*.log"), loki=loki))

    @contextlib.contextmanager
    def started(self) -> Iterator[None]:
        """Run it for the block, from when it follows the file on."""
        port = free_port()
        command = [
            str(go_program(PROMTAIL)),
            "-config.file=promtail.yml",
            f"-positions.file={self.folder / 'positions.yaml'}",
            "-server.http-listen-address=127.0.0.1",
            "-server.grpc-listen-address=127.0.0.1",
            f"-server.http-listen-port={port}",
        ]
        with (self.folder / "promtail.out").open("a") as output:
            process = subprocess.Popen(command, cwd=self.folder, stdout=output, stderr=output)

        def is_ready() -> bool:
            assert process.poll() is None, (self.folder / "promtail.out").read_text()
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(f"http://127.0.0.1:{port}/ready", trust_env=False).is_success
            return False

        try:
            wait_until(is_ready, "Promtail is ready")
            yield
        finally:
            process.terminate()
            assert process.wait(timeout=30) == 0

    def write(self, *lines: bytes) -> None:
        with self.log.open("ab") as file:
            file.write(b"".join(lines))
