"""The Windows scripts do the steps of the shell scripts beside them. cmd.exe is not available here."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAIRS = ["monitoring/start-monitoring", "monitoring/stop-monitoring"]
BATCH_FILES = [*(f"{name}.bat" for name in PAIRS), "scripts/env.bat"]
SEPARATOR = {".sh": "/", ".bat": "\\"}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="ascii").replace("\r\n", "\n")


def steps(name: str) -> list[str]:
    return re.findall(r"^(?:#|rem) (Step \d+: .*)$", text(name), re.MULTILINE)


def messages(name: str) -> list[str]:
    return [found.strip('" ') for found in re.findall(r"^\s*echo (.*)$", text(name), re.MULTILINE)]


def subcommands(name: str) -> list[str]:
    """The `tallow` commands that a script ends with."""
    return re.findall(r"(?:tallow\"|-m tallow) (\w+)", text(name))


@pytest.mark.parametrize("name", PAIRS)
def test_steps_messages_and_commands_are_the_same(name: str) -> None:
    shell, batch = f"{name}.sh", f"{name}.bat"
    assert steps(shell) == steps(batch) != []
    assert messages(shell) == messages(batch)
    assert subcommands(shell) == subcommands(batch) != []


@pytest.mark.parametrize("name", PAIRS)
def test_all_arguments_are_passed_on(name: str) -> None:
    assert text(f"{name}.sh").rstrip().endswith('"$@"')
    assert text(f"{name}.bat").rstrip().splitlines()[-2].endswith("%*")


def test_windows_uses_the_docker_engine() -> None:
    assert "tallow up --engine docker %*" in text("monitoring/start-monitoring.bat")


def test_the_environment_is_made_from_the_same_requirements_with_hashes() -> None:
    assert "--require-hashes -r requirements\\run.txt" in text("scripts/env.bat")
    assert '--require-hashes "requirements/$wanted.txt"' in text("scripts/env")
    wanted = "Python 3.11 or later is needed and none was found on the PATH"
    assert wanted in text("scripts/env")
    assert wanted in text("scripts/env.bat")
    assert (ROOT / "requirements" / "run.txt").exists()


@pytest.mark.parametrize("name", BATCH_FILES)
def test_a_failed_step_ends_the_script(name: str) -> None:
    """Every program is followed by ``|| exit /b``, or its status is that of the script."""
    lines = text(name).splitlines()
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if re.match(r'\s*(call "|cd |copy |"?[\w%.\\]*python\.exe|%python%)', line):
            assert line.endswith("|| exit /b 1") or following == "exit /b %errorlevel%", line


@pytest.mark.parametrize("name", BATCH_FILES)
def test_labels_and_blocks_are_complete(name: str) -> None:
    content = text(name)
    assert set(re.findall(r"call :(\w+)", content)) == set(re.findall(r"^:(\w+)", content, re.MULTILINE))
    code = "\n".join(line for line in content.splitlines() if not line.startswith("rem "))
    unescaped = re.sub(r"\^[()]|\"[^\"]*\"", "", code)
    assert unescaped.count("(") == unescaped.count(")")


def test_windows_files_are_checked_out_with_crlf() -> None:
    assert "*.bat text eol=crlf" in text(".gitattributes")
