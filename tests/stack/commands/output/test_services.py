"""The table of services is complete at every width."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from tallow.stack.commands.output.services import native_table
from tallow.stack.engines.services.definitions import NAMES, SERVICES, ports
from tallow.stack.engines.services.service_state import ServiceState
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import ProcessStatus, SupervisorStatus

OFFSET = 50_000  # ports of five digits
REASON = (
    "ended by SIGKILL, which the supervisor did not send; the kernel sends it when memory runs out, "
    "12 s ago; it will be restarted"
)
WORST = {name: ServiceState("starting" if number else "ended", REASON) for number, name in enumerate(NAMES)}


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    made.write_options(StackOptions(OFFSET, str(tmp_path)))
    services = {name: ProcessStatus("waiting", since=1, restarts=123) for name in NAMES}
    state_files.write_status(made, SupervisorStatus(1, services))
    return made


def lines(home: StateDir, width: int, states: dict[str, ServiceState]) -> list[str]:
    shown = io.StringIO()
    Console(file=shown, width=width).print(native_table(home, states))
    return shown.getvalue().splitlines()


@pytest.mark.parametrize("width", [40, 60, 80, 200])
def test_no_line_is_longer_than_the_terminal_or_cut_off(home: StateDir, width: int) -> None:
    shown = lines(home, width, WORST)
    assert max(map(len, shown)) <= width
    assert not any("…" in line for line in shown)
    whole = " ".join(" ".join(shown).split())
    assert whole.count(REASON) == len(NAMES)


@pytest.mark.parametrize("width", [60, 80])
def test_every_service_has_its_name_port_state_and_restarts(home: StateDir, width: int) -> None:
    known = ports(OFFSET)
    rows = [line.split() for line in lines(home, width, WORST)]
    for name in NAMES:
        [row] = [row for row in rows if name in row[:2]]
        assert row[1:5] == [name, str(known[name]), WORST[name].name, "123"]


def test_descriptions_are_shown_on_a_wide_terminal(home: StateDir) -> None:
    assert all(any(service.description in line for line in lines(home, 80, WORST)) for service in SERVICES)
    assert not any("stores alert e-mails" in line for line in lines(home, 60, WORST))


def test_the_restarts_column_is_shown_only_after_restarts(home: StateDir) -> None:
    assert "restarts" in lines(home, 80, WORST)[0]
    state_files.write_status(home, SupervisorStatus(1, {name: ProcessStatus() for name in NAMES}))
    assert "restarts" not in lines(home, 80, WORST)[0]


def test_a_healthy_service_takes_one_line(home: StateDir) -> None:
    healthy = {name: ServiceState("healthy") for name in NAMES}
    assert len(lines(home, 80, healthy)) == 1 + len(NAMES)
