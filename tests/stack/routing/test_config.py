"""The configuration file: missing channels, comments and secrets."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
import yaml
from pydantic import SecretStr

from tallow.stack.routing import AlertSettings, alertmanager_config, notification_gaps
from tallow.stack.routing.config import requires_tls

NOTHING = AlertSettings.model_construct()
EVERYTHING = AlertSettings.model_construct(
    alert_email_default="a@example.org",
    alert_email_operations="ops@example.org",
    smtp_host="mail.example.org",
    smtp_user="tallow",
    smtp_from="tallow@example.org",
    smtp_password=SecretStr("hunter2"),
    slack_webhook_url=SecretStr("https://hooks.example.org/T0/B0/token"),
    pagerduty_routing_key=SecretStr("0123456789abcdef0123456789abcdef"),
    heartbeat_url=SecretStr("https://beat.example.org/ping"),
)


def render(settings: AlertSettings, scale: float = 1.0) -> str:
    return alertmanager_config(
        settings, secrets_dir=PurePosixPath("/s"), template_glob="/t/*.tmpl", scale=scale
    )


def receiver(config: str, name: str) -> dict[str, list[dict[str, object]]]:
    (found,) = (entry for entry in yaml.safe_load(config)["receivers"] if entry["name"] == name)
    return {key: value for key, value in found.items() if key != "name"}


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("default", {"email_configs"}),
        ("critical-alerts", {"email_configs", "slack_configs", "pagerduty_configs"}),
        ("performance-alerts", {"email_configs"}),
        ("security-alerts", {"email_configs", "slack_configs"}),
        ("transfer-alerts", {"email_configs"}),
        ("connection-alerts", {"email_configs"}),
        ("daily-digest", {"email_configs"}),
        ("heartbeat", {"webhook_configs"}),
    ],
)
def test_a_receiver_has_the_channels_of_the_contract(name: str, channels: set[str]) -> None:
    assert set(receiver(render(EVERYTHING), name)) == channels


@pytest.mark.parametrize("name", ["transfer-alerts", "connection-alerts"])
def test_mail_about_transfers_and_connections_goes_to_operations(name: str) -> None:
    (email,) = receiver(render(EVERYTHING), name)["email_configs"]
    assert email["to"] == "ops@example.org"


def test_configuration_contains_no_secret() -> None:
    config = render(EVERYTHING)
    for secret in ("hunter2", "token", "0123456789abcdef", "beat.example.org"):
        assert secret not in config


def test_channel_without_secret_is_left_out_and_reported() -> None:
    config = render(NOTHING)
    assert set(receiver(config, "critical-alerts")) == {"email_configs"}
    assert "# critical-alerts: no slack: SLACK_WEBHOOK_URL is not set\n" in config
    assert (
        "# critical-alerts: no pagerduty: PAGERDUTY_ROUTING_KEY is not set\n- name: critical-alerts" in config
    )


def test_without_settings_mail_goes_to_the_mailbox_unencrypted_with_login() -> None:
    section = yaml.safe_load(render(NOTHING))["global"]
    assert section["smtp_smarthost"] == "127.0.0.1:1025"
    assert section["smtp_require_tls"] is False
    assert section["smtp_auth_username"] == "tallow"
    assert section["smtp_auth_password_file"] == "/s/monitoring_password"
    assert receiver(render(NOTHING), "heartbeat")["webhook_configs"][0]["http_config"] == {
        "basic_auth": {"username": "tallow", "password_file": "/s/monitoring_password"}
    }


def test_mail_that_leaves_the_machine_is_encrypted() -> None:
    section = yaml.safe_load(render(EVERYTHING))["global"]
    assert section["smtp_smarthost"] == "mail.example.org:587"
    assert section["smtp_require_tls"] is True
    assert section["smtp_auth_password_file"] == "/s/smtp_password"


@pytest.mark.parametrize(
    ("smarthost", "required"),
    [
        ("127.0.0.1:1025", False),
        ("127.9.9.9:25", False),
        ("[::1]:25", False),
        ("localhost:25", False),
        ("mailbox:1025", False),
        ("mailbox.org:587", True),
        ("localhost.example.org:25", True),
        ("127.example.org:25", True),
        ("10.0.0.1:25", True),
        ("[fd00::1]:25", True),
    ],
)
def test_only_mail_to_this_machine_is_unencrypted(smarthost: str, required: bool) -> None:
    assert requires_tls(smarthost) is required


def test_missing_channels_are_reported() -> None:
    output = "\n".join(gap.message for gap in notification_gaps(NOTHING))
    assert "no notifications by e-mail" in output
    assert "no notifications by telephone or chat" in output
    assert "HEARTBEAT_URL is not set" in output


def test_no_gap_is_reported_with_every_channel() -> None:
    assert notification_gaps(EVERYTHING) == []


def test_scale_multiplies_every_wait_and_nothing_else() -> None:
    whole, tenth = yaml.safe_load(render(EVERYTHING)), yaml.safe_load(render(EVERYTHING, scale=0.1))
    assert tenth["route"]["group_wait"] == "3s"
    assert tenth["route"]["repeat_interval"] == "24m"
    for config in (whole, tenth):
        for step in (config["route"], *config["route"]["routes"]):
            for wait in ("group_wait", "group_interval", "repeat_interval"):
                del step[wait]
    assert whole == tenth
