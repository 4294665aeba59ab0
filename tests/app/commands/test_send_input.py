"""Texts, standard input and standard output of `tallow send` and `tallow receive`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner

from support.transfers.server import tallow_serve
from tallow.cli import main

pytestmark = pytest.mark.slow

TALLOW = [sys.executable, "-m", "tallow"]
PRIVATE = "dinner at eight\x1b[2J"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    own = {"XDG_STATE_HOME": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return os.environ | own


@pytest.fixture
async def server_url(tmp_path: Path) -> AsyncIterator[str]:
    (tmp_path / "server").mkdir()
    async with tallow_serve(tmp_path / "server") as running:
        yield running.url


class Sender:
    """A `tallow send --json` process whose link is known."""

    def __init__(self, url: str, environment: dict[str, str], *arguments: str, given: bytes = b"") -> None:
        command = [*TALLOW, "send", "--server", url, "--json", *arguments]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(given)
        self.process.stdin.close()
        self.events: list[dict[str, Any]] = []
        while not any(event["event"] == "link" for event in self.events):
            line = self.process.stdout.readline()
            assert line, self.process.stderr and self.process.stderr.read()
            self.events.append(orjson.loads(line))

    @property
    def link(self) -> str:
        return str(self.events[-1]["link"])

    def end(self) -> int:
        assert self.process.stdout
        assert self.process.stderr
        with self.process.stdout, self.process.stderr:
            self.process.stdout.read()
            return self.process.wait(120)


def receive(environment: dict[str, str], link: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command = [*TALLOW, "receive", "--yes", *arguments, link]
    return subprocess.run(command, env=environment, capture_output=True, timeout=120, check=False)


def test_standard_input_crosses_to_standard_output(server_url: str, environment: dict[str, str]) -> None:
    data = os.urandom(3_000_000)
    sender = Sender(server_url, environment, "-", "--name", "backup.tar", given=data)
    done = receive(environment, sender.link, "-o", "-")
    assert (done.returncode, sender.end()) == (0, 0), done.stderr
    assert done.stdout == data


def test_standard_input_becomes_a_file_with_the_given_name(
    server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    sender = Sender(server_url, environment, "-", "--name", "notes.txt", given=b"some notes")
    assert receive(environment, sender.link, "-o", str(tmp_path / "out")).returncode == 0
    assert sender.end() == 0
    assert (tmp_path / "out" / "notes.txt").read_bytes() == b"some notes"


def test_a_text_is_shown_without_control_characters(
    server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    sender = Sender(server_url, environment, "--text", given=PRIVATE.encode())
    done = receive(environment, sender.link, "-o", str(tmp_path / "out"))
    assert (done.returncode, sender.end()) == (0, 0), done.stderr
    assert done.stdout.decode() == "dinner at eight\N{REPLACEMENT CHARACTER}[2J\n"
    assert list((tmp_path / "out").iterdir()) == []


def test_a_text_on_the_command_line_gets_a_warning(server_url: str, environment: dict[str, str]) -> None:
    sender = Sender(server_url, environment, "--text", "hello")
    assert any("visible to other users" in str(event.get("message")) for event in sender.events)
    done = receive(environment, sender.link, "--json")
    assert {"event": "text", "text": "hello"} in map(orjson.loads, done.stdout.splitlines())
    assert sender.end() == 0


def test_several_files_do_not_fit_into_standard_output(
    server_url: str, environment: dict[str, str], tmp_path: Path
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_text(name)
    sender = Sender(server_url, environment, str(tmp_path / "one"), str(tmp_path / "two"))
    done = receive(environment, sender.link, "-o", "-")
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"-o - takes a single file" in done.stderr
    assert sender.end() == 1


def test_a_sender_keeps_the_limit(server_url: str, environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(os.urandom(1_000_000))
    sender = Sender(server_url, environment, "--limit", "500k", str(tmp_path / "x"))
    done = receive(environment, sender.link, "--json", "-o", str(tmp_path / "out"))
    finished = orjson.loads(done.stdout.splitlines()[-1])
    assert finished["seconds"] > 1
    assert sender.end() == 0


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--text", "hello", "file"], "--text is sent alone"),
        (["--text", "hello", "--resume"], "--text is sent alone"),
        (["-", "file"], "standard input is sent alone"),
        (["--name", "x", "file"], "--name is for what is read from standard input"),
        ([], "name the files and folders to send"),
        (["--limit", "fast", "file"], "such as 250000, 5MB"),
    ],
)
def test_wrong_usage_is_one_clear_line(arguments: list[str], problem: str) -> None:
    done = CliRunner().invoke(main, ["send", *arguments])
    assert done.exit_code == 2
    assert problem in done.output.replace("\n", " ")
