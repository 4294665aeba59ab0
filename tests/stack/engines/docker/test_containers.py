"""The states of containers, from what the engine says about them."""

from __future__ import annotations

from typing import Any

import pytest

from tallow.stack.engines.docker import memory
from tallow.stack.engines.docker.containers import Container, _container, plain
from tallow.stack.engines.docker.logs import _parse


def described(**state: Any) -> dict[str, Any]:
    """The engine's description of a container, shortened to what is read."""
    facts = {"Status": "running", "ExitCode": 0, "StartedAt": "2026-11-29T13:50:22.123456789Z", "Error": ""}
    return {
        "Id": "0123456789abcdef",
        "RestartCount": 0,
        "Config": {"Labels": {"com.docker.compose.service": "tallow"}},
        "State": facts | state,
    }


def test_a_description_is_read() -> None:
    health = {"Status": "unhealthy", "Log": [{"Output": "first"}, {"Output": "refused\n by the server\n"}]}
    found = _container(described(Health=health))
    assert (found.service, found.id, found.health) == ("tallow", "0123456789ab", "unhealthy")
    assert found.health_output == "refused by the server"
    assert found.since == pytest.approx(1795960222.123456)


@pytest.mark.parametrize(
    ("container", "name", "detail"),
    [
        (Container("a", "1", "running"), "healthy", ""),
        (
            Container("a", "1", "running", "healthy", restarts=2),
            "healthy",
            "restarted 2 times after failures",
        ),
        (Container("a", "1", "running", "starting"), "starting", ""),
        (Container("a", "1", "running", "unhealthy"), "failing", "its health check fails: no output"),
        (Container("a", "1", "paused"), "failing", "paused; to go on: docker unpause 1"),
        (Container("a", "1", "exited", exit_code=143), "stopped", "ended with status 143"),
        (
            Container("a", "1", "restarting", exit_code=1),
            "ended",
            "ended with status 1; it will be restarted",
        ),
        (
            Container("a", "1", "exited", exit_code=137, killed_for_memory=True),
            "ended",
            "killed: out of memory (status 137)",
        ),
        (
            Container("a", "1", "exited", exit_code=137),
            "ended",
            "killed by SIGKILL (status 137): by docker kill, or since it did not end in time",
        ),
        (Container("a", "1", "exited"), "stopped", "ended with status 0"),
        (Container("a", "1", "exited", exit_code=1), "ended", "ended with status 1"),
        (Container("a", "1", "created", error="no such file"), "ended", "no such file"),
    ],
    ids=lambda value: value.status if isinstance(value, Container) else str(value)[:20],
)
def test_each_state_has_a_name_and_a_detail(container: Container, name: str, detail: str) -> None:
    state = container.state()
    assert (state.name, state.detail) == (name, detail)


def test_the_lines_of_several_services_are_told_apart() -> None:
    output = [
        'tallow-1         | {"timestamp": "2026-11-29T13:00:00Z", "level": "error", "message": "no"}\r',
        "tallow-1         | Traceback",
        "node-exporter-1  | \x1b[31mplain\x1b[0m",
        "no line of a service",
    ]
    lines = list(_parse(output))
    assert [(line.service, line.text, line.level) for line in lines] == [
        ("tallow", "no", "error"),
        ("tallow", "Traceback", "error"),
        ("node-exporter", "plain", None),
    ]


def test_control_sequences_are_removed() -> None:
    assert plain("\x1b[31m\x1b[1mWARNING\x1b[0m\r\n") == "WARNING"


def test_the_memory_of_running_containers_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def answer(*arguments: str) -> str:  # the engine, which the test machine may not have
        asked.append(arguments)
        used = {"0123456789ab": "36.5MiB", "ba9876543210": "512KiB", "0000": "--", "111111111111": "1GiB"}
        return "".join(f"{name} {size} / 2GiB\n" for name, size in used.items())

    monkeypatch.setattr(memory, "docker", answer)
    found = {
        "tallow": Container("tallow", "0123456789ab", "running"),
        "turn": Container("turn", "ba9876543210", "paused"),
        "loki": Container("loki", "fedcba987654", "exited"),
    }
    assert memory.memory_used(found) == {"tallow": round(36.5 * 1024**2), "turn": 512 * 1024}
    assert asked[0][-2:] == ("0123456789ab", "ba9876543210")
    assert memory.memory_used({"loki": found["loki"]}) == {}
    assert len(asked) == 1
