"""A stack that was started with other proxies or certificates is told apart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallow.stack.engines.native import upgrade
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.engines.supervisor import state_files

USED = {"HTTPS_PROXY": "http://proxy.example:3128", "SSL_CERT_FILE": "/etc/old.pem"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StateDir]:
    """The folder of a stack whose supervisor is a process with those variables."""
    command = [sys.executable, "-c", "print(flush=True); input()"]
    environment = {"PATH": os.environ["PATH"], **USED}
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    process.stdout.readline()  # the kernel shows no environment of a program that is being started
    monkeypatch.setattr(state_files, "supervisor_pid", lambda _home: process.pid)
    yield StateDir(tmp_path)
    process.communicate(b"\n", timeout=30)


@pytest.mark.parametrize(
    ("environment", "others"),
    [
        ({}, []),
        ({**USED, "PATH": "/other", "LANG": "C"}, []),
        ({"SSL_CERT_FILE": "", "https_proxy": ""}, []),
        ({"SSL_CERT_FILE": "/etc/new.pem"}, ["SSL_CERT_FILE"]),
        ({"no_proxy": "localhost", "HTTPS_PROXY": "http://another.example"}, ["HTTPS_PROXY", "no_proxy"]),
    ],
)
def test_variables_that_a_running_stack_does_not_use_are_found(
    home: StateDir, environment: dict[str, str], others: list[str]
) -> None:
    assert upgrade.other_network_variables(home, environment) == others


def test_no_stack_uses_no_variables(tmp_path: Path) -> None:
    assert upgrade.other_network_variables(StateDir(tmp_path), {"SSL_CERT_FILE": "/etc/new.pem"}) == []
