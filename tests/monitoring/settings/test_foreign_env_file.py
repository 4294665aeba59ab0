"""An unreadable ``.env`` of another program stops Tallow's own programs, and no other application."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import orjson
import pytest

from tallow.app.server.settings import ServerSettings
from tallow.monitoring.settings import BadSettingError, MonitoringSettings, current_settings, load_settings

MiB = 1024 * 1024


def denied(path: Path) -> None:
    path.write_text("LOG_LEVEL=debug\n")
    path.chmod(0)


UNREADABLE: dict[str, tuple[Callable[[Path], object], str]] = {
    "binary": (lambda path: path.write_bytes(b"\x7fELF\0\0"), "it is not a text file"),
    "latin-1": (lambda path: path.write_bytes("NAME=Jürgen\n".encode("latin-1")), "it is not UTF-8"),
    "huge": (lambda path: path.write_bytes(b"A=1\n" * MiB), "it is larger than 1024 KiB"),
    "a FIFO": (os.mkfifo, "it is not a regular file"),
    "a broken link": (lambda path: path.symlink_to("nowhere"), "it is a broken symbolic link"),
    "a loop": (lambda path: path.symlink_to(".env"), "Too many levels of symbolic links"),
    "permissions": (denied, "Permission denied"),
}
"""By kind: makes the file, and the reason in the warning."""


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for variable in (*MonitoringSettings.variables(), "TALLOW_ENV_FILE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


@pytest.fixture(params=[name for name in UNREADABLE if name != "permissions" or os.getuid()])
def unreadable(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A ``.env`` in the current folder, and the reason."""
    make, reason = UNREADABLE[request.param]
    make(path := tmp_path / ".env")
    return path, reason


def test_an_application_starts_and_keeps_its_other_settings(
    unreadable: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, reason = unreadable
    monkeypatch.setenv("SHOP_LOG_LEVEL", "error")
    settings = load_settings("SHOP_")
    assert settings.log_level == "error"
    assert settings.ignored == {".env": f"{path} cannot be read: {reason}"}


def test_programs_of_their_own_stop(unreadable: tuple[Path, str]) -> None:
    path, reason = unreadable
    for settings in (MonitoringSettings, ServerSettings):
        with pytest.raises(BadSettingError) as caught:
            settings.load()
        assert str(caught.value) == f"{path} cannot be read: {reason}"


def test_the_file_that_a_variable_names_must_be_readable(
    unreadable: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = unreadable
    monkeypatch.setenv("TALLOW_ENV_FILE", str(path))
    with pytest.raises(BadSettingError):
        load_settings("SHOP_")


PROGRAM = """
import asyncio
from tallow.monitoring import instrument
from tallow.monitoring.logging import configure, logger

async def app(scope, receive, send):
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
    await send({"type": "lifespan.shutdown.complete"})

async def main():
    messages = iter(["lifespan.startup", "lifespan.shutdown"])
    async def receive():
        return {"type": next(messages)}
    async def send(message):
        assert message["type"] != "lifespan.startup.failed", message
    await instrument(app)({"type": "lifespan"}, receive, send)

asyncio.run(main())
logger.info("one")
configure()
logger.info("two")
"""


def run(folder: Path) -> list[dict[str, object]]:
    """The records of an instrumented application in a folder."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        check=False,
        capture_output=True,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def test_an_instrumented_application_warns_once(unreadable: tuple[Path, str], tmp_path: Path) -> None:
    records = run(tmp_path)
    assert [record["message"] for record in records if record["level"] == "warning"] == [".env is ignored"]
    assert [record["message"] for record in records if record["level"] == "info"] == ["one", "two"]
    assert "Jürgen" not in str(records)


UNPRIVILEGED = """
import os
from tallow.monitoring.settings import monitoring_settings, load_settings
if os.getuid() == 0:
    os.setuid(65534)  # permissions do not apply to root; imports may need them
print(load_settings("SHOP_").ignored)
"""


@pytest.mark.parametrize("closed", ["file", "folder"])
def test_permissions_do_not_stop_an_application(closed: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's folder is closed to other users
        folder = Path(name)
        denied(folder / ".env")
        folder.chmod(0o755 if closed == "file" else 0)
        done = subprocess.run(
            [sys.executable, "-c", f"import os; os.chdir({name!r})\n{UNPRIVILEGED}"],
            check=False,
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"]},
        )
        folder.chmod(0o755)
    assert done.stderr == ""
    assert done.stdout.endswith("cannot be read: Permission denied'}\n")


def test_a_deleted_folder_does_not_stop_an_application(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "deleted").mkdir()
    monkeypatch.chdir(tmp_path / "deleted")
    (tmp_path / "deleted").rmdir()
    assert load_settings("SHOP_").ignored == {}


def test_a_folder_named_env_is_a_virtual_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()
    assert load_settings("SHOP_").ignored == {}
    assert run(tmp_path)[0]["message"] == "one"
