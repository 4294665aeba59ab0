"""A program of a Debian package that lies elsewhere is copied, and the copy finds its files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallow.stack.engines.programs import debian, programs
from tallow.stack.engines.programs.apt import Apt, run
from tallow.stack.engines.programs.programs import MissingProgramError, Program, ensure, tools_folder

PACKAGE = "prometheus-alertmanager"
LISTENS = 'msg="Listening on"'
COMPILED = Path("/usr/share/prometheus/alertmanager")

pytestmark = pytest.mark.skipif(COMPILED.is_dir(), reason="Debian's package is installed on this machine")


@pytest.fixture(autouse=True)
def _own_tools_folder() -> Iterator[None]:
    """Later tests must not use the folder that a test here has chosen."""
    tools_folder.cache_clear()
    yield
    tools_folder.cache_clear()


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a package that was unpacked by hand; only its programs are on the PATH."""
    root = tmp_path / "by-hand"
    (root / "usr/bin").mkdir(parents=True)
    monkeypatch.setattr(programs, "_SYSTEM", ())
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("PATH", f"{root / 'usr/bin'}:/usr/bin:/bin")
    monkeypatch.delenv("TALLOW_PROGRAMS", raising=False)
    tools_folder.cache_clear()
    return root


def put_program(root: Path, text: str = "") -> Path:
    """A program that prints the template of the folder that Debian compiles into Alertmanager."""
    path = root / "usr/bin" / PACKAGE
    path.write_text(f"#!/bin/sh\n# {text}\nexec cat {COMPILED}/default.tmpl\n")
    path.chmod(0o755)
    return path


def put_files(root: Path) -> None:
    folder = root / COMPILED.relative_to("/")
    folder.mkdir(parents=True)
    (folder / "default.tmpl").write_text("the template")


def output_of(program: Program) -> str:
    done = subprocess.run([program.path], cwd=program.folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_the_files_beside_the_program_are_used(package: Path, tmp_path: Path) -> None:
    original = put_program(package)
    put_files(package)
    before = original.read_bytes()
    lines: list[str] = []
    found = ensure(["alertmanager"], lines.append)["alertmanager"]
    assert found.path.is_relative_to(tmp_path / "tools")
    assert output_of(found) == "the template"
    assert original.read_bytes() == before
    assert lines == [f"copying {original}, whose files are missing at {COMPILED}"]


def test_a_program_is_copied_again_when_it_has_changed(package: Path, tmp_path: Path) -> None:
    put_program(package, "first")
    put_files(package)
    copies = [ensure(["alertmanager"])["alertmanager"].path.resolve() for _ in range(2)]
    put_program(package, "second")
    copies.append(ensure(["alertmanager"])["alertmanager"].path.resolve())
    assert copies[0] == copies[1] != copies[2]
    assert "second" in copies[2].read_text()
    assert [found.name for found in (tmp_path / "tools").glob(f"{PACKAGE}.relocated_*")] == [
        copies[2].parents[2].name
    ]


def test_files_come_from_debian_s_package_otherwise(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_program(package)
    put_files(tmp_path / "unpacked")
    monkeypatch.setattr(debian, "unpack", lambda _package, _tools: tmp_path / "unpacked")  # no download
    assert output_of(ensure(["alertmanager"])["alertmanager"]) == "the template"


def test_a_program_without_files_is_a_one_line_error(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put_program(package)

    def unavailable(_package: str, _tools: Path) -> Path:
        raise debian.PackageError("the Debian package prometheus-alertmanager cannot be fetched: no network")

    monkeypatch.setattr(debian, "unpack", unavailable)  # a machine without a network
    with pytest.raises(MissingProgramError) as raised:
        ensure(["alertmanager"])
    assert str(raised.value) == (
        f"{path} is Debian's build of alertmanager, and its files at {COMPILED} are missing; install "
        "prometheus-alertmanager, or name another program in TALLOW_PROGRAMS "
        "(the Debian package prometheus-alertmanager cannot be fetched: no network)"
    )


def test_a_program_of_its_project_is_used_as_it_is(package: Path) -> None:
    path = package / "usr/bin/alertmanager"
    path.write_text("#!/bin/sh\necho embedded\n")
    path.chmod(0o755)
    found = ensure(["alertmanager"])["alertmanager"]
    assert (found.path, found.folder) == (path, None)


@pytest.mark.integration
@pytest.mark.skipif(not debian.available(), reason="no apt on this machine")
def test_debian_s_alertmanager_copied_to_the_path_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tools_folder()
    unpacked = debian.unpack(PACKAGE, shared)
    archives = tmp_path / "archives"
    archives.mkdir()
    [archive] = Apt(shared).download([PACKAGE], archives)
    run(["dpkg", "-x", str(archive), str(tmp_path / "original")])
    folder = tmp_path / "bin"
    folder.mkdir()
    copied = folder / "alertmanager"
    shutil.copy(tmp_path / "original/usr/bin" / PACKAGE, copied)
    monkeypatch.setattr(programs, "_SYSTEM", ())
    monkeypatch.setenv("TALLOW_TOOLS", str(tmp_path / "tools"))
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    monkeypatch.setattr(debian, "unpack", lambda _package, _tools: unpacked)  # fetched already
    tools_folder.cache_clear()
    assert "default.tmpl: no such file" in start(Program(copied), tmp_path)
    found = ensure(["alertmanager"])["alertmanager"]
    assert LISTENS in start(found, tmp_path)


def start(program: Program, folder: Path) -> str:
    """Start an Alertmanager; its output until it listens or ends."""
    config = folder / "alertmanager.yml"
    config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
    process = subprocess.Popen(
        [
            *(program.path, f"--config.file={config}", f"--storage.path={folder / 'data'}"),
            *("--web.listen-address=127.0.0.1:0", "--cluster.listen-address="),
        ],
        cwd=program.folder,
        stderr=subprocess.PIPE,
        text=True,
    )
    output = ""
    try:
        assert process.stderr
        for line in process.stderr:
            output += line
            if LISTENS in line:
                break
    finally:
        process.kill()
        process.communicate()
    return output
