"""The documentation site builds without warnings; broken links fail the build."""

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
FAULTS = ("no-such-page.md", "no-such-anchor", "orphan.md")
OUTSIDE = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "monitoring").rglob("*.md"))),
)


def build(source: Path, target: Path) -> subprocess.CompletedProcess[str]:
    """Build the site the way `scripts/docs` does."""
    command = [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet", "-b", "html"]
    return subprocess.run([*command, str(source), str(target)], capture_output=True, text=True, check=False)


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


def test_broken_links_and_pages_outside_the_index_fail_the_build(tmp_path: Path) -> None:
    """With the site's configuration, and three pages that have nothing else to warn of."""
    sources = tmp_path / "docs"
    sources.mkdir()
    shutil.copy(ROOT / "docs" / "conf.py", sources)
    (sources / "index.md").write_text("# Index\n\n```{toctree}\npage\n```\n")
    links = "[a page](no-such-page.md), [an anchor](index.md#no-such-anchor) and [the index](index.md#index)"
    (sources / "page.md").write_text(f"# A page\n\n{links}\n")
    (sources / "orphan.md").write_text("# A page that no index names\n")
    built = build(sources, tmp_path / "built")
    assert built.returncode != 0
    assert [name for name in FAULTS if name not in built.stderr] == []
    assert built.stderr.count("WARNING") == len(FAULTS), built.stderr


@pytest.mark.parametrize("document", OUTSIDE)
def test_links_of_other_documents_point_to_existing_files(document: str) -> None:
    path = ROOT / document
    for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
        if "://" in target or target.startswith(("#", "mailto:")):
            continue
        assert (path.parent / target.partition("#")[0]).exists(), f"{document} links to {target}"
