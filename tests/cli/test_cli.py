"""Exit statuses and errors of every `tallow` command, also if its reader exits early."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from support.commands import run, run_without_reader
from support.stack import free_offset
from tallow.cli import main
from tallow.cli.exit_status import EXIT_STATUSES
from tallow.stack import credentials
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def walk(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand with its name."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield " ".join((*path, name)), command
        if isinstance(command, click.Group):
            yield from walk(command, (*path, name))


COMMANDS = dict(walk(main))
each_command = pytest.mark.parametrize("name", COMMANDS)


def invoke(*arguments: str) -> Result:
    """Run a command in this process. An exception other than SystemExit fails the test."""
    return CliRunner(catch_exceptions=False).invoke(main, arguments)


@pytest.fixture
def stopped(tmp_path: Path) -> str:
    """The folder of a stack that was started before and does not run."""
    home = StateDir(tmp_path / "stopped")
    home.make()
    credentials.create_missing(home.secrets)
    home.write_options(StackOptions(free_offset(), str(tmp_path)))
    (home.logs / "tallow.log").write_text('{"timestamp": "2026-01-31T12:00:00Z", "message": "started"}\n' * 3)
    return str(home.root)


@each_command
def test_the_help_of_a_command_explains_its_exit_statuses(name: str) -> None:
    shown = invoke(*name.split(), "--help")
    assert shown.exit_code == 0
    message = " ".join(shown.output.split())
    for status, meaning in EXIT_STATUSES.items():
        assert message.count(f"{status} {meaning}") == 1


def test_the_help_of_all_commands_explains_the_exit_statuses() -> None:
    shown = " ".join(invoke("--help").output.split())
    assert all(f"{status} {meaning}" in shown for status, meaning in EXIT_STATUSES.items())


def test_the_documentation_has_every_command_and_status() -> None:
    for name in COMMANDS:
        assert f"| `{name}` |" in PAGE
    for status, meaning in EXIT_STATUSES.items():
        assert f"| {status} | {meaning}" in PAGE


@each_command
def test_an_unknown_option_is_wrong_usage(name: str) -> None:
    done = invoke(*name.split(), "--no-such-option")
    assert done.exit_code == 2
    assert done.output.splitlines()[-1].startswith("Error: No such option")


@pytest.mark.parametrize("arguments", [["nonsense"], ["alerts", "nonsense"], ["silence"], []])
def test_an_unknown_or_missing_command_is_wrong_usage(arguments: list[str]) -> None:
    assert invoke(*arguments).exit_code == 2


NEEDED = {
    "alerts test": ["default"],
    "down": ["tallow"],
    "query": ["up"],
    "restart": ["tallow"],
    "silence add": ["RestartLoop", "--comment", "why"],
    "silence expire": ["0"],
    "send": [__file__],
    "receive": ["--yes", "aaaaaaaaaaaaaaaa.AAECAwQFBgcICQoLDA0ODw"],
}
"""Arguments without which a command is wrong usage."""
WITHOUT_STACK = {
    **dict.fromkeys(("status", "restart", "reload", "down", "alerts", "query"), (3, 3)),
    **dict.fromkeys(("alerts test", "silence add", "silence list", "silence expire"), (3, 3)),
    **dict.fromkeys(("logs", "open", "inbox", "credentials"), (3, 0)),  # they read files
    "doctor": (3, 1),  # it reports that nothing runs
}
"""The exit status in a folder without a stack, and with one that does not run."""


def test_the_matrix_has_every_command_of_a_stack() -> None:
    of_a_stack = {
        name for name, command in COMMANDS.items() if any(one.name == "home" for one in command.params)
    }
    assert set(WITHOUT_STACK) == of_a_stack - {"up", "send", "receive", "demo"}


@pytest.mark.parametrize("name", WITHOUT_STACK)
def test_commands_without_a_stack_report_it(name: str, tmp_path: Path) -> None:
    done = invoke(*name.split(), *NEEDED.get(name, []), "--home", str(tmp_path))
    assert done.exit_code == WITHOUT_STACK[name][0]
    [line] = done.output.splitlines()
    assert line.startswith(f"Error: there is no stack in {tmp_path}; start one with: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", [*WITHOUT_STACK, "send", "receive", "demo"])
def test_an_unreadable_folder_is_a_one_line_error(name: str, stopped: str) -> None:
    Path(stopped).chmod(0)
    try:
        done = invoke(*name.split(), *NEEDED.get(name, []), "--home", stopped)
    finally:
        Path(stopped).chmod(0o700)
    assert done.exit_code == 1
    [line] = done.output.splitlines()
    assert "Permission denied" in line


@pytest.mark.parametrize("name", WITHOUT_STACK)
def test_commands_with_a_stopped_stack(name: str, stopped: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "true")  # `open` starts this program
    done = invoke(*name.split(), *NEEDED.get(name, []), "--home", stopped)
    assert done.exit_code == WITHOUT_STACK[name][1], done.output
    if done.exit_code == 3:
        message = " ".join(done.output.split())
        assert "nothing runs" in message or "does not listen on its port (http://127.0.0.1:" in message


def test_stopping_a_stack_that_does_not_run_succeeds(stopped: str, tmp_path: Path) -> None:
    assert invoke("down", "--home", str(tmp_path / "none")).exit_code == 0
    assert invoke("down", "--home", stopped).exit_code == 0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["send", "receive", "demo"])
@pytest.mark.parametrize(
    ("place", "expected"),
    [(["--server", "http://127.0.0.1:9"], "cannot be reached"), (["--home", "/nowhere"], "no stack runs in")],
)
def test_an_unreachable_server_has_its_own_status(
    name: str, place: list[str], expected: str, tmp_path: Path
) -> None:
    done = run(name, *NEEDED.get(name, []), *place, cwd=tmp_path)
    assert done.status == 3
    assert expected in done.err.splitlines()[-1]
    assert "Traceback" not in done.err


LISTINGS = (
    (["--help"], 0),
    (["logs", "--help"], 0),
    (["settings"], 0),
    (["completion", "bash"], 0),
    (["drill"], 0),
    (["logs", "--home", "{stopped}"], 0),
    (["inbox", "--home", "{stopped}"], 0),
    (["credentials", "--home", "{stopped}"], 0),
    (["status", "--home", "{stopped}"], 3),
    (["status", "--json", "--home", "{stopped}"], 3),
    (["generate", "--check", "--root", "{tree}"], 1),
    (["lint", "{tree}/dashboard.json"], 1),
)
"""Commands that write, and their exit statuses. tests/integration has those that need a running stack."""


@pytest.fixture
def tree(tmp_path: Path) -> str:
    """A repository without generated files, and a dashboard with a lint problem."""
    (tmp_path / "tree" / "monitoring").mkdir(parents=True)
    (tmp_path / "tree" / "dashboard.json").write_text('{"panels": [], "templating": {"list": []}}')
    return str(tmp_path / "tree")


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "status"), LISTINGS, ids=lambda value: str(value)[:40])
def test_a_reader_that_exits_early_changes_nothing(
    arguments: list[str], status: int, stopped: str, tree: str
) -> None:
    filled = [argument.format(stopped=stopped, tree=tree) for argument in arguments]
    done = run_without_reader(*filled)
    assert (done.status, done.err) == (status, "")


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["logs", "--nonsense"], ["query", "up", "--home", "/nowhere"]])
def test_an_unread_error_keeps_its_exit_status(arguments: list[str]) -> None:
    assert run_without_reader(*arguments, both=True).status == run(*arguments).status


def test_a_closed_standard_output_is_no_error(stopped: str) -> None:
    command = f"exec {sys.executable} -m tallow logs --home {stopped} >&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is always full")
def test_unwritable_output_is_a_failure(stopped: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = run("logs", "--home", stopped, stdout=full)
    assert (done.status, done.err) == (1, "Error: No space left on device\n")


def test_an_operating_system_error_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "monitoring").mkdir()
    (tmp_path / "docs").write_text("a file")
    done = invoke("generate", "--root", str(tmp_path))
    assert done.exit_code == 1
    assert done.output.splitlines()[-1].startswith(f"Error: {tmp_path}/docs")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logs", "inbox"])
def test_following_ends_when_the_reader_exits(name: str, stopped: str) -> None:
    """At once, without a further line, which ``tail -f | head`` would need."""
    done = run_without_reader(name, "--follow", "--home", stopped)
    assert (done.status, done.err) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["logs", "inbox"])
def test_following_can_be_interrupted(name: str, stopped: str) -> None:
    command = [sys.executable, "-m", "tallow", name, "--follow", "--home", stopped]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as following:
        assert following.stdout
        following.stdout.readline()
        following.send_signal(signal.SIGINT)
        _, output = following.communicate(timeout=60)
    assert (following.returncode, output) == (130, b"\nInterrupted\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "status", "expected"),
    [
        (b"\x04", 1, "Error: standard input ended before the answer"),
        (b"n\n", 1, "Nothing was done"),
        (None, 130, "Interrupted"),
    ],
    ids=["end of file", "no", "interrupt"],
)
def test_a_question_that_is_not_answered_with_yes_fails(
    answer: bytes | None, status: int, expected: str, stopped: str
) -> None:
    mine, its = pty.openpty()
    command = [sys.executable, "-m", "tallow", "down", "--purge", "--home", stopped]
    process = subprocess.Popen(command, stdin=its, stdout=its, stderr=its, start_new_session=True)
    os.close(its)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(mine, 1024)
    if answer is not None:
        os.write(mine, answer)
    while answer is None and process.poll() is None:
        process.send_signal(signal.SIGINT)  # Python may miss one that comes just before it begins to read
        with suppress(subprocess.TimeoutExpired):
            process.wait(2)
    assert process.wait(60) == status
    shown = b""
    while expected.encode() not in shown:
        shown += os.read(mine, 1024)  # fails at the end of the terminal
    os.close(mine)
