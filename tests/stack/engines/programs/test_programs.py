"""Of several programs the configured one is used, otherwise the newest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tallow.stack.engines.programs import debian, programs
from tallow.stack.engines.programs.programs import PROGRAMS, MissingProgramError, ProgramSpec, ensure, find
from tallow.stack.engines.programs.versions import parse

MANAGER = PROGRAMS["alertmanager"]


def put(folder: Path, name: str, version: str | None = None) -> Path:
    """Write a program that prints a version, or nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(
        "#!/bin/sh\n" + (f'echo "{name}, version {version} (branch: HEAD)" >&2\n' if version else "")
    )
    path.chmod(0o755)
    return path


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without programs in the usual folders; the PATH has the folders ``a`` and ``b``."""
    monkeypatch.setenv("PATH", f"{tmp_path / 'a'}:{tmp_path / 'b'}")
    monkeypatch.setattr(programs, "_SYSTEM", ())
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path / "tools"))
    monkeypatch.delenv("TALLOW_PROGRAMS", raising=False)
    return tmp_path


def path_of(wanted: ProgramSpec) -> Path:
    found = find(wanted)
    assert found is not None
    return found.path


def test_the_newest_program_on_the_path_is_used(machine: Path) -> None:
    put(machine / "a", "prometheus-alertmanager", "0.25.0+ds")
    newer = put(machine / "b", "alertmanager", "0.35.1")
    assert path_of(MANAGER) == newer


def test_versions_are_compared_as_numbers(machine: Path) -> None:
    newer = put(machine / "a", "alertmanager", "0.100.0")
    put(machine / "b", "alertmanager", "0.35.1")
    assert path_of(MANAGER) == newer


def test_of_equal_versions_the_first_on_the_path_is_used(machine: Path) -> None:
    first = put(machine / "a", "alertmanager", "0.35.1")
    put(machine / "b", "prometheus-alertmanager", "0.35.1")
    assert path_of(MANAGER) == first


@pytest.mark.parametrize(("on_the_path", "is_taken"), [("0.24.0", False), ("0.35.1", True), (None, True)])
def test_the_newer_of_path_and_unpacked_package_is_used(
    machine: Path, on_the_path: str | None, is_taken: bool
) -> None:
    """A program without a version is preferred to a package: somebody installed it on purpose."""
    ours = put(machine / "a", "alertmanager", on_the_path)
    package = machine / "tools" / "prometheus-alertmanager"
    theirs = put(package / "usr/bin", "prometheus-alertmanager", "0.25.0+ds")
    assert path_of(MANAGER) == (ours if is_taken else theirs)


def test_a_program_that_hangs_or_fails_has_no_version(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tallow.stack.engines.programs.versions.TIMEOUT_S", 0.2)
    first = put(machine / "a", "alertmanager", "0.25.0")
    hangs = put(machine / "b", "alertmanager")
    hangs.write_text("#!/bin/sh\nexec sleep 600\n")
    fails = put(machine / "b", "prometheus-alertmanager")
    fails.write_text("#!/bin/sh\necho version 9.9.9\nexit 1\n")
    assert path_of(MANAGER) == first


def test_files_that_are_not_executable_are_ignored(machine: Path) -> None:
    (put(machine / "a", "alertmanager", "0.99.0")).chmod(0o644)
    good = put(machine / "b", "alertmanager", "0.25.0")
    assert path_of(MANAGER) == good


@pytest.mark.parametrize("entry", ["old", "old/alertmanager", "elsewhere:old"])
def test_configured_programs_are_preferred_regardless_of_version(
    machine: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    put(machine / "a", "alertmanager", "0.35.1")
    put(machine / "elsewhere", "unrelated")
    chosen = put(machine / "old", "alertmanager", "0.25.0")
    entries = os.pathsep.join(str(machine / part) for part in entry.split(":"))
    monkeypatch.setenv("TALLOW_PROGRAMS", entries)
    assert path_of(MANAGER) == chosen


def test_programs_that_are_not_configured_are_found_on_the_path(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = put(machine / "a", "prometheus", "2.42.0")
    monkeypatch.setenv("TALLOW_PROGRAMS", str(put(machine / "old", "alertmanager", "0.25.0")))
    assert path_of(PROGRAMS["prometheus"]) == usual


@pytest.mark.parametrize("entry", ["not-there", "text"])
def test_a_configured_program_that_does_not_exist_is_a_one_line_error(
    machine: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    (machine / "text").write_text("no program")
    monkeypatch.setenv("TALLOW_PROGRAMS", str(machine / entry))
    with pytest.raises(MissingProgramError, match=r"^TALLOW_PROGRAMS: .* is neither a folder nor a program"):
        ensure(["alertmanager"])


def test_apt_is_not_asked_about_an_unused_package(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """apt is asked only about packages that are in use."""
    monkeypatch.setattr(debian, "renew", lambda *_: pytest.fail("apt was asked"))
    put(machine / "a", "alertmanager", "0.35.1")
    put(machine / "tools/prometheus-alertmanager/usr/bin", "prometheus-alertmanager", "0.25.0")
    ensure(["alertmanager"])


def test_a_program_on_the_path_is_preferred_to_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "prometheus"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find(PROGRAMS["prometheus"])
    assert found is not None
    assert found.path == own
    assert found.folder is None


def test_without_apt_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"^node_exporter is not on the PATH .*brew install"):
        ensure(["node_exporter"])


def test_a_program_that_does_not_exist_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path))
    assert find(ProgramSpec(("no-such-program",), "no-such-package")) is None


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("prometheus, version 2.42.0+ds (branch: debian/sid)", (2, 42, 0)),
        ("alertmanager, version 0.35.1 (branch: HEAD, revision: 1a2b3c)\n  go version: go1.25.1", (0, 35, 1)),
        ("Redis server v=7.0.15 sha=00000000:0", (7, 0, 15)),
        ("postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)", (15, 14)),
        ("", None),
        ("version unknown", None),
    ],
)
def test_versions_are_read_from_what_programs_print(text: str, version: tuple[int, ...] | None) -> None:
    assert parse(text) == version
