"""A program that stops answering is detected; slow, busy and protected programs are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tallow.stack.engines.supervisor import liveness
from tallow.stack.engines.supervisor.liveness import FailureTimer, LivenessCheck, probe_failure
from tallow.stack.engines.supervisor.state_files import SMTP, Probe

pytestmark = pytest.mark.slow


def record(timer: FailureTimer, *, started: float, ended: float, success: bool = False) -> float:
    timer.record(success=success, started=started, ended=ended, longest_step=20)
    return timer.failed_s


def test_failures_add_up_from_the_first_one() -> None:
    timer = FailureTimer()
    assert record(timer, started=100, ended=110) == 10
    assert record(timer, started=115, ended=125) == 25, "the time between two failures counts"


def test_a_success_resets_the_timer() -> None:
    timer = FailureTimer()
    record(timer, started=100, ended=110)
    record(timer, started=120, ended=120, success=True)
    assert record(timer, started=130, ended=131) == 1


def test_time_in_which_the_supervisor_itself_was_stopped_does_not_count() -> None:
    timer = FailureTimer()
    record(timer, started=100, ended=110)
    assert record(timer, started=4000, ended=4001) == 30


@dataclass
class Service:
    """A server with answers by path. None: it accepts the connection and does not answer."""

    port: int = 0
    answers: dict[str, bytes | None] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        if SMTP in self.answers:
            path = SMTP
        else:
            try:
                request = await reader.readuntil(b"\r\n\r\n")
            except asyncio.IncompleteReadError:  # the probe gave up
                return
            self.asked.append(request)
            path = request.split()[1].decode()
        answer = self.answers[path]
        if answer is not None:
            writer.write(answer)
            writer.close()

    def probe(self, **more: str) -> Probe:
        return Probe("127.0.0.1", self.port, more.pop("ready", "/ready"), more.pop("alive", "/alive"), **more)


@asynccontextmanager
async def service(**answers: bytes | None) -> AsyncIterator[Service]:
    made = Service(answers={SMTP if name == "smtp" else f"/{name}": one for name, one in answers.items()})
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        for writer in made.writers:
            writer.close()
        await asyncio.gather(*(writer.wait_closed() for writer in made.writers), return_exceptions=True)


def http(status: int) -> bytes:
    return f"HTTP/1.1 {status} Something\r\ncontent-length: 0\r\n\r\n".encode()


@pytest.mark.parametrize("status", [200, 204, 302, 401, 403, 404, 429])
async def test_any_answer_below_500_is_a_sign_of_life(status: int) -> None:
    async with service(alive=http(status)) as made:
        assert await probe_failure(made.probe(), "/alive", 5) == ""


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(500), "answered 500"),
        (http(503), "answered 503"),
        (b"", "it closed the connection"),
        (b"garbage\r\n", "its answer cannot be understood"),
        (b"HTTP/1.1 two hundred\r\n", "its answer cannot be understood"),
        (b"x" * 100_000, "Separator is not found, and chunk exceed the limit"),
        (None, "no answer within 0 s"),
    ],
)
async def test_failures_of_a_liveness_check(answer: bytes | None, expected: str) -> None:
    async with service(alive=answer) as made:
        assert await probe_failure(made.probe(), "/alive", 0.3) == expected


async def test_a_closed_port_is_a_failure() -> None:
    async with service() as made:
        pass
    assert "Connect" in await probe_failure(made.probe(), "/alive", 5)


async def test_a_readiness_check_is_stricter_and_sends_the_password(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret")
    async with service(ready=http(503)) as made:
        probe = made.probe(user="tallow", password_file=str(tmp_path / "password"))
        assert await probe_failure(probe, "/ready", 5, authenticate=True, ready=True) == "answered 503"
        assert b"Authorization: Basic dGFsbG93OnNlY3JldA==" in made.asked[0]
        await probe_failure(probe, "/ready", 5)
        assert b"Authorization" not in made.asked[1]


async def test_an_unreadable_password_is_a_failed_check(tmp_path: Path) -> None:
    async with service(ready=http(200)) as made:
        probe = made.probe(user="tallow", password_file=str(tmp_path / "gone"))
        assert await probe_failure(probe, "/ready", 5, authenticate=True) == "No such file or directory"


@pytest.mark.parametrize(
    ("greeting", "expected"),
    [(b"220 hello\r\n", ""), (b"220-hello\r\n", ""), (b"554 go away\r\n", "answered 554")],
)
async def test_the_greeting_of_a_mail_server_is_checked(greeting: bytes, expected: str) -> None:
    async with service(smtp=greeting) as made:
        assert await probe_failure(made.probe(), SMTP, 5) == expected


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(liveness, "IDLE_S", 0.01)
    monkeypatch.setattr(liveness, "MIN_ANSWER_S", 0.05)


@dataclass
class Watched:
    """A running check and its reports."""

    timeout: float
    reports: list[str] = field(default_factory=list)

    def start(self, probe: Probe) -> asyncio.Task[str]:
        check = LivenessCheck(probe, lambda: self.timeout, self.reports.append)
        return asyncio.create_task(check.wait_until_unresponsive())


async def until_asked(made: Service, times: int) -> None:
    made.asked.clear()
    while len(made.asked) < times:
        await asyncio.sleep(0.01)


@pytest.mark.usefixtures("quick")
async def test_a_program_that_stops_answering_is_unresponsive() -> None:
    async with service(ready=http(200), alive=http(200)) as made:
        watched = Watched(timeout=0.3)
        found = watched.start(made.probe())
        await until_asked(made, 5)
        assert not found.done()
        made.answers["/alive"] = None
        assert "no answer for" in await found
        assert watched.reports == ["does not answer (/alive: no answer within 0 s)"]


@pytest.mark.usefixtures("quick")
async def test_a_program_that_was_never_ready_is_not_unresponsive() -> None:
    """Such as a Prometheus that replays its write-ahead log for hours."""
    async with service(ready=http(503), alive=None) as made:
        found = Watched(timeout=0.01).start(made.probe())
        await until_asked(made, 20)
        assert not found.done()
        assert all(request.startswith(b"GET /ready ") for request in made.asked)
        made.answers["/ready"] = http(200)
        assert "no answer for" in await found


@pytest.mark.usefixtures("quick")
async def test_a_short_failure_is_ignored() -> None:
    async with service(ready=http(200), alive=http(200)) as made:
        watched = Watched(timeout=4)
        found = watched.start(made.probe())
        await until_asked(made, 2)
        made.answers["/alive"] = http(500)
        while not watched.reports:
            await asyncio.sleep(0.01)
        made.answers["/alive"] = http(200)
        while len(watched.reports) < 2:
            await asyncio.sleep(0.01)
        assert watched.reports == ["does not answer (/alive: answered 500)", "answers again"]
        await until_asked(made, 3)
        assert not found.done()
        found.cancel()


@pytest.mark.usefixtures("quick")
async def test_the_check_can_be_switched_off_and_on_while_it_runs() -> None:
    async with service(ready=http(200), alive=http(200)) as made:
        watched = Watched(timeout=0)
        found = watched.start(made.probe())
        await until_asked(made, 1)
        made.answers["/alive"] = None
        await asyncio.sleep(0.2)  # in which nothing may happen
        assert not found.done()
        assert not any(request.startswith(b"GET /alive ") for request in made.asked)
        watched.timeout = 0.1
        assert "no answer for" in await found
