"""Settings of remote write and remote read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.monitoring.testing import assert_absent
from tallow.stack.engines import configuration
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.remote_storage import RemoteStorageSettings

URL = "https://mimir.example.org/api/v1/push"


def load(**variables: str) -> RemoteStorageSettings:
    return RemoteStorageSettings.load(VariableSource(variables))


def refusal(**variables: str) -> str:
    with pytest.raises(BadSettingError) as caught:
        load(**variables)
    return str(caught.value)


@pytest.mark.parametrize("name", ["REMOTE_WRITE_URL", "REMOTE_READ_URL"])
@pytest.mark.parametrize(
    "url",
    [
        "://x",
        "mimir",
        "mimir:9009/push",
        "https://",
        "https://host:99999/push",
        "https://user:hunter2@host/push",
        "https://hunter2@host/push",
        "unix:///run/mimir",
    ],
)
def test_unusable_address_is_refused_and_not_shown(name: str, url: str) -> None:
    line = refusal(**{name: url})
    assert line.startswith(f"{name} is ***; accepted: an address that starts with https:// or http://")
    assert_absent(["hunter2"], line)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"REMOTE_USER": "me"}, "REMOTE_PASSWORD is not set; accepted: the password of REMOTE_USER"),
        (
            {"REMOTE_PASSWORD": "x"},
            "REMOTE_USER is not set; accepted: the name that REMOTE_PASSWORD belongs to",
        ),
        (
            {"REMOTE_USER": "a:b", "REMOTE_PASSWORD": "x"},
            "REMOTE_USER contains a colon; accepted: printable text without a colon",
        ),
        (
            {"REMOTE_USER": "me", "REMOTE_PASSWORD": "x"},
            "REMOTE_WRITE_URL is not set; accepted: an address, since REMOTE_USER is set",
        ),
        ({"REMOTE_MACHINE": "a b"}, "REMOTE_MACHINE is 'a b'; accepted: 1 to 100 letters, digits, . _ : -"),
    ],
)
def test_inconsistent_settings_are_one_line(variables: dict[str, str], message: str) -> None:
    assert refusal(**({"REMOTE_WRITE_URL": URL} if "_MACHINE" in message else {}), **variables) == message


def test_remote_write_has_user_password_and_machine_label(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    home = StateDir(tmp_path / "home")
    variables = {
        "REMOTE_WRITE_URL": URL,
        "REMOTE_READ_URL": "http://thanos:10902/api/v1/read?dedup=true",
        "REMOTE_USER": "me",
        "REMOTE_PASSWORD_FILE": "password",
        "REMOTE_MACHINE": "web-1",
    }
    settings = StackSettings.load(VariableSource(variables, folder=tmp_path))
    files = configuration.render(home, StackOptions(), settings)
    text = files[home.config / "prometheus" / "prometheus.yml"]
    document = yaml.safe_load(text)
    access = {"username": "me", "password_file": str(home.secrets / "remote_password")}
    assert document["remote_write"] == [{"url": URL, "send_exemplars": True, "basic_auth": access}]
    assert document["remote_read"] == [{"url": variables["REMOTE_READ_URL"], "basic_auth": access}]
    assert document["global"]["external_labels"] == {"machine": "web-1"}
    assert files[home.secrets / "remote_password"] == "hunter2"
    assert "hunter2" not in text


def test_without_an_address_there_is_no_remote_storage() -> None:
    home = StateDir(Path("/home"))
    files = configuration.render(
        home, StackOptions(), StackSettings.load(VariableSource({"REMOTE_MACHINE": "x"}))
    )
    document = yaml.safe_load(files[home.config / "prometheus" / "prometheus.yml"])
    assert "external_labels" not in document["global"]
    assert not {"remote_write", "remote_read"} & set(document)


def test_prometheus_uses_the_operators_token() -> None:
    home = StateDir(Path("/home"))
    settings = StackSettings.load(VariableSource({"METRICS_TOKEN": "correct-horse-battery"}))
    files = configuration.render(home, StackOptions(), settings)
    assert files[home.secrets / "metrics_token"] == "correct-horse-battery"
