"""Bugsink, a tracker that speaks Sentry's protocol, in an environment of its own."""

from __future__ import annotations

import os
import secrets
import socket
import sqlite3
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[3]
REQUIREMENTS = ROOT / "requirements" / "bugsink.txt"
ENVIRONMENT = ROOT / ".venv-bugsink"
START_TIMEOUT_S = 60

CONFIGURATION = """
from bugsink.settings.default import *

SECRET_KEY = {secret!r}
DATABASES["default"]["NAME"] = {folder!r} + "/db.sqlite3"
DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
SNAPPEA = {{"TASK_ALWAYS_EAGER": True, "NUM_WORKERS": 1, "PID_FILE": None}}
EMAIL_BACKEND = "bugsink.email_backends.QuietConsoleEmailBackend"
BUGSINK = {{
    "BASE_URL": {address!r},
    "SINGLE_USER": True,
    "DIGEST_IMMEDIATELY": True,
    "PHONEHOME": False,
    "INGEST_STORE_BASE_DIR": {folder!r} + "/ingestion",
}}
ALLOWED_HOSTS = ["127.0.0.1"]
"""

CREATE_PROJECT = """
from projects.models import Project
for name in {names!r}:
    project = Project.objects.create(name=name)
    print("DSN", name, project.id, project.sentry_key.hex)
"""


@dataclass(frozen=True, slots=True)
class Bugsink:
    """A running Bugsink.

    Attributes:
        dsns: by the names of the projects.
        project_ids: by the names of the projects.
        folder: its databases and files.
    """

    dsns: dict[str, str]
    project_ids: dict[str, int]
    folder: Path

    def rows(self, statement: str, *values: object) -> list[tuple[str, ...]]:
        """Return the rows of a query to its database."""
        with closing(sqlite3.connect(self.folder / "db.sqlite3", timeout=30)) as connection:
            return list(connection.execute(statement, values))

    def content(self) -> bytes:
        """Return everything that it has stored, the journals of its databases included."""
        return b"\n".join(path.read_bytes() for path in self.folder.rglob("*") if path.is_file())


@contextmanager
def bugsink(folder: Path, *names: str) -> Iterator[Bugsink]:
    """Run Bugsink with the named projects for the block."""
    programs = _environment()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    text = CONFIGURATION.format(secret=secrets.token_hex(32), folder=str(folder), address=address)
    (folder / "bugsink_conf.py").write_text(text)
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    environment |= {"DJANGO_SETTINGS_MODULE": "bugsink_conf", "HOME": str(folder)}

    def manage(*arguments: str) -> str:
        command = [str(programs / "bugsink-manage"), *arguments]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    manage("migrate", "--no-input")
    manage("migrate", "--no-input", "--database=snappea")
    created = manage("shell", "-c", CREATE_PROJECT.format(names=names))
    rows = [line.split()[1:] for line in created.splitlines() if line.startswith("DSN ")]
    server = [str(programs / "gunicorn"), "--bind", f"127.0.0.1:{port}", "--threads", "4", "bugsink.wsgi"]
    with (folder / "server.log").open("w") as log:
        process = subprocess.Popen(server, env=environment, cwd=folder, stdout=log, stderr=log)
    try:
        _wait_until_ready(address)
        dsns = {name: f"http://{uuid.UUID(key).hex}@127.0.0.1:{port}/{id_}" for name, id_, key in rows}
        yield Bugsink(dsns, {name: int(id_) for name, id_, _ in rows}, folder)
    finally:
        process.terminate()
        process.wait(30)


def _environment() -> Path:
    """Create the environment if its requirements have changed; return the folder of its programs."""
    stamp = ENVIRONMENT / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        uv = subprocess.check_output([ROOT / "scripts" / "env", "--uv"], text=True).strip()
        python = subprocess.check_output([ROOT / "scripts" / "env", "--python"], text=True).strip()
        subprocess.run(
            [uv, "venv", "--clear", "-q", "--no-project", "--python", python, ENVIRONMENT], check=True
        )
        sync = ["pip", "sync", "-q", "--python", str(ENVIRONMENT / "bin" / "python"), "--require-hashes"]
        subprocess.run([uv, *sync, str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return ENVIRONMENT / "bin"


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        try:
            httpx.get(address, trust_env=False)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("Bugsink did not start")
