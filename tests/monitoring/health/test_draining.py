"""After SIGTERM a real server is not ready, finishes requests, accepts new ones, and ends."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tallow.monitoring.health import draining, start_draining, stop_draining
from tallow.monitoring.health.draining import Draining
from tallow.monitoring.health.responses import LIVENESS, READINESS

TESTS = Path(__file__).parents[2]


@contextmanager
def serving(folder: Path, grace: str, *prefix: str) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """uvicorn with the application of ``support/draining_app.py``."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        environment = {**os.environ, "PYTHONPATH": str(TESTS), "TALLOW_DRAIN_SECONDS": grace}
        command = [sys.executable, "-m", "uvicorn", "support.draining_app:app"]
        process = subprocess.Popen(
            [*prefix, *command, "--fd", str(listener.fileno()), "--log-level", "warning"],
            pass_fds=[listener.fileno()],
            env=environment,
            cwd=folder,
        )
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            with httpx.Client(base_url=url, timeout=30) as client:
                assert client.get(READINESS).status_code == 200
                yield process, client
        finally:
            process.kill()
            process.wait()


def wait_until_draining(client: httpx.Client) -> httpx.Response:
    while (answer := client.get(READINESS)).status_code == 200:
        time.sleep(0.01)
    return answer


@pytest.mark.parametrize("grace", ["", "600"])
def test_after_sigterm_readiness_fails_while_a_request_finishes(tmp_path: Path, grace: str) -> None:
    with serving(tmp_path, grace) as (process, client), ThreadPoolExecutor() as threads:
        waiting = threads.submit(client.get, "/wait")
        while client.get("/waiting").text != "1":
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        answer = wait_until_draining(client)
        assert (answer.status_code, answer.json()["status"]) == (503, "draining")
        assert client.get(LIVENESS).status_code == 200
        assert client.get("/api/health/detailed").json()["draining"] is True
        assert client.get("/release").text == "released"  # a new request is accepted
        assert waiting.result().text == "finished"
        if grace:
            process.send_signal(signal.SIGTERM)
        assert process.wait(120) == -signal.SIGTERM


def test_a_second_sigterm_ends_the_grace_time(tmp_path: Path) -> None:
    with serving(tmp_path, "600") as (process, client):
        process.send_signal(signal.SIGTERM)
        wait_until_draining(client)
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == -signal.SIGTERM


def test_without_requests_and_without_a_grace_time_a_server_ends_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, "") as (process, _):
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == -signal.SIGTERM


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("unshare"), reason="needs a process namespace")
def test_process_1_of_a_container_drains_and_ends(tmp_path: Path) -> None:
    with serving(tmp_path, "600", "unshare", "--pid", "--fork", "--kill-child") as (process, client):
        (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        assert wait_until_draining(client).json()["status"] == "draining"
        os.kill(int(child), signal.SIGTERM)
        assert process.wait(120) == 0


@pytest.fixture
def handler() -> Iterator[list[int]]:
    """A server's handler of SIGTERM, and the signals that it received."""
    received: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: received.append(number))
    yield received
    signal.signal(signal.SIGTERM, before)


def test_the_server_s_handler_is_called_and_restored(handler: list[int]) -> None:
    own, state = signal.getsignal(signal.SIGTERM), Draining()
    state.open(0)
    state.open(0)
    signal.raise_signal(signal.SIGTERM)
    assert (handler, state.draining()) == ([signal.SIGTERM], True)
    state.close()
    assert signal.getsignal(signal.SIGTERM) != own
    state.close()
    assert signal.getsignal(signal.SIGTERM) == own
    assert not state.draining()


def test_a_handler_that_is_installed_later_is_kept(handler: list[int]) -> None:
    state, order = Draining(), []
    state.open(0)
    ours: Any = signal.getsignal(signal.SIGTERM)

    def chaining(number: int, frame: object) -> None:
        order.append("server")
        ours(number, frame)

    signal.signal(signal.SIGTERM, chaining)
    state.install(0)
    signal.raise_signal(signal.SIGTERM)
    assert order == ["server"]
    assert state.draining()
    state.close()
    assert signal.getsignal(signal.SIGTERM) == chaining


def test_an_ignored_signal_stays_ignored(handler: list[int]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    state = Draining()
    state.open(0)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    state.close()


def test_outside_the_main_thread_no_handler_is_installed(handler: list[int]) -> None:
    own, state = signal.getsignal(signal.SIGTERM), Draining()
    thread = threading.Thread(target=state.open, args=(0,))
    thread.start()
    thread.join()
    assert signal.getsignal(signal.SIGTERM) == own


async def test_an_event_loop_s_handler_is_called_after_the_grace_time() -> None:
    loop, called, state = asyncio.get_running_loop(), asyncio.Event(), Draining()
    loop.add_signal_handler(signal.SIGTERM, called.set)
    try:
        state.open(1)
        signal.raise_signal(signal.SIGTERM)
        await asyncio.sleep(0.05)
        early = called.is_set()
        await called.wait()
        assert (early, state.draining()) == (False, True)
        state.close()
        called.clear()
        signal.raise_signal(signal.SIGTERM)
        await called.wait()
    finally:
        loop.remove_signal_handler(signal.SIGTERM)


def test_an_application_can_drain_by_itself() -> None:
    start_draining()
    try:
        assert draining()
    finally:
        stop_draining()
    assert not draining()
