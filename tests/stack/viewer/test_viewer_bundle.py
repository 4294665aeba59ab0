"""The committed bundle: built from the committed sources, small and without external requests."""

from __future__ import annotations

import gzip
import re
import subprocess
from pathlib import Path

import pytest

from tallow.stack.viewer.assets import STATIC
from tallow.stack.viewer.bundle_hash import RECORD_FILE, built_digest, bundle_record

SOURCES = Path(__file__).parents[3] / "web" / "viewer"


def test_bundle_matches_the_committed_sources() -> None:
    assert (STATIC / RECORD_FILE).read_text() == bundle_record(SOURCES, STATIC), "run scripts/viewer"


@pytest.mark.proof
@pytest.mark.timeout(600)
def test_build_is_reproducible(tmp_path: Path) -> None:
    vite = SOURCES / "node_modules" / ".bin" / "vite"
    if not vite.exists():
        pytest.skip("Node's packages are not here; scripts/viewer brings them")
    built = tmp_path / "static"
    subprocess.run([vite, "build", "--outDir", built], cwd=SOURCES, check=True, capture_output=True)
    assert built_digest(built) == built_digest(STATIC)


def test_main_script_is_under_a_megabyte_compressed() -> None:
    scripts = [path.read_bytes() for path in (STATIC / "assets").glob("*.js")]
    assert 0 < max(len(gzip.compress(script)) for script in scripts) < 1_000_000


def test_page_refers_only_to_existing_bundle_files() -> None:
    page = (STATIC / "index.html").read_text()
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert named
    for name in named:
        assert (STATIC / name.removeprefix("/")).is_file(), name


def test_lock_file_contains_no_registry_address() -> None:
    assert "resolved" not in (SOURCES / "package-lock.json").read_text()
