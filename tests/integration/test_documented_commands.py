"""Every shell command of the documents for operators is run against one native stack, or says why it is not.

A block of `tallow` commands is run in this process, any other block by bash. Ports are those of the test's
stack, and ``~`` is a folder of its own.
"""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.commands import ROOT
from support.fenced_blocks import Block, blocks
from support.programs.debian import program
from support.stack import Stack, free_offset, wait_until
from tallow.cli import main
from tallow.stack.alerts import RULES
from tallow.stack.engines.native import lifecycle
from tallow.stack.engines.services.links import move_ports
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("native"), pytest.mark.timeout(600)]

SCALE = 1 / 10
DOCUMENTS = (
    "README.md",
    "monitoring/README.md",
    "monitoring/MONITORING_QUICK_REFERENCE.md",
    "monitoring/PRODUCTION_CHECKLIST.md",
    "monitoring/alerting/pagerduty-integration.md",
)
RUNBOOKS = tuple(f"docs/runbooks/{name}.md" for name in RULES)
DRILL = "scripts/proof runs every drill"
"""Why the blocks of a generated page that run a drill are not run."""
REPLACED = {"--duration 300": "--duration 3", " -f": "", "METRIC": "tallow_build_info"}
"""What is shortened or filled in: the demo's five minutes, following a log for ever, a placeholder."""
SEARCHES = ("grep", "findmnt", "journalctl")
"""Programs that end with 1 if they find nothing."""
SHELL = {"|", ">", "<", "&&", "||", "&", ";"}
CONDITIONS = ("alerts", "status", "doctor", "query")
"""Commands that end with 1 if the condition they ask about is bad."""
FEWEST_RUN, MOST_NOT_RUN = 60, 65


def documented() -> list[Block]:
    return [block for name in (*DOCUMENTS, *RUNBOOKS) for block in blocks(name)]


def reason(block: Block) -> str:
    if block.reason:
        return block.reason
    commands = [line for line in block.text.splitlines() if line.strip()]
    is_drill = block.place.startswith("docs/runbooks/") and all(
        one.startswith("tallow drill ") for one in commands
    )
    return DRILL if is_drill else ""


RUN = [block for block in documented() if not reason(block)]
each_block = pytest.mark.parametrize("block", RUN, ids=[block.place for block in RUN])


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The home folder of a user whose stack runs, and a folder ``work`` in it to run commands in."""
    folder = tmp_path_factory.mktemp("user")
    work = folder / "work"
    work.mkdir()
    for name in ("monitoring", "docs", "deploy", "README.md"):
        (work / name).symlink_to(ROOT / name)
    (folder / "bin").mkdir()
    (folder / "bin" / "amtool").symlink_to(program("amtool"))
    state = StateDir(folder / ".local" / "state" / "tallow")
    stack = Stack(state, StackOptions(free_offset(), str(work), SCALE))
    for name in ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter"):
        program(name)
    state.make()
    try:
        stack.start()
        wait_until(lambda: stack.value("count(up == 1)") == 5, "every target is scraped")
        yield folder
    finally:
        lifecycle.stop(state)


@pytest.fixture
def environment(user: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The user's environment for this process; the folder to run commands in."""
    for name in ("TALLOW_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(user))
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.setenv(
        "PATH", f"{user / 'bin'}{os.pathsep}{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    )
    monkeypatch.chdir(user / "work")
    targets = StateDir.at().config / "prometheus" / "targets"
    ours = set(targets.iterdir())
    yield user / "work"
    # An application that a document adds is not there: doctor, which other documents run, would say so.
    for added in set(targets.iterdir()) - ours:
        added.unlink()


@pytest.fixture(scope="module")
def succeeded() -> set[str]:
    """The commands that succeeded before: a command that several documents have is run once."""
    return set()


@each_block
def test_the_commands_of_a_block_succeed(block: Block, environment: Path, succeeded: set[str]) -> None:
    text = adapted(move_ports(block.text, StateDir.at().options().port_offset))
    for command in [text] if "<<" in text else text.splitlines():
        if command not in succeeded:
            assert failure_of(command, environment) == ""
            succeeded.add(command)


def failure_of(command: str, folder: Path) -> str:
    """Run a command; why it failed, or an empty text."""
    words = shlex.split(command.replace("<<'END'", ""), comments=True)
    if not words:
        return ""
    if words[0] == "tallow" and not SHELL & set(words) and "<<" not in command:
        return failure_here(words[1:])
    return failure_in_bash(command, allowed_codes(words), folder)


def allowed_codes(words: list[str]) -> set[int]:
    """The exit codes of a command that worked."""
    is_condition = words[0] == "tallow" and words[1] in CONDITIONS and "test" not in words
    return {0, 1} if is_condition or words[0] in SEARCHES else {0}


def failure_here(arguments: list[str]) -> str:
    done = CliRunner().invoke(main, arguments)
    allowed = allowed_codes(["tallow", *arguments])
    has_succeeded = done.exit_code in allowed and "Error:" not in done.output
    return "" if has_succeeded else f"{shlex.join(arguments)}\n{done.output}"


def failure_in_bash(command: str, allowed: set[int], folder: Path) -> str:
    ended = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=ROOT if command.startswith("monitoring/") else folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    has_succeeded = ended.returncode in allowed and "Error:" not in ended.stderr
    return "" if has_succeeded else f"{command}\n{ended.stdout}{ended.stderr}"


def adapted(text: str) -> str:
    for old, new in REPLACED.items():
        text = text.replace(old, new)
    return text


def test_a_block_is_run_or_says_why_not() -> None:
    found = documented()
    not_run = [block for block in found if reason(block)]
    assert len(RUN) + len(not_run) == len(found)
    assert len(RUN) >= FEWEST_RUN
    assert len(not_run) <= MOST_NOT_RUN
    assert all(len(reason(block).split()) >= 4 for block in not_run)


def test_every_document_for_operators_has_commands() -> None:
    assert all(blocks(name) for name in (*DOCUMENTS, *RUNBOOKS))


@pytest.mark.parametrize("name", [*DOCUMENTS, "docs/operations.md"])
def test_no_block_has_another_language_for_a_shell(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert not {"```bash", "```shell", "```console"} & set(text.split())
