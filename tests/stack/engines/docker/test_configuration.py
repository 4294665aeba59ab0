"""The files that containers read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack import credentials
from tallow.stack.compose.document import SECRET_FILES
from tallow.stack.engines.docker import configuration, layout
from tallow.stack.engines.docker.settings_values import inline_files
from tallow.stack.engines.reload.file_transaction import FileTransaction
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

ROOT = Path(__file__).parents[4]


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    credentials.create_missing(made.secrets)
    return made


def rendered(home: StateDir, offset: int = 0, **variables: str) -> configuration.ContainerFiles:
    settings = StackSettings.load(VariableSource(variables))
    return configuration.render(home, StackOptions(port_offset=offset), settings, variables)


def test_each_secret_of_the_compose_file_is_written(home: StateDir) -> None:
    folder = layout.container_secrets(home)
    assert {folder / name for name in SECRET_FILES} <= rendered(home).secrets.keys()


@pytest.mark.parametrize(
    "name", ["prometheus/prometheus.yml", "grafana/grafana-datasources.yml", "loki/loki.yml"]
)
def test_the_committed_files_are_what_containers_get(home: StateDir, name: str) -> None:
    files = rendered(home).configuration
    assert files[home.config / name] == (ROOT / "monitoring" / name).read_text(encoding="utf-8")


def test_the_port_offset_moves_links_and_published_ports_only(home: StateDir) -> None:
    files = rendered(home, offset=10_000).configuration
    rules = files[home.config / "alerting" / "prometheus-rules.yml"]
    assert "http://localhost:13001/" in rules
    assert "http://localhost:19095/" in rules
    assert "PROMETHEUS_PORT=" in files[layout.environment_file(home)]
    assert "tallow:3000" in files[home.config / "prometheus" / "prometheus.yml"]


def test_a_channel_gets_its_secret_and_no_other_container_does(home: StateDir) -> None:
    url = "https://hooks.slack.com/services/T0/B0/abcdefgh"
    files = rendered(home, SLACK_WEBHOOK_URL=url)
    holders = {path.parent.name for path, text in files.secrets.items() if text == url}
    assert holders == {"alertmanager"}
    assert url not in "".join(files.configuration.values())


def test_the_mailbox_gets_the_hash_and_not_the_password(home: StateDir) -> None:
    files = rendered(home).secrets
    line = files[layout.container_secrets(home) / "mailbox_users"]
    assert line.startswith("tallow:$2")
    assert credentials.password(home.secrets) not in line


def test_turn_without_a_secret_serves_nobody(home: StateDir) -> None:
    path = layout.container_secrets(home) / "turn" / "turnserver.conf"
    assert "lt-cred-mech" in rendered(home).secrets[path]
    assert (
        "static-auth-secret=0123456789abcdef" in rendered(home, TURN_SECRET="0123456789abcdef").secrets[path]
    )


@pytest.mark.parametrize(
    ("servers", "line"),
    [
        ("stun:stun.example.org,turn:turn.example.org:3478", "external-ip=turn.example.org"),
        ("turn:192.0.2.7", "external-ip=192.0.2.7"),
        ("turn:192.0.2.7:3478?transport=udp", "external-ip=192.0.2.7"),
        ("stun:stun.example.org", ""),
        ("turn:[2001:db8::7]:3478", ""),
        ("turn:192.0.2.7,turn:turn.example.net", "external-ip=192.0.2.7"),
    ],
)
def test_coturn_tells_peers_the_address_that_they_reach(home: StateDir, servers: str, line: str) -> None:
    path = layout.container_secrets(home) / "turn" / "turnserver.conf"
    lines = rendered(home, ICE_SERVERS=servers).secrets[path].splitlines()
    assert [found for found in lines if found.startswith("external-ip")] == ([line] if line else [])


def test_the_rules_name_the_hosts_of_the_containers(home: StateDir) -> None:
    text = rendered(home).configuration[home.config / "alerting" / "prometheus-rules-monitoring.yml"]
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    missing = [rule for rule in rules if rule.get("alert") == "TargetMissing"]
    assert "cadvisor:8080" in str(missing)


def test_a_file_of_a_setting_becomes_its_value(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter-1941\n")
    values = inline_files({"SMTP_PASSWORD_FILE": str(tmp_path / "password"), "LOG_FILE": "/var/log/x"})
    assert values == {"SMTP_PASSWORD": "hunter-1941", "LOG_FILE": "/var/log/x"}


def test_a_missing_file_of_a_setting_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BadSettingError, match=r"^SMTP_PASSWORD_FILE is .*does not exist; accepted: .*$"):
        inline_files({"SMTP_PASSWORD_FILE": str(tmp_path / "missing")})


def test_containers_can_read_what_other_users_of_the_host_cannot_reach(home: StateDir) -> None:
    files = rendered(home)
    readable = (home.config, layout.container_secrets(home))
    change = FileTransaction({**files.configuration, **files.secrets}, (), home.run / "change", readable)
    change.prepare()
    change.apply()
    change.close()
    modes = {path.stat().st_mode & 0o777 for path in (*files.configuration, *files.secrets)}
    inner = {path.parent.stat().st_mode & 0o777 for path in files.secrets if path.parent != readable[1]}
    assert modes == {0o444}
    assert inner == {0o755}
    assert {folder.stat().st_mode & 0o777 for folder in (*readable, home.root)} == {0o700}
