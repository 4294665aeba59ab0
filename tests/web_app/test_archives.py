"""ZIP files of the page, read by two other programs, also beyond 65,535 entries (ZIP64)."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Browser

SOURCES = Path(__file__).parents[2] / "web" / "app"
ENTRIES_16 = 65_535
"""The largest number of entries without ZIP64."""
BLOCK_BYTES = 1 << 20
BLOCKS = (1 << 12) + 1
"""The blocks of a file above 4 GiB. They are zeros, as are the holes of a file on disk; nobody reads them."""
ENDS = 4096
"""Bytes at each end of an archive with all its headers and its small file."""
LARGE_ARCHIVE = """async ([blocks, blockBytes, checksum, ends]) => {
  const block = new Blob([new Uint8Array(blockBytes)]);
  const contents = [new Blob(Array(blocks).fill(block)), new Blob(['content'])];
  const archive = tallowZip.makeZip(contents.map((content, at) => (
    {path: ['large.bin', 'last.txt'][at], content, crc32: at * checksum, modified: Date.UTC(2026, 10, 29, 12)}
  )));
  const bytes = async (part) => [...new Uint8Array(await part.arrayBuffer())];
  return [archive.size, await bytes(archive.slice(0, ends)), await bytes(archive.slice(-ends))];
}"""

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


def test_an_archive_above_4_gib_that_chromium_makes_can_be_read(tmp_path: Path, browser: Browser) -> None:
    """Node 20 cannot make it: its Blob has no more than 4 GiB."""
    bundler = SOURCES / "node_modules" / ".bin" / "esbuild"
    if not bundler.exists():
        pytest.skip("Node's packages are not here; scripts/web-app brings them")
    command = [str(bundler), "src/sinks/zip.ts", "--bundle", "--format=iife", "--global-name=tallowZip"]
    script = subprocess.run(command, cwd=SOURCES, capture_output=True, text=True, check=True).stdout
    with browser.new_page() as page:
        page.add_script_tag(content=script)
        size, head, tail = page.evaluate(LARGE_ARCHIVE, [BLOCKS, BLOCK_BYTES, zlib.crc32(b"content"), ENDS])
    archive = tmp_path / "archive.zip"
    with archive.open("wb") as out:
        out.write(bytes(head))
        out.seek(size - ENDS)
        out.write(bytes(tail))
    with zipfile.ZipFile(archive) as opened:
        large, last = opened.infolist()
        assert (large.file_size, last.file_size) == (BLOCKS * BLOCK_BYTES, len(b"content"))
        assert last.header_offset > 1 << 32
        assert opened.read("last.txt") == b"content"
    assert unzip("-Z", "-1", archive).split() == ["large.bin", "last.txt"]
    assert "No errors detected" in unzip("-tq", archive, "last.txt")
