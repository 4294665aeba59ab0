"""Settings of the operator: names, files, old names, and errors of one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.stack.routing import AlertSettings, AlertSettingsError, secret_files

KEY = "0123456789abcdef0123456789ABCDEF"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AlertSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> AlertSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return AlertSettings.load(env_file=None)


def test_every_audience_falls_back_to_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, ALERT_EMAIL_DEFAULT="a@example.org", ALERT_EMAIL_SECURITY="s@example.org")
    assert settings.email("security") == "s@example.org"
    for audience in ("default", "critical", "performance", "operations", "digest"):
        assert settings.email(audience) == "a@example.org"


def test_with_nothing_set_mail_stays_on_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch).email("critical") == "operator@localhost"


def test_several_addresses_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(monkeypatch, ALERT_EMAIL_DEFAULT="a@x.org,b@x.org").email("default") == "a@x.org, b@x.org"


@pytest.mark.parametrize(
    ("name", "file"), [("PAGERDUTY_ROUTING_KEY", KEY), ("SLACK_WEBHOOK_URL", "https://hooks.example.org/x")]
)
def test_a_secret_is_read_from_its_file_without_the_newline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, file: str
) -> None:
    (tmp_path / "secret").write_text(f"{file}\n")
    settings = load(monkeypatch, **{f"{name}_FILE": str(tmp_path / "secret")})
    assert secret_files(settings) == {name.lower(): file}


def test_the_variable_comes_before_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("f" * 32)
    settings = load(
        monkeypatch, PAGERDUTY_ROUTING_KEY=KEY, PAGERDUTY_ROUTING_KEY_FILE=str(tmp_path / "secret")
    )
    assert secret_files(settings) == {"pagerduty_routing_key": KEY}


@pytest.mark.parametrize("suffix", ["", "_FILE"])
def test_the_old_name_of_the_pagerduty_key_is_accepted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, suffix: str
) -> None:
    (tmp_path / "secret").write_text(KEY)
    settings = load(
        monkeypatch, **{f"PAGERDUTY_SERVICE_KEY{suffix}": str(tmp_path / "secret") if suffix else KEY}
    )
    assert secret_files(settings) == {"pagerduty_routing_key": KEY}


def test_settings_are_read_from_a_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / "env").write_text("ALERT_EMAIL_DEFAULT=a@example.org\nSMTP_HOST=mail.example.org\n")
    settings = AlertSettings.load(env_file=tmp_path / "env")
    assert (settings.email("default"), settings.smtp_host) == ("a@example.org", "mail.example.org")


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"ALERT_EMAIL_CRITICAL": "nobody"},
            "ALERT_EMAIL_CRITICAL: give e-mail addresses, separated by commas",
        ),
        ({"SMTP_PORT": "99999"}, "SMTP_PORT: Input should be less than or equal to 65535"),
        (
            {"SLACK_WEBHOOK_URL": "hooks.slack.com/x"},
            "SLACK_WEBHOOK_URL: give an address that starts with https:// or http://",
        ),
        (
            {"PAGERDUTY_ROUTING_KEY": "short"},
            "PAGERDUTY_ROUTING_KEY: give the 32 letters and digits of an Events API v2 integration key",
        ),
        ({"SMTP_HOST": "mail.example.org"}, "ALERT_EMAIL_DEFAULT: set an address, since SMTP_HOST is set"),
        ({"SMTP_PASSWORD": "x"}, "SMTP_USER: set the name that SMTP_PASSWORD belongs to"),
        (
            {"SMTP_PASSWORD_FILE": "/nonexistent"},
            "SMTP_PASSWORD_FILE: cannot read the file (No such file or directory)",
        ),
    ],
)
def test_a_bad_setting_is_one_line_that_names_it(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    with pytest.raises(AlertSettingsError) as caught:
        load(monkeypatch, **variables)
    assert str(caught.value) == message


def test_secrets_do_not_show_when_settings_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert KEY not in repr(load(monkeypatch, PAGERDUTY_ROUTING_KEY=KEY))
