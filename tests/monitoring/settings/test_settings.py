"""Settings: names, files, masked secrets, and errors of one line."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from pydantic.fields import FieldInfo
from starlette.applications import Starlette

from tallow.app.server.settings import ServerSettings
from tallow.monitoring import instrument
from tallow.monitoring.settings import BadSettingError, MonitoringSettings, current_settings
from tallow.monitoring.settings.base import Settings, is_secret, variable_of
from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.monitoring.testing import assert_absent

TOKEN = "correct-horse-battery-staple"
SECRET = "hunter2-hunter2 hunter2"


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    for variable in MonitoringSettings.variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.chdir(tmp_path)
    current_settings.cache_clear()
    yield
    current_settings.cache_clear()


def test_nothing_is_sent_by_default() -> None:
    settings = MonitoringSettings.load()
    assert (settings.log_endpoint, settings.sentry_dsn, settings.plausible_domain) == (None, None, None)
    assert settings.plausible_forward_address is False


def test_the_environment_precedes_dotenv_and_empty_means_unset(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\nENVIRONMENT=staging\nRELEASE=tallow@1\n")
    monkeypatch.setenv("LOG_LEVEL", "WARN")
    monkeypatch.setenv("RELEASE", "")
    settings = MonitoringSettings.load()
    assert (settings.log_level, settings.environment, settings.release) == ("warning", "staging", "tallow@1")


@pytest.mark.parametrize(
    ("name", "alias"), [("environment", "SENTRY_ENVIRONMENT"), ("release", "SENTRY_RELEASE")]
)
def test_sentry_s_variable_names_are_read(monkeypatch: pytest.MonkeyPatch, name: str, alias: str) -> None:
    monkeypatch.setenv(alias, "canary")
    assert getattr(MonitoringSettings.load(), name) == "canary"


@pytest.mark.parametrize(
    ("variable", "value", "accepted"),
    [
        ("LOG_LEVEL", "loud", "debug, info, warning, error or fatal"),
        ("LOG_FORMAT", "xml", "auto"),
        ("LOG_ENDPOINT", "loki:3100", "https://"),
        ("LOG_ENDPOINT", "http://loki/push?a=b", "without query"),
        ("LOG_FILE", "/", "a file that can be written"),
        ("LOG_FILE", "/dev/null/tallow.log", "a file that can be written"),
        ("LOG_SPOOL_DIR", "/dev/null", "a folder that can be written to"),
        ("LOG_ENDPOINT_KIND", "syslog", "loki"),
        ("LOG_QUEUE_SIZE", "0", "from 1"),
        ("LOG_SPOOL_MAX_BYTES", "12", "65536"),
        ("SENTRY_TRACES_SAMPLE_RATE", "2", "from 0 to 1"),
        ("SENTRY_TRACES_SAMPLE_RATE", "nan", "from 0 to 1"),
        ("ENVIRONMENT", "a b", "letters"),
        ("RELEASE", "one/two", "slash"),
        ("PLAUSIBLE_HOST", "ftp://plausible.io", "https://"),
        ("PLAUSIBLE_DOMAIN", "https://example.org", "the site's name"),
        ("PLAUSIBLE_FORWARD_ADDRESS", "perhaps", "true or false"),
        ("PLAUSIBLE_TIMEOUT", "-1", "seconds above 0"),
    ],
)
def test_the_error_of_a_bad_value_is_one_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, accepted: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(BadSettingError) as caught:
        MonitoringSettings.load()
    line = str(caught.value)
    assert line.startswith(f"{variable} is {value!r}; accepted: ")
    assert accepted in line
    assert "\n" not in line


@pytest.mark.parametrize(
    "value", ["hooks", "https://", "http://[::1", "http://h:0/", "http://h:99999/", "http://h/#x"]
)
def test_an_unusable_url_is_rejected(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("LOG_ENDPOINT", value)
    with pytest.raises(BadSettingError, match=r"^LOG_ENDPOINT is '"):
        MonitoringSettings.load()


@pytest.mark.parametrize("port", ["0", "70000", "port"])
def test_a_dsn_with_an_invalid_port_is_rejected(monkeypatch: pytest.MonkeyPatch, port: str) -> None:
    monkeypatch.setenv("SENTRY_DSN", f"https://key@sentry.example.org:{port}/1")
    with pytest.raises(BadSettingError, match=r"^SENTRY_DSN is \*\*\*; accepted: a DSN"):
        MonitoringSettings.load()


def test_the_error_of_a_bad_value_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("# logging\nLOG_LEVEL=verbose\n")
    with pytest.raises(BadSettingError) as caught:
        MonitoringSettings.load()
    assert str(caught.value) == (
        "LOG_LEVEL is 'verbose'; accepted: debug, info, warning, error or fatal "
        f"({tmp_path / '.env'}, line 2)"
    )


def test_the_error_of_a_bad_secret_names_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("short\n")
    (tmp_path / ".env").write_text("METRICS_TOKEN_FILE=token\n")
    with pytest.raises(BadSettingError) as caught:
        MonitoringSettings.load()
    assert str(caught.value) == (
        "METRICS_TOKEN is ***; accepted: at least 16 printable characters without a space "
        "(METRICS_TOKEN_FILE token)"
    )


def test_a_secret_in_a_file_variable_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN_FILE", SECRET)
    with pytest.raises(BadSettingError, match=r"^METRICS_TOKEN_FILE is \*\*\*; accepted: a file"):
        MonitoringSettings.load()


def test_another_env_file_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("LOG_LEVEL=debug\n")
    (tmp_path / "other").write_text("LOG_LEVEL=error\n")
    monkeypatch.setenv("TALLOW_ENV_FILE", "other")
    assert MonitoringSettings.load().log_level == "error"
    monkeypatch.setenv("TALLOW_ENV_FILE", "missing")
    with pytest.raises(
        BadSettingError, match=r"^TALLOW_ENV_FILE is 'missing'; accepted: the path of a file$"
    ):
        MonitoringSettings.load()


def test_relative_paths_are_relative_to_the_given_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "token").write_text(TOKEN)
    source = VariableSource({"METRICS_TOKEN_FILE": "token"}, folder=tmp_path / "folder")
    assert MonitoringSettings.load(source).metrics_bearer == TOKEN


def test_an_application_s_dotenv_may_have_invalid_lines(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("set -a\nLOG_LEVEL=debug\n")
    assert MonitoringSettings.load().log_level == "debug"
    with pytest.raises(BadSettingError, match=r"\.env, line 1: it does not have the form NAME=value$"):
        ServerSettings.load()
    (tmp_path / ".env").unlink()
    (tmp_path / ".env").mkdir()  # a virtual environment, for instance
    assert MonitoringSettings.load().log_level == "info"
    with pytest.raises(BadSettingError, match=r"\.env cannot be read: it is a folder$"):
        ServerSettings.load()


def test_names_are_read_in_any_case_and_capitals_take_precedence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("log_format=json\nLOG_LEVEL=error\nlog_level=debug\n")
    source = VariableSource({"Environment": "canary"}, read_env_file(tmp_path / "file", {}))
    settings = MonitoringSettings.load(source)
    assert (settings.log_format, settings.log_level, settings.environment) == ("json", "error", "canary")


def test_the_variables_of_settings_are_known() -> None:
    names = MonitoringSettings.variables()
    assert {"LOG_LEVEL", "SENTRY_DSN_FILE", "SENTRY_RELEASE"} <= set(names)
    assert "LOG_LEVEL_FILE" not in names
    assert "FAULTS" not in ServerSettings.variables()


@pytest.mark.parametrize(
    "variable",
    [variable_of(name, field) for name, field in MonitoringSettings.model_fields.items() if is_secret(field)],
)
def test_a_bad_secret_is_masked_from_every_source(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    for name, value in ((variable, SECRET), (f"{variable}_FILE", str(tmp_path / "secret"))):
        monkeypatch.setenv(name, value)
        with pytest.raises(BadSettingError) as caught:
            MonitoringSettings.load()
        assert str(caught.value).startswith(f"{variable} is ***; accepted: ")
        monkeypatch.delenv(name)


BAD = ("nonsense \x7f of hunter2?a=b#", "-1", "7e99", "/dev/null/x")
"""Every variable rejects at least one of these values."""
ANYTHING = {"TALLOW_DATA_DIR", "CLUSTER_HOST", "TURN_SECRET"}
"""Variables of the server that accept any text; errors are reported when the value is used."""
FIELDS = [
    (cls, name, field)
    for cls in (MonitoringSettings, ServerSettings)
    for name, field in cls.model_fields.items()
    if variable_of(name, field) not in ANYTHING
]


@pytest.mark.parametrize(("cls", "name", "field"), FIELDS, ids=[name for _, name, _ in FIELDS])
def test_every_variable_rejects_bad_values_in_one_line(
    monkeypatch: pytest.MonkeyPatch, cls: type[Settings], name: str, field: FieldInfo
) -> None:
    variable = variable_of(name, field)
    lines = {bad: _error_line(monkeypatch, cls, variable, bad) for bad in BAD}
    rejected = [(bad, line) for bad, line in lines.items() if line is not None]
    assert rejected
    for bad, line in rejected:
        shown = "***" if is_secret(field) else repr(bad)
        assert line == f"{variable} is {shown}; accepted: {field.description}"
        assert line.isprintable()


def _error_line(
    monkeypatch: pytest.MonkeyPatch, cls: type[Settings], variable: str, value: str
) -> str | None:
    monkeypatch.setenv(variable, value)
    try:
        cls.load()
    except BadSettingError as error:
        return str(error)
    return None


def test_a_secret_inside_another_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOG_ENDPOINT", "https://alice:hunter2@logs.example.org/push?token=4711x9f")
    with pytest.raises(BadSettingError, match=r"^LOG_ENDPOINT is '") as caught:
        MonitoringSettings.load()
    assert_absent(["hunter2", "4711x9f"], str(caught.value))


def test_a_password_in_a_database_url_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "nosuch://alice:hunter2@db/tallow")
    with pytest.raises(BadSettingError, match=r"^DATABASE_URL is \*\*\*; accepted: postgresql://"):
        ServerSettings.load()


def test_a_secret_is_read_from_its_file_unless_the_variable_is_set(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    monkeypatch.setenv("METRICS_TOKEN_FILE", str(tmp_path / "token"))
    assert MonitoringSettings.load().metrics_bearer == TOKEN
    monkeypatch.setenv("METRICS_TOKEN", TOKEN.upper())
    assert MonitoringSettings.load().metrics_bearer == TOKEN.upper()


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"x" * 70_000, None])
def test_the_error_of_an_empty_secret_file_names_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    monkeypatch.setenv("HEALTH_CHECK_TOKEN_FILE", str(tmp_path / "token"))
    with pytest.raises(BadSettingError, match=r"^HEALTH_CHECK_TOKEN_FILE is '.*token'; accepted: a file"):
        MonitoringSettings.load()


def test_secrets_are_not_in_the_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    monkeypatch.setenv("SENTRY_DSN", "https://abc123@sentry.example.org/7")
    text = repr(MonitoringSettings.load())
    assert TOKEN not in text
    assert "abc123" not in text


async def test_metrics_are_read_only_with_the_metrics_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", TOKEN)
    transport = httpx.ASGITransport(instrument(Starlette()))
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})).status_code == 200


async def test_a_bad_setting_stops_a_server_before_it_listens(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("TALLOW_LOG_LEVEL", "loud")
    server = uvicorn.Server(uvicorn.Config(instrument(Starlette()), port=0, log_config=None))
    with pytest.raises(SystemExit):
        await server.serve()
    assert not server.started
    assert "TALLOW_LOG_LEVEL is 'loud'; accepted: debug, info, warning, error or fatal" in caplog.text


async def test_without_lifespan_a_bad_setting_disables_the_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("METRICS_TOKEN", SECRET)
    transport = httpx.ASGITransport(instrument(Starlette()))
    async with httpx.AsyncClient(transport=transport, base_url="http://tallow") as client:
        answer = await client.get("/metrics")
    assert answer.status_code == 503
    assert "hunter2" not in answer.text


@pytest.mark.slow
async def test_tallow_serve_stops_with_one_line(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tallow", "serve", "--port", "0", "--data-dir", str(tmp_path)),
        env={"METRICS_TOKEN": "short", "PATH": ""},
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert errors.decode().splitlines() == [
        "Error: METRICS_TOKEN is ***; accepted: at least 16 printable characters without a space"
    ]


def test_importing_and_instrumenting_does_not_load_pydantic() -> None:
    code = "from tallow.monitoring import instrument; instrument(print); import sys; print(*sys.modules)"
    shown: Any = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not {"pydantic", "httpx", "sentry_sdk"} & set(shown.stdout.split())
