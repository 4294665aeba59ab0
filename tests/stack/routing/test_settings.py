"""The operator's settings: names, files, old names and one-line errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack.routing import AlertSettings, secret_files

KEY = "0123456789abcdef0123456789ABCDEF"


def load(**variables: str) -> AlertSettings:
    return AlertSettings.load(VariableSource(variables))


def refusal(**variables: str) -> str:
    with pytest.raises(BadSettingError) as caught:
        load(**variables)
    return str(caught.value)


def test_every_audience_falls_back_to_the_default() -> None:
    settings = load(ALERT_EMAIL_DEFAULT="a@example.org", ALERT_EMAIL_SECURITY="s@example.org")
    assert settings.email("security") == "s@example.org"
    for audience in ("default", "critical", "performance", "operations", "digest"):
        assert settings.email(audience) == "a@example.org"


def test_without_settings_mail_stays_on_the_machine() -> None:
    assert load().email("critical") == "operator@localhost"


def test_several_addresses_are_separated_by_commas() -> None:
    assert load(ALERT_EMAIL_DEFAULT="a@x.org,b@x.org").email("default") == "a@x.org, b@x.org"


@pytest.mark.parametrize(
    ("name", "file"), [("PAGERDUTY_ROUTING_KEY", KEY), ("SLACK_WEBHOOK_URL", "https://hooks.example.org/x")]
)
def test_a_secret_is_read_from_its_file_without_the_newline(tmp_path: Path, name: str, file: str) -> None:
    (tmp_path / "secret").write_text(f"{file}\n")
    settings = load(**{f"{name}_FILE": str(tmp_path / "secret")})
    assert secret_files(settings) == {name.lower(): file}


def test_variable_takes_precedence_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f" * 32)
    settings = load(PAGERDUTY_ROUTING_KEY=KEY, PAGERDUTY_ROUTING_KEY_FILE=str(tmp_path / "secret"))
    assert secret_files(settings) == {"pagerduty_routing_key": KEY}


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_the_old_name_of_the_pagerduty_key_is_accepted(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "secret").write_text(KEY)
    settings = load(**{f"PAGERDUTY_SERVICE_KEY{suffix}": str(tmp_path / "secret") if suffix else KEY})
    assert secret_files(settings) == {"pagerduty_routing_key": KEY}


def test_settings_are_read_from_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("ALERT_EMAIL_DEFAULT=a@example.org\nSMTP_HOST=mail.example.org\n")
    settings = AlertSettings.load(VariableSource({}, read_env_file(tmp_path / "env", {})))
    assert (settings.email("default"), settings.smtp_host) == ("a@example.org", "mail.example.org")


@pytest.mark.parametrize(
    "address",
    [
        "nobody",
        "a@",
        "@example.org",
        "a@b@example.org",
        "a b@example.org",
        "a..b@example.org",
        ".a@example.org",
        "a@-example.org",
        "a@example..org",
        "a@example.org.",
        "Max <max@example.org>",
        "a@example.org;b@example.org",
        "a@example.org,",
        "ü@example.org",
        "a@exämple.org",
        "a@example.org\nBcc: b@example.org",
        f"{'a' * 65}@example.org",
        f"a@{'b' * 64}.org",
    ],
)
def test_invalid_e_mail_address_is_refused(address: str) -> None:
    line = refusal(ALERT_EMAIL_CRITICAL=address)
    assert line.startswith("ALERT_EMAIL_CRITICAL is ")
    assert line.endswith("; accepted: e-mail addresses, separated by commas")
    assert line.isprintable()


@pytest.mark.parametrize("address", ["operator@localhost", "a.b+c@mail.example.org", "o'neil@x-y.example"])
def test_usual_e_mail_addresses_are_accepted(address: str) -> None:
    assert load(ALERT_EMAIL_DEFAULT=address).email("default") == address


@pytest.mark.parametrize(
    "host", ["mail.example.org:587", "https://mail.example.org", "mail example", "-mail", "999.1.1.1", "a@b"]
)
def test_invalid_host_is_refused(host: str) -> None:
    line = refusal(SMTP_HOST=host, ALERT_EMAIL_DEFAULT="a@example.org")
    assert line.startswith("SMTP_HOST is ")
    assert line.endswith("; accepted: a host name or an IP address")


@pytest.mark.parametrize(
    ("host", "smarthost"),
    [
        ("mail.example.org", "mail.example.org:587"),
        ("10.0.0.1", "10.0.0.1:587"),
        ("fd00::1", "[fd00::1]:587"),
        ("[fd00::1]", "[fd00::1]:587"),
        ("mail_relay", "mail_relay:587"),
    ],
)
def test_the_smarthost_is_host_and_port(host: str, smarthost: str) -> None:
    assert load(SMTP_HOST=host, ALERT_EMAIL_DEFAULT="a@example.org").smarthost == smarthost


@pytest.mark.parametrize(
    "url",
    [
        "hooks.slack.com/x",
        "://x",
        "https://",
        "https:///x",
        "https://[::1/x",
        "https://host:0/x",
        "https://host:99999/x",
        "https://host:port/x",
        "https://a b/x",
        "ftp://host/x",
        "https://host/x#y",
        "https://höst/x",
    ],
)
def test_invalid_url_is_refused_and_not_shown(url: str) -> None:
    assert refusal(SLACK_WEBHOOK_URL=url) == (
        "SLACK_WEBHOOK_URL is ***; accepted: an address that starts with https:// or http://"
    )


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"SMTP_PORT": "99999"}, "SMTP_PORT is '99999'; accepted: a port, 1 to 65535"),
        ({"SMTP_PORT": "0"}, "SMTP_PORT is '0'; accepted: a port, 1 to 65535"),
        ({"SMTP_PORT": "smtp"}, "SMTP_PORT is 'smtp'; accepted: a port, 1 to 65535"),
        (
            {"PAGERDUTY_ROUTING_KEY": "short"},
            (
                "PAGERDUTY_ROUTING_KEY is ***; accepted: the 32 letters and digits of an Events API v2 "
                "integration key"
            ),
        ),
        (
            {"SMTP_HOST": "mail.example.org"},
            "ALERT_EMAIL_DEFAULT is not set; accepted: e-mail addresses, since SMTP_HOST is set",
        ),
        ({"SMTP_PASSWORD": "x"}, "SMTP_USER is not set; accepted: the name that SMTP_PASSWORD belongs to"),
        ({"SMTP_USER": "x"}, "SMTP_PASSWORD is not set; accepted: the password of SMTP_USER"),
        ({"SMTP_USER": "a\nb"}, "SMTP_USER is 'a\\nb'; accepted: printable text"),
        ({"SMTP_USER": "a\udcffb"}, "SMTP_USER is 'a\\\\udcffb'; accepted: printable text"),
        ({"SMTP_PASSWORD": "hunter2\x00"}, "SMTP_PASSWORD is ***; accepted: printable text"),
        (
            {"SMTP_PASSWORD_FILE": "/nonexistent"},
            "SMTP_PASSWORD_FILE is '/nonexistent'; accepted: a file of 1 byte to 64 KiB: it does not exist",
        ),
    ],
)
def test_error_about_a_setting_is_one_line_with_its_name(variables: dict[str, str], message: str) -> None:
    assert refusal(**variables) == message


def test_mail_has_one_sender() -> None:
    assert refusal(SMTP_FROM="a@x.org, b@x.org").endswith("; accepted: one e-mail address")


def test_printed_settings_contain_no_secret() -> None:
    assert KEY not in repr(load(PAGERDUTY_ROUTING_KEY=KEY))
