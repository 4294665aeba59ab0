"""A server that cannot start writes the reason in one line, to standard error or to its JSON log."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.certificates import self_signed
from tallow.app.server import startup

pytestmark = pytest.mark.slow


def run_serve(
    folder: Path, *options: str, stderr: int = subprocess.STDOUT, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a server that cannot start, both streams in one file as under the supervisor."""
    with (folder / "log").open("w") as log:
        return subprocess.run(
            [sys.executable, "-m", "tallow", "serve", "--port", "0", "--data-dir", "data", *options],
            cwd=folder,
            env=os.environ | dict(settings or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=stderr,
            text=True,
            timeout=60,
            check=False,
        )


def records(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def startup_error(
    folder: Path, *options: str, status: int = 1, settings: Mapping[str, str] | None = None
) -> str:
    """The single record of a server that cannot start."""
    assert run_serve(folder, *options, settings=settings).returncode == status
    [record] = records(folder)
    assert record["level"] == "fatal"
    assert "\n" not in record["message"]
    return str(record["message"])


def write_garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, and it is longer than a header" * 100)


def write_truncated_database(file: Path) -> None:
    write_database(file)
    file.write_bytes(file.read_bytes()[:5000])


def write_damaged_database(file: Path) -> None:
    write_database(file)
    content = bytearray(file.read_bytes())
    content[4096:8192] = os.urandom(4096)
    file.write_bytes(content)


def write_other_schema(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE rooms (number INTEGER)")
    connection.close()


def write_newer_database(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE tallow_schema_version (version INTEGER)")
        connection.execute("INSERT INTO tallow_schema_version VALUES (99)")
    connection.close()


def write_database(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE other (text TEXT)")
        connection.executemany("INSERT INTO other VALUES (?)", [("x" * 500,)] * 100)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (write_garbage, "file is not a database"),
        (write_truncated_database, "database disk image is malformed"),
        (write_damaged_database, "it is damaged: "),
        (write_other_schema, "its table rooms has no column id, so that Tallow has not made it"),
        (write_newer_database, "it has schema version 99, which a newer Tallow wrote"),
    ],
)
def test_an_unusable_sqlite_file(tmp_path: Path, damage: Callable[[Path], None], problem: str) -> None:
    (tmp_path / "data").mkdir()
    damage(tmp_path / "data" / "tallow.db")
    error = startup_error(tmp_path)
    assert error.startswith("the database (data/tallow.db) cannot be used: ")
    assert problem in error


def test_an_unusable_database_with_several_workers(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    write_garbage(tmp_path / "data" / "tallow.db")
    assert "file is not a database" in startup_error(tmp_path, "--workers", "2")


def test_an_unreachable_database_server(tmp_path: Path) -> None:
    url = "postgresql://tallow:a-long-password@127.0.0.1:1/tallow"
    error = startup_error(tmp_path, settings={"DATABASE_URL": url})
    assert error.startswith("the database (DATABASE_URL) cannot be used: ")
    assert "a-long-password" not in error


@pytest.fixture
def pem(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path)


def replace_certificate_with_text(cert: Path, _: Path) -> None:
    cert.write_text("garbage")


def replace_key(_: Path, key: Path) -> None:
    write_key(key, serialization.NoEncryption())


def encrypt_key(_: Path, key: Path) -> None:
    write_key(key, serialization.BestAvailableEncryption(b"secret"))


def write_key(path: Path, encryption: serialization.KeySerializationEncryption) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )


def replace_certificate_with_folder(cert: Path, _: Path) -> None:
    cert.unlink()
    cert.mkdir()


def delete_certificate(cert: Path, _: Path) -> None:
    cert.unlink()


@pytest.mark.parametrize(
    ("damage", "status", "problem"),
    [
        (replace_certificate_with_text, 1, "accepted are a certificate and its key in PEM"),
        (replace_key, 1, "does not belong to the certificate"),
        (encrypt_key, 1, "has a passphrase; accepted: a key without one"),
        (replace_certificate_with_folder, 2, "is a directory"),
        (delete_certificate, 2, "does not exist"),
    ],
)
def test_an_unusable_certificate(
    tmp_path: Path, pem: tuple[Path, Path], damage: Callable[[Path, Path], None], status: int, problem: str
) -> None:
    damage(*pem)
    error = startup_error(tmp_path, "--tls-cert", str(pem[0]), "--tls-key", str(pem[1]), status=status)
    assert problem in error


@pytest.mark.parametrize(
    ("valid_from", "valid_to", "problem"),
    [(-2, -1, "has expired on "), (1, 2, "is valid from "), (-1, 1, "")],
)
def test_a_certificate_outside_of_its_time_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, valid_from: int, valid_to: int, problem: str
) -> None:
    pem = self_signed(tmp_path, valid_from=timedelta(days=valid_from), valid_to=timedelta(days=valid_to))
    announced: list[str] = []
    monkeypatch.setattr(startup, "announce", lambda message, warning: announced.append(message))
    startup.check_certificate(*pem)
    assert len(announced) == bool(problem)
    assert all(problem in line and line.startswith("WARNING: ") for line in announced)


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--tls-cert", "pyproject.toml"], 2),
        (["--workers", "0"], 2),
        (["--no-such-option"], 2),
        (["--data-dir", "log"], 2),
        (["--host", "198.51.100.1"], 1),
    ],
)
def test_invalid_options(tmp_path: Path, options: list[str], status: int) -> None:
    assert startup_error(tmp_path, *options, status=status)


@pytest.mark.parametrize(
    "settings",
    [{"LOG_LEVEL": "verbose"}, {"MAX_ROOMS": "many"}, {"METRICS_TOKEN": "short"}, {"SENTRY_DSN": "hello"}],
)
def test_invalid_settings(tmp_path: Path, settings: dict[str, str]) -> None:
    assert startup_error(tmp_path, settings=settings).startswith(next(iter(settings)))


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        assert "Address already in use" in startup_error(tmp_path, "--port", port)


def test_the_error_is_on_standard_error_if_that_is_not_the_log(tmp_path: Path) -> None:
    ended = run_serve(tmp_path, "--host", "198.51.100.1", stderr=subprocess.PIPE)
    assert ended.stderr.startswith("Error: cannot listen on 198.51.100.1:0")
    assert [record["level"] for record in records(tmp_path)] == ["fatal"]


@pytest.mark.parametrize("options", [[], ["--workers", "2"]])
def test_the_log_is_json_only(tmp_path: Path, options: list[str]) -> None:
    command = [sys.executable, "-W", "default", "-m", "tallow", "serve", "--port", "0", *options]
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while '"Server started"' not in (tmp_path / "log").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.1)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)
    messages = [record["message"] for record in records(tmp_path)]
    assert any(message.startswith("Tallow listens on http://") for message in messages)
