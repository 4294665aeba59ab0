"""docs/prove-repository.md: its commands print what it shows, and its configurations are valid."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from click.testing import CliRunner

from support.programs.debian import program
from tallow.cli import main

ROOT: Final = Path(__file__).parents[3]
PAGE: Final = (ROOT / "docs" / "prove-repository.md").read_text("utf-8")
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCKS: Final = BLOCK.findall(PAGE)
EXAMPLE: Final = Path(__file__).parent / "repository"
IDENTITY: Final = ["-c", "user.name=Example", "-c", "user.email=example@example.org"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Git repository with the example."""
    folder = tmp_path_factory.mktemp("repository")
    for file in EXAMPLE.rglob("*.*"):
        target = folder / file.relative_to(EXAMPLE)
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(file.read_bytes())
    for command in (["init", "--quiet"], ["add", "."], [*IDENTITY, "commit", "--quiet", "-m", "Add rules"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def shell(text: str, folder: Path, repository: Path) -> subprocess.CompletedProcess[str]:
    """Run commands with this environment's tallow."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "REPOSITORY": f"file://{repository}"}
    return subprocess.run(
        ["bash", "-euc", text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def commands() -> Iterator[tuple[str, str]]:
    """The commands of the page, each with the output that is shown below."""
    for (language, text), (next_language, shown) in zip(BLOCKS, [*BLOCKS[1:], ("", "")], strict=True):
        if language == "sh":
            yield text, shown if next_language == "text" else ""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The folder with the clone, after the first command of the page."""
    folder = tmp_path_factory.mktemp("page")
    (text, shown), *_ = commands()
    assert_prints(text, shown, folder, repository)
    return folder / "their-rules"


def assert_prints(text: str, shown: str, folder: Path, repository: Path) -> None:
    """Run commands, and compare what they print with the lines that are shown, in their order."""
    done = shell(text, folder, repository)
    assert done.returncode == 0, done.stderr
    printed = iter(done.stdout.splitlines())
    assert [line for line in shown.splitlines() if line not in printed] == []


def test_the_commands_print_what_the_page_shows(clone: Path, repository: Path) -> None:
    _, *others = commands()
    static = [(text, shown) for text, shown in others if "--static" in text]
    assert len(static) == 2
    for text, shown in static:
        assert_prints(text, shown, clone, repository)


@pytest.mark.slow
def test_the_alerts_are_seen_firing(clone: Path, repository: Path) -> None:
    program("promtool")  # skips where it cannot be had
    [(text, shown)] = [(text, shown) for text, shown in commands() if "--static" not in text]
    assert_prints(text, shown, clone, repository)
    page = (clone / "report.html").read_text("utf-8")
    assert page.count('class="sparkline"') >= 4


def test_the_hook_is_the_one_that_this_repository_offers() -> None:
    [repo] = configuration("repos")["repos"]
    [used] = repo["hooks"]
    [offered] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert used["id"] == offered["id"]
    own: list[str] = str(offered["entry"]).split()[1:]
    arguments = own + list(used["args"]) + [str(EXAMPLE / "rules" / "web.yml")]
    assert CliRunner(catch_exceptions=False).invoke(main, arguments).exit_code == 1
    assert re.search(offered["files"], "monitoring/rules/web.yml")
    assert re.search(offered["files"], "node-alerts.yaml")
    assert not re.search(offered["files"], "docker-compose.yml")


@pytest.mark.slow
def test_the_steps_of_the_pipeline_run(tmp_path: Path, repository: Path) -> None:
    steps = [step["run"] for step in configuration("jobs")["jobs"]["rules"]["steps"] if "run" in step]
    own = [step for step in steps if step.startswith("tallow ")]
    subprocess.run(["git", "clone", "--quiet", repository, tmp_path / "clone"], check=True)
    results = [shell(step, tmp_path / "clone", repository) for step in own]
    assert [done.returncode for done in results] == [0, 1]
    report = json.loads((tmp_path / "clone" / "rules.sarif").read_text("utf-8"))
    places = {
        result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        for result in report["runs"][0]["results"]
    }
    assert places == {"rules/node.yml", "rules/web.yml"}


def configuration(key: str) -> Any:
    """The YAML block of the page with a key."""
    return next(
        found for language, text in BLOCKS if language == "yaml" and key in (found := yaml.safe_load(text))
    )
