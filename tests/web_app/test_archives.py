"""ZIP files of the page, read by two other programs, also beyond 65,535 entries (ZIP64)."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

SOURCES = Path(__file__).parents[2] / "web" / "app"
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
    listed = target.with_suffix(".json")
    listed.write_text(json.dumps(wanted))
    command = [str(runner), "test/headless/archive.ts", str(target), str(listed)]
    subprocess.run(command, cwd=SOURCES, check=True)
    return target


def unzip(*arguments: str | Path) -> str:
    """Run Info-ZIP's program, which must find no fault."""
    program = shutil.which("unzip")
    if program is None:
        pytest.skip("unzip is not here")
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]
    return done.stdout


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
