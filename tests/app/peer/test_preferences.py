"""Settings of the command line: private, applied, and counted by name when they change."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.transfers.peers import tallow
from support.transfers.server import RunningServer
from tallow.app.commands.settings import command
from tallow.app.peer import user_files
from tallow.app.peer.preferences import PREFERENCES, Preferences
from tallow.monitoring.catalog import METRICS

SETTINGS = Path("tallow/settings.json")


def settings(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(command, list(arguments))
    return done.exit_code, done.output


def test_the_settings_are_those_of_the_contract() -> None:
    [label] = METRICS["settings_changes_total"].labels
    assert tuple(PREFERENCES) == label.values


def test_a_setting_is_shown_changed_and_reset(home: Path) -> None:
    assert settings("theme") == (0, "auto\n")
    assert settings("theme", "dark") == (0, "theme: dark\n")
    assert settings("theme") == (0, "dark\n")
    assert "theme" in settings()[1]
    assert settings("theme", "--reset") == (0, "theme: auto\n")
    file = home / "config" / SETTINGS
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("colour",), "unknown setting; accepted: relay_preference, telemetry"),
        (("theme", "pink"), "theme: unknown value; accepted: auto, light, dark, plain"),
        (("theme", "dark", "--reset"), "--reset takes no VALUE"),
    ],
)
def test_an_unknown_setting_or_value_is_refused_in_one_line(
    arguments: tuple[str, ...], expected: str
) -> None:
    status, output = settings(*arguments)
    assert status == 2
    assert expected in output
    assert "pink" not in output


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"settings": 1, "changes": []}',
        b'{"settings": {"theme": 7}, "changes": {"theme": "x"}}',
        b"\xff",
    ],
)
def test_a_malformed_file_means_defaults(home: Path, content: bytes) -> None:
    file = home / "config" / SETTINGS
    file.parent.mkdir(parents=True)
    file.write_bytes(content)
    preferences = Preferences.load()
    assert {name: preferences[name] for name in PREFERENCES} == {
        name: preference.values[0] for name, preference in PREFERENCES.items()
    }
    assert preferences.changes == {}


def test_setting_the_same_value_counts_no_change() -> None:
    settings("theme", "auto")
    settings("theme", "dark")
    settings("theme", "dark")
    assert Preferences.load().changes == {"theme": 1}


def test_reported_changes_are_subtracted() -> None:
    for value in ("dark", "light", "plain"):
        settings("theme", value)
    preferences = Preferences.load()
    preferences.forget_changes({"theme": 2})
    assert Preferences.load().changes == {"theme": 1}


def test_no_temporary_file_is_left(home: Path) -> None:
    settings("theme", "dark")
    assert [file.name for file in (home / "config/tallow").iterdir()] == ["settings.json"]


def test_a_relative_folder_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "here")
    assert user_files.config_folder() == Path.home() / ".config/tallow"


@pytest.mark.slow
async def test_a_change_is_counted_with_the_next_transfer_once(server: RunningServer, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(os.urandom(1000))
    home = tmp_path / "s"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "settings", "relay_preference", "relay"),
        env=os.environ | {"XDG_CONFIG_HOME": str(home / "config")},
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert await process.wait() == 0
    for _ in range(2):
        async with tallow("send", "--server", server.url, str(path), home=home) as sender:
            link = (await sender.wait_for_event("link"))["link"]
            out = str(tmp_path / "out")
            async with tallow("receive", "--relay", "-o", out, home=tmp_path / "r", given=link) as receiver:
                assert await receiver.wait() == 0
            assert await sender.wait() == 0
    assert server.value("settings_changes_total", setting="relay_preference") == 1
    assert server.value("feature_usage_total", feature="relay_only") == 4
    assert server.value("transfers_total", status="success", method="relay") == 2
