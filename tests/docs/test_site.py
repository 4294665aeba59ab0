"""The documentation site builds, and a broken link fails the build. Links elsewhere lead to files."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
OUTSIDE = (
    "README.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "monitoring").rglob("*.md"))),
)


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build the site the way `scripts/docs` does."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
    return subprocess.run([*command, str(source), str(target)], capture_output=True, text=True, check=False)


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A copy of the documents, beside the files they include and link to."""
    for name in ("docs", "tests/app/crypto"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "SECURITY.md", tmp_path)
    return tmp_path / "docs"


def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    built = build(ROOT / "docs", tmp_path)
    assert (built.returncode, built.stderr) == (0, "")
    for page in (
        "index",
        "library",
        "runbooks/ServiceDown",
        "decisions/0001-own-metrics-registry",
        "security",
    ):
        assert (tmp_path / f"{page}.html").stat().st_size > 1000


@pytest.mark.parametrize(
    ("page", "text", "reported"),
    [
        ("library.md", "\n[a page](no-such-page.md)\n", "no-such-page.md"),
        ("library.md", "\n[an anchor](metrics.md#no-such-anchor)\n", "no-such-anchor"),
        ("orphan.md", "# A page that no index names\n", "orphan.md"),
    ],
)
def test_a_broken_link_or_an_orphan_fails_the_build(
    sources: Path, tmp_path: Path, page: str, text: str, reported: str
) -> None:
    with (sources / page).open("a") as file:
        file.write(text)
    built = build(sources, tmp_path / "built")
    assert built.returncode != 0
    assert reported in built.stderr


@pytest.mark.parametrize("document", OUTSIDE)
def test_links_of_other_documents_lead_to_files(document: str) -> None:
    path = ROOT / document
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (path.parent / target.partition("#")[0]).exists(), f"{document} links to {target}"
