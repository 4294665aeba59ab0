"""Differences between a running stack and the present code and programs are detected."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tallow import __version__
from tallow.stack.engines.native.release import code_digest, current, differences
from tallow.stack.engines.supervisor.state_files import Release

HERE = Release("1.1.0", "digest", {"prometheus": "3.16.0", "alertmanager": "0.35.1"})


def test_equal_releases_have_no_differences() -> None:
    assert differences(HERE, HERE) == []
    assert differences(current({}), current({})) == []
    assert current({}).version == __version__


@pytest.mark.parametrize(
    ("running", "expected"),
    [
        (None, ["Tallow: the stack was started by an older version"]),
        (replace(HERE, version="1.0.0", code="other"), ["Tallow: 1.0.0 runs, 1.1.0 is here"]),
        (
            replace(HERE, code="other"),
            ["Tallow: its code or a library it uses has changed since the stack was started"],
        ),
        (
            replace(HERE, programs={**HERE.programs, "prometheus": "2.42.0"}),
            ["prometheus: 2.42.0 runs, 3.16.0 is here"],
        ),
        (
            replace(HERE, programs={"alertmanager": "0.35.1"}),
            ["prometheus: an unknown version runs, 3.16.0 is here"],
        ),
    ],
)
def test_differences_are_named(running: Release | None, expected: list[str]) -> None:
    assert differences(running, HERE) == expected


def test_a_missing_program_is_no_difference() -> None:
    assert differences(HERE, replace(HERE, programs={"prometheus": "3.16.0"})) == []


@pytest.fixture
def package(tmp_path: Path) -> Path:
    made = tmp_path / "package"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "module.py").write_text("one")
    (tmp_path / "site" / "library-1.0.dist-info").mkdir(parents=True)
    return made


def test_a_changed_file_changes_the_digest(package: Path) -> None:
    before = code_digest(package, package.parent / "site")
    assert code_digest(package, package.parent / "site") == before
    (package / "inner" / "module.py").write_text("two")
    assert code_digest(package, package.parent / "site") != before


def test_a_moved_file_changes_the_digest(package: Path) -> None:
    before = code_digest(package, package.parent / "site")
    (package / "inner" / "module.py").rename(package / "module.py")
    assert code_digest(package, package.parent / "site") != before


def test_a_newer_library_changes_the_digest(package: Path) -> None:
    site = package.parent / "site"
    before = code_digest(package, site)
    (site / "library-1.0.dist-info").rename(site / "library-1.1.dist-info")
    assert code_digest(package, site) != before


def test_compiled_files_do_not_change_the_digest(package: Path) -> None:
    before = code_digest(package, package.parent / "site")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "module.cpython-311.pyc").write_text("compiled")
    assert code_digest(package, package.parent / "site") == before
