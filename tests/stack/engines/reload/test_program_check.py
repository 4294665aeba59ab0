"""promtool and amtool check a configuration before it is used."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.programs.debian import program
from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack.engines import configuration
from tallow.stack.engines.programs.programs import MissingProgramError, Program
from tallow.stack.engines.reload import program_check
from tallow.stack.engines.reload.program_check import check_configuration, run_check
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

EVERYTHING = {
    "ALERT_EMAIL_DEFAULT": "operations@example.org",
    "SMTP_HOST": "fd00::1",
    "SMTP_USER": "tallow",
    "SMTP_PASSWORD": "secret",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/secret",
    "PAGERDUTY_ROUTING_KEY": "0" * 32,
    "REMOTE_WRITE_URL": "https://mimir.example/push",
    "REMOTE_READ_URL": "https://mimir.example/read",
    "REMOTE_USER": "tallow",
    "REMOTE_PASSWORD": "secret",
    "METRICS_TOKEN": "secret" * 4,
}


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    for name in ("promtool", "amtool"):
        program(name)  # skips where it cannot be had
    made = StateDir(tmp_path / "a folder")
    made.make()
    return made


@pytest.mark.parametrize("variables", [{}, EVERYTHING], ids=["nothing set", "everything set"])
def test_a_valid_configuration_is_accepted_and_its_copy_removed(
    home: StateDir, variables: dict[str, str]
) -> None:
    before = sorted(home.root.rglob("*"))
    settings = StackSettings.load(VariableSource(variables))
    assert check_configuration(home, StackOptions(), settings, print) == ()
    assert sorted(home.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "text", "reason"),
    [
        ("prometheus/prometheus.yml", "global: {scrape_interval: never}\n", "promtool refuses .*never"),
        ("prometheus/prometheus.yml", "nonsense: 1\n", "promtool refuses .*nonsense"),
        ("prometheus/rules/prometheus-rules.yml", "groups: [{name: a, rules: [{alert: B}]}]\n", "expr"),
        ("alertmanager/alertmanager.yml", "route: {receiver: nobody}\n", "amtool refuses .*nobody"),
        ("alertmanager/templates/tallow.tmpl", "{{ end }}", "amtool refuses .*unexpected"),
    ],
)
def test_an_invalid_configuration_is_one_line_with_the_real_path(
    home: StateDir, monkeypatch: pytest.MonkeyPatch, file: str, text: str, reason: str
) -> None:
    render = configuration.render

    def broken(place: StateDir, options: StackOptions, settings: StackSettings) -> dict[Path, str]:
        return {**render(place, options, settings), place.config / file: text}

    monkeypatch.setattr(configuration, "render", broken)  # no setting that is accepted leads here
    with pytest.raises(BadSettingError, match=reason) as caught:
        check_configuration(home, StackOptions(), StackSettings.load(VariableSource({})), print)
    assert "\n" not in str(caught.value)
    assert str(home.run / "check") not in str(caught.value)
    assert not (home.run / "check").exists()


def test_a_missing_checking_program_is_a_note(home: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise MissingProgramError("no apt here")

    monkeypatch.setattr(program_check, "ensure", missing)  # this machine has them
    assert check_configuration(home, StackOptions(), StackSettings.load(VariableSource({})), print) == (
        "promtool is not there: prometheus.yml was not checked before it was used",
        "amtool is not there: alertmanager.yml was not checked before it was used",
    )


def test_a_checking_program_that_does_not_start_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "promtool").write_text("no program")
    (tmp_path / "promtool").chmod(0o700)
    with pytest.raises(BadSettingError, match=r"^promtool cannot check the configuration: .*"):
        run_check(Program(tmp_path / "promtool"), [], {})
