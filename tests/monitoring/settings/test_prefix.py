"""Variables with a prefix, and variables without one that belong to other programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tallow.monitoring.settings import BadSettingError, MonitoringSettings, current_settings, load_settings
from tallow.monitoring.settings.base import SHARED_NAME
from tallow.monitoring.settings.field_variables import is_secret, variable_names
from tallow.monitoring.settings.process_options import ProcessOptions, check_options, claim, release
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.monitoring.testing import assert_absent

TOKEN = "correct-horse-battery-staple"
FOREIGN = {
    "LOG_LEVEL": "20",
    "LOG_FORMAT": "%(asctime)s %(message)s",
    "LOG_FILE": "/dev/null/host.log",
    "ENVIRONMENT": "Production (EU)",
    "SENTRY_ENVIRONMENT": "Production (EU)",
    "RELEASE": "refs/heads/main",
    "SENTRY_RELEASE": "refs/heads/main",
    "SERVICE_NAME": "My shop!",
}
"""Values that other programs accept and the library does not."""
STRICT = {
    "METRICS_TOKEN": "short",
    "HEALTH_CHECK_TOKEN": "short",
    "SENTRY_DSN": "hello",
    "LOG_ENDPOINT": "loki:3100",
    "LOG_ENDPOINT_TOKEN": "short",
    "SCRUB_DISABLE": "no-such-rule",
    "SCRUB_SECRET_KEYS": "a b",
    "SCRUB_KEEP_KEYS": "password",
    "PLAUSIBLE_HOST": "ftp://x",
    "SENTRY_TRACES_SAMPLE_RATE": "off",
    "PLAUSIBLE_FORWARD_ADDRESS": "perhaps",
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for variable in MonitoringSettings.variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


@pytest.mark.parametrize(("variable", "value"), FOREIGN.items())
def test_a_value_for_another_program_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    settings = current_settings()
    assert list(settings.ignored) == [variable]
    assert settings.ignored[variable].startswith(f"{variable} is '")
    assert settings.model_dump() == MonitoringSettings.load(VariableSource({})).model_dump()


@pytest.mark.parametrize(("variable", "value"), FOREIGN.items())
def test_a_program_of_its_own_accepts_no_unusable_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettingError, match=f"^{variable} is '"):
        MonitoringSettings.load()


@pytest.mark.parametrize(("variable", "value"), (FOREIGN | STRICT).items())
@pytest.mark.parametrize("prefix", ["TALLOW_", "SHOP_"])
def test_an_unusable_value_with_the_prefix_is_an_error(
    monkeypatch: pytest.MonkeyPatch, prefix: str, variable: str, value: str
) -> None:
    monkeypatch.setenv(f"{prefix}{variable}", value)
    with pytest.raises(BadSettingError, match=f"^{prefix}{variable} is ") as caught:
        load_settings(prefix)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("variable", "value"), STRICT.items())
def test_secrets_destinations_and_scrubber_rules_are_always_strict(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettingError, match=f"^{variable} is "):
        current_settings()


def test_no_secret_and_no_scrubber_rule_may_be_ignored() -> None:
    shared = {
        name for name, field in MonitoringSettings.model_fields.items() if SHARED_NAME in field.metadata
    }
    assert shared == {"service_name", "environment", "release", "log_level", "log_format", "log_file"}
    assert not any(is_secret(MonitoringSettings.model_fields[name]) for name in shared)


def test_the_prefixed_name_takes_precedence_wherever_it_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / ".env").write_text(f"TALLOW_LOG_LEVEL=error\nTALLOW_METRICS_TOKEN_FILE={tmp_path}/token\n")
    monkeypatch.setenv("LOG_LEVEL", "debug")
    monkeypatch.setenv("METRICS_TOKEN", TOKEN.upper())
    settings = MonitoringSettings.load()
    assert (settings.log_level, settings.metrics_bearer) == ("error", TOKEN)


def test_a_usable_alias_takes_the_place_of_an_ignored_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENVIRONMENT", "Production (EU)")
    monkeypatch.setenv("SENTRY_ENVIRONMENT", "staging")
    assert current_settings().environment == "staging"


def test_text_that_cannot_be_printed_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_FORMAT", "%(message)s\n")
    monkeypatch.setenv("SERVICE_NAME", "a\x07b")
    assert set(current_settings().ignored) == {"LOG_FORMAT", "SERVICE_NAME"}


@pytest.mark.parametrize("name", MonitoringSettings.model_fields)
def test_every_variable_has_a_prefixed_name(name: str) -> None:
    documented = variable_names(name, MonitoringSettings.model_fields[name])
    known = set(MonitoringSettings.variables())
    assert all(f"TALLOW_{one.removeprefix('TALLOW_')}" in known for one in documented)


def test_an_application_s_prefix_decides_for_the_process_while_it_is_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SHOP_LOG_LEVEL", "error")
    monkeypatch.setenv("TALLOW_LOG_LEVEL", "debug")
    owner = test_an_application_s_prefix_decides_for_the_process_while_it_is_open
    assert claim(owner, check_options(ProcessOptions(env_prefix="shop_")))
    assert current_settings().log_level == "error"
    release(owner)
    assert current_settings().log_level == "debug"


@pytest.mark.parametrize(
    ("options", "argument"),
    [
        (ProcessOptions(env_prefix=""), "env_prefix"),
        (ProcessOptions(env_prefix="1_"), "env_prefix"),
        (ProcessOptions(service="my shop"), "service"),
        (ProcessOptions(version="a/b"), "version"),
    ],
)
def test_an_unusable_argument_is_named(options: ProcessOptions, argument: str) -> None:
    with pytest.raises(ValueError, match=f"^{argument} is '.*'; accepted: "):
        check_options(options)


def _records(code: str, environment: dict[str, str], folder: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], **environment},
        cwd=folder,
    )
    assert done.stderr == b""
    return [orjson.loads(line) for line in done.stdout.splitlines()]


def test_each_ignored_variable_is_named_once_in_the_log(tmp_path: Path) -> None:
    code = """
from tallow.monitoring.logging import configure, logger
from tallow.monitoring.sentry import init_monitoring
init_monitoring()
logger.info("one")
configure()
logger.info("two")
"""
    environment = FOREIGN | {"SERVICE_NAME": "postgres://shop:hunter2@db/shop"}
    records = _records(code, environment, tmp_path)
    warnings = [record for record in records if record["level"] == "warning"]
    assert sorted(record["message"] for record in warnings) == sorted(
        f"{name} is ignored" for name in FOREIGN
    )
    assert [record["message"] for record in records if record["level"] == "info"] == ["one", "two"]
    assert_absent(["hunter2"], str(records))
