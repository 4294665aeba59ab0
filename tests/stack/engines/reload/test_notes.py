"""Variables that are set and have no effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tallow.monitoring.settings.base import SettingVariables
from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack.engines.reload.notes import setting_notes

SETTINGS = [
    SettingVariables(("LOG_LEVEL",)),
    SettingVariables(("LOG_FORMAT",)),
    SettingVariables(("TALLOW_DATA_DIR",)),
    SettingVariables(("METRICS_TOKEN",), ("METRICS_TOKEN_FILE",)),
    SettingVariables(("ENVIRONMENT", "SENTRY_ENVIRONMENT")),
]


@pytest.mark.parametrize(
    ("text", "environment", "expected"),
    [
        ("LOG_LEVEL=info\nOTHER=1\n", {"LOG_LEVEL": "info", "HOME": "/"}, []),
        ("LOG_LEVEL=info\nLOG_LEVEL=info\n", {}, []),
        ("LOG_LEVEL=info\nLOG_LEVEL=debug\n", {}, ["{env}: LOG_LEVEL is set more than once; line 2 counts"]),
        ("OTHER=1\nOTHER=2\n", {}, []),
        (
            "\nLOG_LEVEL=info\n",
            {"log_level": "debug"},
            ["{env}, line 2: LOG_LEVEL has no effect, since the environment sets it"],
        ),
        ("LOG_LEVEL=\n", {"LOG_LEVEL": "debug"}, []),
        (
            "METRICS_TOKEN=x\nMETRICS_TOKEN_FILE=y\n",
            {},
            ["METRICS_TOKEN_FILE has no effect, since METRICS_TOKEN is set"],
        ),
        ("METRICS_TOKEN_FILE=y\n", {}, []),
        ("LOG_FORMAT=json\n", {}, ["LOG_FORMAT has no effect: the stack sets it"]),
        ("", {"TALLOW_DATA_DIR": "/x"}, ["TALLOW_DATA_DIR has no effect: the stack sets it"]),
        (
            "TALLOW_HOME=/x\n",
            {},
            ["{env}, line 1: TALLOW_HOME has no effect in a file, only in the environment"],
        ),
        ("", {"TALLOW_HOME": "/x"}, []),
        ("", {"LOGLEVEL": "x"}, ["LOGLEVEL in the environment is no setting; did you mean LOG_LEVEL?"]),
    ],
)
def test_variables_without_effect_are_noted(
    tmp_path: Path, text: str, environment: dict[str, str], expected: list[str]
) -> None:
    path = tmp_path / ".env"
    path.write_text(text)
    source = VariableSource(environment, read_env_file(path, environment), tmp_path)
    assert setting_notes(source, SETTINGS) == tuple(line.format(env=path) for line in expected)


def test_notes_contain_no_values(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("METRICS_TOKEN=hunter2\nMETRICS_TOKEN=hunter3\nMETRICS_TOKEN_FILE=hunter4\n")
    environment = {"METRICS_TOKEN": "hunter5", "METRICS_TOKENS": "hunter6"}
    notes = setting_notes(VariableSource(environment, read_env_file(path, environment), tmp_path), SETTINGS)
    assert len(notes) == 4
    assert "hunter" not in "".join(notes)
