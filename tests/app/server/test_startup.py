"""A server that cannot start says why in one line, to people and to the log; the log is JSON throughout."""

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
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from support.certificates import self_signed

pytestmark = pytest.mark.slow


def serve(
    folder: Path, *options: str, stderr: int = subprocess.STDOUT, settings: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The server, which must end by itself; both streams in one file, as under the supervisor."""
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


def the_error(folder: Path, *options: str, status: int = 1, settings: Mapping[str, str] | None = None) -> str:
    """The one line that a server which does not start leaves in its log."""
    assert serve(folder, *options, settings=settings).returncode == status
    [only] = records(folder)
    assert only["level"] == "error"
    assert "\n" not in only["message"]
    return str(only["message"])


def garbage(file: Path) -> None:
    file.write_bytes(b"this is no database, and it is longer than a header" * 100)


def cut_short(file: Path) -> None:
    whole_database(file)
    file.write_bytes(file.read_bytes()[:5000])


def damaged_inside(file: Path) -> None:
    whole_database(file)
    content = bytearray(file.read_bytes())
    content[4096:8192] = os.urandom(4096)
    file.write_bytes(content)


def of_another_program(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE rooms (number INTEGER)")
    connection.close()


def whole_database(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE other (text TEXT)")
        connection.executemany("INSERT INTO other VALUES (?)", [("x" * 500,)] * 100)
    connection.close()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (garbage, "file is not a database"),
        (cut_short, "database disk image is malformed"),
        (damaged_inside, "it is damaged: "),
        (of_another_program, "no such column: rooms.id"),
    ],
)
def test_a_database_that_cannot_be_used(tmp_path: Path, damage: Callable[[Path], None], said: str) -> None:
    (tmp_path / "data").mkdir()
    damage(tmp_path / "data" / "tallow.db")
    error = the_error(tmp_path)
    assert error.startswith("the database (data/tallow.db) cannot be used: ")
    assert said in error


def test_several_workers_are_not_started_with_a_database_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    garbage(tmp_path / "data" / "tallow.db")
    assert "file is not a database" in the_error(tmp_path, "--workers", "2")


def test_a_database_elsewhere_that_does_not_answer(tmp_path: Path) -> None:
    url = "postgresql://tallow:a-long-password@127.0.0.1:1/tallow"
    error = the_error(tmp_path, settings={"DATABASE_URL": url})
    assert error.startswith("the database (DATABASE_URL) cannot be used: ")
    assert "a-long-password" not in error


@pytest.fixture
def pem(tmp_path: Path) -> tuple[Path, Path]:
    return self_signed(tmp_path)


def no_pem(cert: Path, _: Path) -> None:
    cert.write_text("garbage")


def another_key(_: Path, key: Path) -> None:
    write_key(key, serialization.NoEncryption())


def a_passphrase(_: Path, key: Path) -> None:
    write_key(key, serialization.BestAvailableEncryption(b"secret"))


def write_key(path: Path, encryption: serialization.KeySerializationEncryption) -> None:
    made = ec.generate_private_key(ec.SECP256R1())
    path.write_bytes(
        made.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    )


def a_folder(cert: Path, _: Path) -> None:
    cert.unlink()
    cert.mkdir()


def gone(cert: Path, _: Path) -> None:
    cert.unlink()


@pytest.mark.parametrize(
    ("damage", "status", "said"),
    [
        (no_pem, 1, "accepted are a certificate and its key in PEM"),
        (another_key, 1, "does not belong to the certificate"),
        (a_passphrase, 1, "has a passphrase; accepted: a key without one"),
        (a_folder, 2, "is a directory"),
        (gone, 2, "does not exist"),
    ],
)
def test_a_certificate_that_cannot_be_used(
    tmp_path: Path, pem: tuple[Path, Path], damage: Callable[[Path, Path], None], status: int, said: str
) -> None:
    damage(*pem)
    error = the_error(tmp_path, "--tls-cert", str(pem[0]), "--tls-key", str(pem[1]), status=status)
    assert said in error


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
def test_options_that_cannot_be_used(tmp_path: Path, options: list[str], status: int) -> None:
    assert the_error(tmp_path, *options, status=status)


@pytest.mark.parametrize(
    "settings",
    [{"LOG_LEVEL": "verbose"}, {"MAX_ROOMS": "many"}, {"METRICS_TOKEN": "short"}, {"SENTRY_DSN": "hello"}],
)
def test_settings_that_cannot_be_used(tmp_path: Path, settings: dict[str, str]) -> None:
    assert the_error(tmp_path, settings=settings).startswith(next(iter(settings)))


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        assert "Address already in use" in the_error(tmp_path, "--port", port)


def test_people_read_it_on_standard_error_where_that_is_not_the_log(tmp_path: Path) -> None:
    ended = serve(tmp_path, "--host", "198.51.100.1", stderr=subprocess.PIPE)
    assert ended.stderr.startswith("Error: cannot listen on 198.51.100.1:0")
    assert [record["level"] for record in records(tmp_path)] == ["error"]


@pytest.mark.parametrize("options", [[], ["--workers", "2"]])
def test_a_log_holds_json_alone(tmp_path: Path, options: list[str]) -> None:
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
    said = [record["message"] for record in records(tmp_path)]
    assert [one for one in said if one.startswith("Tallow listens on http://")]
