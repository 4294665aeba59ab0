"""ZIP files of the page, read by two other programs: also beyond 4 GiB and 65,535 entries (ZIP64)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "web" / "app"
GIB_4 = 1 << 32
ENTRIES_16 = 65_535
"""The largest number of entries without ZIP64."""

pytestmark = [pytest.mark.integration, pytest.mark.proof, pytest.mark.timeout(900)]


def make_archive(target: Path, entries: dict[str, Path | None]) -> Path:
    """An archive that the page's code writes under Node; an entry without a file is a folder."""
    runner = SOURCES / "node_modules" / ".bin" / "vite-node"
    if not runner.exists():
        pytest.skip("Node's packages are not here; scripts/web-app brings them")
    wanted = [
        {"path": name} | ({"file": str(file)} if file is not None else {}) for name, file in entries.items()
    ]
    command = [str(runner), "test/headless/archive.ts", str(target)]
    subprocess.run(command, cwd=SOURCES, input=json.dumps(wanted), text=True, check=True)
    return target


def unzip(*arguments: str | Path) -> str:
    """Run Info-ZIP's program, which must find no fault."""
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("unzip is not here")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout


def sparse_file(path: Path, size: int) -> Path:
    """A file of zeros with a byte at its end."""
    with path.open("wb") as out:
        out.seek(size - 1)
        out.write(b"x")
    return path


@pytest.mark.parametrize("size", [GIB_4 - 2, GIB_4 - 1, GIB_4, GIB_4 + 5_000_001], ids="{:,} bytes".format)
def test_a_large_file_and_what_follows_it_can_be_read(tmp_path: Path, size: int) -> None:
    large, small = sparse_file(tmp_path / "large", size), tmp_path / "small"
    small.write_bytes(os.urandom(1000))
    contents = {"before.bin": small, "Ordner/groß.bin": large, "behind.bin": small, "leer/": None}
    archive = make_archive(tmp_path / "archive.zip", contents)
    assert archive.stat().st_size > size
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == list(contents)
        assert opened.getinfo("Ordner/groß.bin").file_size == size
        assert opened.read("behind.bin") == small.read_bytes()
    assert "No errors detected" in unzip("-tq", archive)


@pytest.mark.parametrize("count", [ENTRIES_16 - 1, ENTRIES_16, ENTRIES_16 + 1, 70_000])
def test_an_archive_of_many_entries_can_be_read(tmp_path: Path, count: int) -> None:
    small = tmp_path / "small"
    small.write_bytes(b"content")
    folders: dict[str, Path | None] = {f"many/{number}/": None for number in range(count - 1)}
    archive = make_archive(tmp_path / "archive.zip", {**folders, "last.txt": small})
    with zipfile.ZipFile(archive) as opened:
        assert len(opened.infolist()) == count
        assert opened.read("last.txt") == b"content"
    assert unzip("-Z", "-1", archive).count("\n") == count
    assert "No errors detected" in unzip("-tq", archive, "last.txt")
