"""Which engine `tallow up` uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.stack.engines.docker import choice
from tallow.stack.engines.docker.choice import choose_engine
from tallow.stack.engines.docker.client import DockerUnavailableError
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.state.state_dir import EngineName, StackOptions, StateDir


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    return StateDir(tmp_path / "home")


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """No daemon: the test machine may have one."""

    def refuse() -> None:
        raise DockerUnavailableError("no Docker daemon answers: connection refused")

    monkeypatch.setattr(choice, "require_docker", refuse)


@pytest.fixture
def with_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon: the test machine may have none."""
    monkeypatch.setattr(choice, "require_docker", lambda: None)


@pytest.mark.usefixtures("with_docker")
def test_auto_takes_docker_where_it_works(home: StateDir) -> None:
    assert choose_engine("auto", home) == "docker"


@pytest.mark.usefixtures("no_docker")
def test_auto_takes_the_native_engine_without_docker(home: StateDir) -> None:
    assert choose_engine("auto", home) == "native"


@pytest.mark.usefixtures("no_docker")
def test_docker_that_is_asked_for_and_missing_is_an_error(home: StateDir) -> None:
    with pytest.raises(StackError, match="no Docker daemon answers"):
        choose_engine("docker", home)


@pytest.mark.usefixtures("with_docker")
@pytest.mark.parametrize("engine", ["native", "docker"])
def test_a_stack_keeps_its_engine(home: StateDir, engine: EngineName) -> None:
    home.make()
    home.write_options(StackOptions(engine=engine))
    assert choose_engine("auto", home) == engine
    other: EngineName = "native" if engine == "docker" else "docker"
    with pytest.raises(StackError, match=f"has the engine {engine}"):
        choose_engine(other, home)
