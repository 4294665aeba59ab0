"""The checks of every application: memory and environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tallow.monitoring.health import builtin_checks
from tallow.monitoring.health.builtin_checks import container_memory_share
from tallow.monitoring.settings import current_settings


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


def group(folder: Path, version: int, limit: str, current: int, inactive: int) -> Path:
    names = ("memory.max", "memory.current", "memory.stat", "inactive_file")
    if version == 1:
        folder = folder / "memory"
        folder.mkdir()
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "memory.stat", "total_inactive_file")
    (folder / names[0]).write_text(f"{limit}\n")
    (folder / names[1]).write_text(f"{current}\n")
    (folder / names[2]).write_text(f"anon 1\n{names[3]} {inactive}\n")
    return folder.parent if version == 1 else folder


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("held", "inactive", "status"),
    [(500, 0, "healthy"), (910, 0, "degraded"), (975, 0, "unhealthy"), (990, 400, "healthy")],
)
def test_memory_is_measured_against_the_limit_of_the_container(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: int, held: int, inactive: int, status: str
) -> None:
    monkeypatch.setattr(builtin_checks, "CGROUP", group(tmp_path, version, "1000", held, inactive))
    assert builtin_checks.check_memory() == status


@pytest.mark.parametrize("limit", ["max", "9223372036854771712"])
def test_without_a_container_limit_the_memory_of_the_machine_counts(tmp_path: Path, limit: str) -> None:
    assert container_memory_share(group(tmp_path, 2, limit, 1, 0)) is None
    assert container_memory_share(tmp_path / "nothing") is None


@pytest.mark.parametrize("variable", ["LOG_FILE", "LOG_SPOOL_DIR"])
def test_a_log_folder_that_is_not_writable_degrades_the_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    monkeypatch.setenv(variable, str(tmp_path / "not" / "there" / "yet"))
    assert builtin_checks.check_environment() == "healthy"
    (tmp_path / "not").touch()
    assert builtin_checks.check_environment() == "degraded"
