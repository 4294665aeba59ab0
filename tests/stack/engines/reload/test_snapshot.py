"""The settings of a running stack are stored in files and compared by digests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.monitoring.settings.base import SettingVariables
from tallow.stack.engines.reload import snapshot
from tallow.stack.engines.reload.snapshot import ServiceDigests
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

LEVEL = SettingVariables(("LOG_LEVEL",))
LOG_FILE = SettingVariables(("LOG_FILE",))
PASSWORD = SettingVariables(("SMTP_PASSWORD", "OLD_PASSWORD"), ("SMTP_PASSWORD_FILE", "OLD_PASSWORD_FILE"))
READ = {"tallow": (LEVEL, LOG_FILE), "heartbeat": (PASSWORD,)}


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    made.write_options(StackOptions(env_folder=str(tmp_path)))
    (made.secrets / "metrics_token").write_text("first")
    (made.secrets / "monitoring_password").write_text("first")
    return made


def test_stored_variables_are_read_unchanged(tmp_path: Path) -> None:
    values = {"A": "plain", "B": 'it\'s ${HOME} \\ "q" # x', "C": "a=b"}
    (tmp_path / "file").write_text(snapshot.env_text(values))
    assert snapshot.read_values(tmp_path / "file") == values
    assert snapshot.read_values(tmp_path / "nothing") == {}


@pytest.mark.parametrize(
    ("values", "changed"),
    [
        ({"LOG_LEVEL": "info"}, set()),
        ({"LOG_LEVEL": "debug"}, {"tallow"}),
        ({}, {"tallow"}),
        ({"LOG_LEVEL": "info", "SMTP_PASSWORD": "x"}, {"heartbeat"}),
        ({"LOG_LEVEL": "info", "OTHER": "x"}, set()),
    ],
)
def test_a_changed_setting_affects_the_services_that_read_it(
    home: StateDir, values: dict[str, str], changed: set[str]
) -> None:
    before = snapshot.target_digests(home, READ, {"LOG_LEVEL": "info"})
    assert before.changed_services(snapshot.target_digests(home, READ, values)) == changed


def test_a_secret_file_counts_by_its_content(home: StateDir, tmp_path: Path) -> None:
    for name, text in {"one": "secret\n", "two": "secret\n", "three": "other"}.items():
        (tmp_path / name).write_text(text)
    one, two, three = (
        snapshot.target_digests(home, READ, {"SMTP_PASSWORD_FILE": str(tmp_path / name)})
        for name in ("one", "two", "three")
    )
    assert one.changed_services(two) == set()
    assert one.changed_services(three) == {"heartbeat"}


def test_other_files_count_by_their_path(home: StateDir, tmp_path: Path) -> None:
    """LOG_FILE does not contain the value of a setting; the log grows all the time."""
    values = {"LOG_FILE": str(tmp_path / "log")}
    before = snapshot.target_digests(home, READ, values)
    (tmp_path / "log").write_text("a line\n")
    assert before.changed_services(snapshot.target_digests(home, READ, values)) == set()


def test_new_credentials_affect_the_services_that_read_them_at_their_start(home: StateDir) -> None:
    before = snapshot.target_digests(home, READ, {})
    (home.secrets / "monitoring_password").write_text("second")
    assert before.changed_services(ServiceDigests(before.settings, snapshot.credential_digests(home))) == {
        "dashboards"
    }
    (home.secrets / "metrics_token").write_text("second")
    assert before.changed_services(snapshot.target_digests(home, READ, {})) == {"dashboards", "tallow"}


def test_stored_digests_are_read_and_a_broken_file_is_empty(home: StateDir) -> None:
    applied = snapshot.target_digests(home, READ, {"LOG_LEVEL": "info"})
    assert snapshot.read_digests(home) == ServiceDigests()
    snapshot.write_digests(home, applied)
    assert snapshot.read_digests(home) == applied
    for text in ("", "[]", '{"settings": {}}', '{"settings": 1, "credentials": {}}'):
        (home.run / snapshot.APPLIED_FILE).write_text(text)
        assert snapshot.read_digests(home) == ServiceDigests()


def test_stored_digests_contain_no_secret(home: StateDir) -> None:
    snapshot.write_digests(home, snapshot.target_digests(home, READ, {"SMTP_PASSWORD": "hunter2"}))
    assert "hunter2" not in (home.run / snapshot.APPLIED_FILE).read_text()


def test_without_stored_settings_the_operators_file_is_read(home: StateDir, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ALERT_EMAIL_DEFAULT=old@example.org\n")
    assert snapshot.running_settings(home).alerts.email("default") == "old@example.org"
    (home.secrets / "settings.env").write_text("ALERT_EMAIL_DEFAULT='new@example.org'\n")
    assert snapshot.running_settings(home).alerts.email("default") == "new@example.org"
