"""Programs of Debian packages run where they were unpacked, and are updated from apt."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.programs.apt_repository import Repository
from tallow.stack.engines.programs import apt, debian, programs
from tallow.stack.engines.programs.package_folders import UNPACKED
from tallow.stack.engines.programs.programs import ProgramSpec, ensure, tools_folder

pytestmark = pytest.mark.skipif(not debian.available(), reason="no apt on this machine")

TOOL = "demo-tool"


@pytest.mark.integration
def test_an_unpacked_program_runs_and_finds_its_templates() -> None:
    root = debian.unpack("prometheus-alertmanager", tools_folder())
    assets = debian.assets("prometheus-alertmanager", root)
    assert assets
    assert (assets / "default.tmpl").exists()
    program = root / "usr/bin/prometheus-alertmanager"
    assert b"/usr/share/prometheus/alertmanager" not in program.read_bytes()
    output = subprocess.run([program, "--version"], check=True, capture_output=True, text=True)
    assert "alertmanager, version" in output.stdout + output.stderr


def test_an_unknown_package_is_a_one_line_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(debian.PackageError, match="cannot be unpacked into"):
        debian.unpack("no-such-package", blocked)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    folder = tmp_path / "repository"
    folder.mkdir()
    made = Repository(folder)
    made.add(TOOL, "1.9-1")
    made.use(monkeypatch)
    return made


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    return tmp_path / "tools"


def output_of(root: Path) -> str:
    script = root / "usr/bin" / TOOL
    return subprocess.run([script, "--version"], check=True, capture_output=True, text=True).stdout.strip()


def a_day_passes(tools: Path) -> None:
    for stamp in (tools / "updated", tools / f"{TOOL}.checked"):
        os.utime(stamp, (0, 0))


def test_a_newer_package_is_unpacked_the_next_day(repository: Repository, tools: Path) -> None:
    root = debian.unpack(TOOL, tools)
    assert output_of(root).endswith("1.9-1")
    repository.add(TOOL, "1.10-1")
    assert debian.renew(TOOL, tools) is None, "it was asked today"
    a_day_passes(tools)
    assert debian.renew(TOOL, tools) == "1.10-1"
    assert output_of(root).endswith("1.10-1")
    assert [path.name for path in tools.glob(f"{TOOL}_*")] == [f"{TOOL}_1.10-1"], "the old version is removed"


@pytest.mark.parametrize("offered", ["1.9-1", "1.8-1"])
def test_a_package_that_is_not_newer_is_not_unpacked(
    repository: Repository, tools: Path, offered: str
) -> None:
    root = debian.unpack(TOOL, tools)
    before = (root / "usr/bin" / TOOL).stat().st_ino
    if offered != "1.9-1":
        repository.add(TOOL, offered)
    a_day_passes(tools)
    assert debian.renew(TOOL, tools) is None
    assert (root / "usr/bin" / TOOL).stat().st_ino == before


@pytest.mark.slow
def test_the_folder_of_a_running_program_is_kept(repository: Repository, tools: Path) -> None:
    root = debian.unpack(TOOL, tools)
    running = subprocess.Popen([root / "usr/bin" / TOOL], stdin=subprocess.PIPE, cwd=root)
    try:
        repository.add(TOOL, "2.0-1")
        a_day_passes(tools)
        assert debian.renew(TOOL, tools) == "2.0-1"
        assert {path.name for path in tools.glob(f"{TOOL}_*")} == {f"{TOOL}_1.9-1", f"{TOOL}_2.0-1"}
    finally:
        running.communicate(b"\n", timeout=30)
    repository.add(TOOL, "2.1-1")
    a_day_passes(tools)
    assert debian.renew(TOOL, tools) == "2.1-1"
    assert [path.name for path in tools.glob(f"{TOOL}_*")] == [f"{TOOL}_2.1-1"]


@pytest.mark.usefixtures("repository")
def test_a_package_without_version_is_unpacked_again(tools: Path) -> None:
    """Earlier releases made a folder without a version instead of a link."""
    (tools / TOOL / "usr/bin").mkdir(parents=True)
    old = tools / TOOL / "usr/bin" / TOOL
    old.write_text("#!/bin/sh\necho old\n")
    assert debian.unpack(TOOL, tools) == tools / TOOL, "it is good until it is renewed"
    assert debian.renew(TOOL, tools) == "1.9-1"
    assert output_of(tools / TOOL).endswith("1.9-1")
    assert [path.name for path in tools.glob(f"{TOOL}_*")] == [f"{TOOL}_1.9-1"]


def test_other_folders_are_kept(repository: Repository, tools: Path) -> None:
    debian.unpack(TOOL, tools)
    (tools / f"{TOOL}_notes").mkdir()
    (tools / f"{TOOL}_notes" / "mine").write_text("mine")
    repository.add(TOOL, "2.0-1")
    a_day_passes(tools)
    assert debian.renew(TOOL, tools) == "2.0-1"
    assert (tools / f"{TOOL}_notes" / "mine").exists()
    assert not (tools / f"{TOOL}_notes" / UNPACKED).exists()


def test_without_the_mirror_the_old_package_is_used_with_one_note_a_day(
    repository: Repository, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TALLOW_TOOLS", str(tools))
    monkeypatch.setitem(programs.PROGRAMS, "tool", ProgramSpec((TOOL,), TOOL))
    tools_folder.cache_clear()
    output: list[str] = []
    path = ensure(["tool"], output.append)["tool"].path
    assert path == tools / TOOL / "usr/bin" / TOOL
    repository.add(TOOL, "2.0-1")
    repository.remove_archives()
    a_day_passes(tools)
    output.clear()
    assert ensure(["tool"], output.append)["tool"].path == path
    assert output[0] == f"looking for a newer {TOOL}"
    assert output[1].startswith(f"the Debian package {TOOL} cannot be fetched: ")
    assert output[1].endswith("; the one that was unpacked before is used")
    output.clear()
    assert ensure(["tool"], output.append)["tool"].path == path
    assert output == []
    tools_folder.cache_clear()


def test_apt_gets_proxies_in_its_own_format(monkeypatch: pytest.MonkeyPatch) -> None:
    """apt rejects ``socks://`` and addresses without a scheme."""
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1080/")
    monkeypatch.setenv("HTTP_PROXY", "proxy.example:3128")
    given = dict(line.partition("=")[::2] for line in apt.run(["env"]).splitlines())
    assert given["http_proxy"] == "http://proxy.example:3128"
    assert not {"all_proxy", "ALL_PROXY", "HTTP_PROXY", "https_proxy"} & given.keys()
