"""The daily digest is sent once a day. A day is six seconds here, with a real Alertmanager and mailbox.

If the repeat interval were as long as the group interval, a repeat would often be slightly early and would
wait for the next day.
"""

from __future__ import annotations

import contextlib
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from support.programs.debian import program
from support.stack import wait_until
from tallow.stack import routing
from tallow.stack.deployment import NATIVE
from tallow.stack.engines.programs.programs import ensure
from tallow.stack.mailbox.reader import read_messages
from tallow.stack.prometheus import PASSWORD_FILE
from tallow.stack.routing import AlertSettings, alertmanager_config

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("alerts")]

DAY_S = 6.0
SCALE = DAY_S / 86_400
DAYS = 4


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextlib.contextmanager
def process(*command: str | Path, folder: Path | None = None) -> Iterator[None]:
    discard = subprocess.DEVNULL
    with subprocess.Popen(command, stdout=discard, stderr=discard, cwd=folder) as running:
        try:
            yield
        finally:
            running.terminate()


@contextlib.contextmanager
def run_alertmanager(folder: Path, config: str, smtp: int) -> Iterator[str]:
    """Run Alertmanager with a configuration, and the mailbox that it sends to; yields Alertmanager's URL."""
    (folder / "alertmanager.yml").write_text(config)
    for name, content in routing.templates().items():
        (folder / name).write_text(content)
    port = free_port()
    mailbox: list[str | Path] = [
        sys.executable,
        "-m",
        "tallow.stack.mailbox.server",
        "--port",
        str(smtp),
        "--folder",
        folder / "mail",
        "--password-file",
        folder / PASSWORD_FILE,
    ]
    program("prometheus-alertmanager")  # skips the test if it is not available
    installed = ensure(["alertmanager"])["alertmanager"]
    alertmanager: list[str | Path] = [
        installed.path,
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"
    with process(*mailbox), process(*alertmanager, folder=installed.folder):
        wait_until(lambda: _ready(url, smtp), "Alertmanager and mailbox are ready")
        yield url


def _ready(url: str, smtp: int) -> bool:
    with contextlib.suppress(OSError, httpx.HTTPError):
        socket.create_connection(("127.0.0.1", smtp), 1).close()
        return httpx.get(f"{url}/-/ready").is_success
    return False


def mails_in(days: float, folder: Path) -> list[float]:
    """The times of the digest mails while an alert of severity info fires, in days since the first mail."""
    smtp = free_port()
    (folder / PASSWORD_FILE).write_text(secrets.token_urlsafe(24))
    config = alertmanager_config(
        AlertSettings.model_construct(),
        secrets_dir=folder,
        template_glob=str(folder / "*.tmpl"),
        deployment=replace(NATIVE, hosts={**NATIVE.hosts, "mailbox": f"127.0.0.1:{smtp}"}),
        scale=SCALE,
    )
    with run_alertmanager(folder, config, smtp) as url:
        fire(url)
        wait_until(lambda: read_messages(folder / "mail"), "the first digest")
        time.sleep(days * DAY_S)
        times = [mail.received_at.timestamp() for mail in read_messages(folder / "mail")]
    return [(at - times[0]) / DAY_S for at in times]


def fire(url: str) -> None:
    now = datetime.now(UTC)
    alert = {
        "labels": {
            "alertname": "NoActiveConnections",
            "severity": "info",
            "category": "connections",
            "service": "tallow",
            "job": "tallow",
            "instance": "a:3000",
        },
        "annotations": {"summary": "Nobody is connected"},
        "startsAt": now.isoformat(),
        "endsAt": (now + timedelta(hours=1)).isoformat(),
    }
    httpx.post(f"{url}/api/v2/alerts", json=[alert]).raise_for_status()


@pytest.mark.proof
def test_the_digest_is_sent_once_a_day(tmp_path: Path) -> None:
    days = mails_in(DAYS + 0.5, tmp_path)
    assert [round(day) for day in days] == list(range(DAYS + 1))
