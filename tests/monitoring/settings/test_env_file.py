"""``.env`` files: values, line numbers, and invalid lines."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.monitoring.settings.env_file import EnvFile, quoted, read_env_file
from tallow.monitoring.settings.errors import BadSettingError


def read(folder: Path, content: str | bytes, **environment: str) -> EnvFile:
    path = folder / "settings.env"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_env_file(path, environment)


def values(file: EnvFile) -> dict[str, str]:
    return {name: entry.value for name, entry in file.entries.items()}


def problems(file: EnvFile) -> list[tuple[int, str]]:
    return [(problem.line, problem.word) for problem in file.problems]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("export A=1", {"A": "1"}),
        ("  A = 1  # a comment\n# B=2\n", {"A": "1"}),
        ("A='x # y'\nB=\"x\\ny\"\n", {"A": "x # y", "B": "x\ny"}),
        ("A=a=b\n", {"A": "a=b"}),
        ("A=\n", {"A": ""}),
        ("A=1\nB=${A}2\nC=${D}3\nE=${F:-4}\n", {"A": "1", "B": "12", "C": "d3", "E": "4"}),
        ("A='p${B}w'\n", {"A": "p${B}w"}),
        ("A=pa$$w$x\n", {"A": "pa$$w$x"}),
        ("", {}),
    ],
)
def test_the_values_of_a_file(tmp_path: Path, content: str, expected: dict[str, str]) -> None:
    file = read(tmp_path, content, D="d")
    assert values(file) == expected
    assert file.problems == ()


def test_each_variable_has_its_line_number(tmp_path: Path) -> None:
    file = read(tmp_path, '\n# one\nA=1\n\n\nB="x\ny"\nexport C=3\n')
    assert {name: entry.line for name, entry in file.entries.items()} == {"A": 3, "B": 6, "C": 8}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("A=1\nLOG_LEVEL debug\n", [(2, "LOG_LEVEL")]),
        ("LOG_LEVEL: debug\n", [(1, "LOG_LEVEL")]),
        ("\n\nLOG_LEVEL\n", [(3, "LOG_LEVEL")]),
        ("export A\n", [(1, "A")]),
        ('A="open\n', [(1, "A")]),
        ("{\n", [(1, "")]),
        ("A=${NOWHERE}\n", [(1, "A")]),
    ],
)
def test_an_invalid_line_is_reported_with_its_number(
    tmp_path: Path, content: str, expected: list[tuple[int, str]]
) -> None:
    assert problems(read(tmp_path, content)) == expected


def test_an_error_names_the_variable_only_if_it_is_a_setting(tmp_path: Path) -> None:
    file = read(tmp_path, "LOG_LEVEL debug\n")
    with pytest.raises(BadSettingError) as caught:
        file.refuse_problems(["LOG_LEVEL"])
    assert str(caught.value) == f"{file.path}, line 1, LOG_LEVEL: it does not have the form NAME=value"
    secret = read(tmp_path, "hunter2 hunter3\n")
    with pytest.raises(BadSettingError) as caught:
        secret.refuse_problems(["LOG_LEVEL"])
    assert "hunter" not in str(caught.value)


def test_an_unset_reference_is_an_error_only_in_a_setting(tmp_path: Path) -> None:
    file = read(tmp_path, "OF_ANOTHER_PROGRAM=${NOWHERE}\nLOG_LEVEL=${NOWHERE}\n")
    file.refuse_problems([])
    with pytest.raises(
        BadSettingError, match=r"line 2, LOG_LEVEL: it refers to a \$\{NAME\} that is not set$"
    ):
        file.refuse_problems(["LOG_LEVEL"])


def test_the_last_of_two_lines_counts_and_the_repetition_is_reported(tmp_path: Path) -> None:
    file = read(tmp_path, "A=1\nB=1\nA=2\nB=1\n")
    assert values(file) == {"A": "2", "B": "1"}
    assert file.repeated == ("A",)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"A=\xff\xfe\n", "it is not UTF-8"),
        ("A=1\n".encode("utf-16"), "it is not a text file"),
        (b"\x7fELF\x00\x00", "it is not a text file"),
        (b"A=1\n" * 300_000, "it is larger than 1024 KiB"),
    ],
)
def test_a_file_that_is_not_text_is_rejected(tmp_path: Path, content: bytes, reason: str) -> None:
    with pytest.raises(BadSettingError) as caught:
        read(tmp_path, content)
    assert str(caught.value) == f"{tmp_path / 'settings.env'} cannot be read: {reason}"


def test_a_file_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "nothing", {}).entries == {}


def test_a_file_that_is_not_regular_is_rejected_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name, reason in {
        ".": "it is a folder",
        "fifo": "it is not a regular file",
        "link": "it is a broken symbolic link",
        "loop": "Too many levels of symbolic links",
        "\0": "it is not a path",
    }.items():
        with pytest.raises(BadSettingError, match=f"cannot be read: {reason}$"):
            read_env_file(tmp_path / name, {})


def test_a_file_without_read_permission_is_rejected() -> None:
    code = (
        "import os, pathlib, sys\n"
        "from tallow.monitoring.settings.env_file import read_env_file\n"
        "os.getuid() or os.setuid(65534)\n"  # permissions do not apply to root
        "read_env_file(pathlib.Path(sys.argv[1]), {})\n"
    )
    with tempfile.TemporaryDirectory() as folder:  # pytest's folder is closed to other users
        path = Path(folder, ".env")
        path.write_text("A=1\n")
        path.chmod(0)
        path.parent.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], check=False, capture_output=True, text=True
        )
    assert done.stderr.splitlines()[-1].endswith(f"{path} cannot be read: Permission denied")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_a_quoted_value_is_read_back_unchanged(tmp_path_factory: pytest.TempPathFactory, value: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    assert values(read(folder, f"A={quoted(value)}\nB=1\n")) == {"A": value, "B": "1"}
