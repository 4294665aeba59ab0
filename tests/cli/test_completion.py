"""Completion works in real shells."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.programs.debian import environment, program
from tallow.cli import COMMANDS, main

pytestmark = pytest.mark.slow

TALLOW = Path(sys.executable).with_name("tallow")
BASH = r"""
source <(tallow completion bash)
COMP_WORDS=(%s) COMP_CWORD=%d
$(complete -p tallow | sed 's/.*-F \([^ ]*\).*/\1/') tallow
printf '%%s\n' "${COMPREPLY[@]}"
"""
# compadd and _describe work inside the line editor alone; what they are given is what the user sees.
ZSH = """
autoload -Uz compinit && compinit -D -u
_describe() { local -a shown; shown=("${(@P)argv[3]}"); print -l -- "${shown[@]%%%%:*}" }
compadd() { print -l -- "${(@P)argv[-1]}" }
source <(tallow completion zsh)
words=(%s) CURRENT=%d
${_comps[tallow]}
"""


def run(command: list[str], **variables: str) -> list[str]:
    """The lines that a shell prints, with `tallow` on its PATH."""
    environment = {**os.environ, "PATH": f"{TALLOW.parent}:/usr/bin:/bin", **variables}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=110, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return [line for line in done.stdout.splitlines() if line]


def libraries(shell: Path) -> dict[str, str]:
    """The environment variables of an unpacked shell; empty for an installed one."""
    return {name: value for name, value in environment(shell).items() if name == "LD_LIBRARY_PATH"}


def in_bash(line: str) -> list[str]:
    words = line.split(" ")
    return run(["bash", "--norc", "-c", BASH % (line if words[-1] else f"{line}''", len(words) - 1)])


def in_zsh(line: str) -> list[str]:
    shell = program("zsh")
    root = shell.parents[1]
    own = "" if root in {Path("/"), Path("/usr")} else _unpacked_zsh(root)
    words = line.split(" ")
    quoted = " ".join(word or "''" for word in words)
    return run([str(shell), "-fc", own + ZSH % (quoted, len(words))], **libraries(shell))


def _unpacked_zsh(root: Path) -> str:
    """The folders of modules and functions of a zsh that is not installed."""
    functions = [
        folder for folder in root.glob("**/share/zsh/functions/**/") if "/share/doc/" not in str(folder)
    ]
    modules = [module.parents[1] for module in root.glob("**/zsh/complete.so")]
    return f"module_path=({_listed(modules)} $module_path); fpath=({_listed(functions)} $fpath)\n"


def _listed(folders: list[Path]) -> str:
    return " ".join(f"'{folder}'" for folder in folders)


def in_fish(line: str, folder: Path) -> list[str]:
    shell = program("fish")
    asked = f"tallow completion fish | source; complete -C '{line}'"
    found = run([str(shell), "--no-config", "-c", asked], HOME=str(folder), **libraries(shell))
    return [text.partition("\t")[0] for text in found]


CASES = [
    ("tallow sen", ["send"]),
    ("tallow sil", ["silence"]),
    ("tallow completion ", ["bash", "zsh", "fish"]),
    ("tallow send --insec", ["--insecure"]),
    ("tallow open al", []),
    ("tallow open das", ["dashboards"]),
]


@pytest.mark.parametrize(("line", "expected"), CASES)
def test_bash_completes(line: str, expected: list[str]) -> None:
    assert in_bash(line) == expected


def test_bash_completes_every_command() -> None:
    assert in_bash("tallow ") == list(COMMANDS)


@pytest.mark.integration
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_zsh_completes(line: str, expected: list[str]) -> None:
    assert in_zsh(line) == expected


@pytest.mark.integration
@pytest.mark.parametrize(("line", "expected"), CASES)
def test_fish_completes(line: str, expected: list[str], tmp_path: Path) -> None:
    assert sorted(in_fish(line, tmp_path)) == sorted(expected)


def test_commands_are_completed_without_importing_them() -> None:
    asked = "import sys; from tallow.cli import main; main()"
    loaded = "import atexit, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr)); " + asked
    done = subprocess.run(
        [sys.executable, "-c", loaded],
        env={**os.environ, "_TALLOW_COMPLETE": "bash_complete", "COMP_WORDS": "tallow s", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    modules = done.stderr.split()
    assert "tallow.cli" in modules
    assert not [name for name in modules if name.startswith(("tallow.app", "tallow.stack"))]


def test_the_users_shell_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert "complete --no-files --command tallow" in CliRunner().invoke(main, ["completion"]).output
    for unknown in ("/bin/tcsh", ""):
        monkeypatch.setenv("SHELL", unknown)
        done = CliRunner().invoke(main, ["completion"])
        assert (done.exit_code, "accepted: bash, zsh, fish" in done.output) == (2, True)
