"""Debian's programs work from where they were unpacked."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tallow.stack.engines import debian
from tallow.stack.engines.binaries import WANTED, MissingProgramError, Wanted, ensure, find, tools_folder


@pytest.mark.integration
def test_an_unpacked_program_runs_and_its_template_folder_is_there() -> None:
    if not debian.available():
        pytest.skip("no apt on this machine")
    root = debian.unpack("prometheus-alertmanager", tools_folder())
    assets = debian.assets("prometheus-alertmanager", root)
    assert assets
    assert (assets / "default.tmpl").exists()
    program = root / "usr/bin/prometheus-alertmanager"
    assert b"/usr/share/prometheus/alertmanager" not in program.read_bytes()
    said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert "alertmanager, version" in said.stdout + said.stderr


def test_an_unknown_package_is_one_clear_line(tmp_path: Path) -> None:
    if not debian.available():
        pytest.skip("no apt on this machine")
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(debian.PackageError, match="cannot be unpacked into"):
        debian.unpack("no-such-package", blocked)


def test_a_program_on_the_path_is_taken_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "prometheus"
    own.write_text("#!/bin/sh\n")
    own.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find(WANTED["prometheus"])
    assert found is not None
    assert found.path == own
    assert found.folder is None


def test_without_apt_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"^node_exporter is not on the PATH .*brew install"):
        ensure(["node_exporter"])


def test_a_program_that_is_nowhere_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path))
    assert find(Wanted(("no-such-program",), "no-such-package")) is None
