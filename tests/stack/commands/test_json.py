"""The JSON of `tallow alerts` and `tallow silence list` keeps its keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallow.cli import main
from tallow.stack import credentials
from tallow.stack.clients import alertmanager
from tallow.stack.clients.alertmanager import Alert, Silence
from tallow.stack.clients.matchers import Matcher
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

TIME = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    home = StateDir(tmp_path / "home")
    home.make()
    credentials.create_missing(home.secrets)
    home.write_options(StackOptions())
    return home


def test_alerts(home: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    alert = Alert({"alertname": "ServiceDown"}, {"summary": "down"}, "silenced", TIME, ("default",), ("id",))
    # Instead of a running Alertmanager: only the format of the output is tested here.
    monkeypatch.setattr(alertmanager, "alerts", lambda _api: [alert])
    result = CliRunner().invoke(main, ["alerts", "--json", "--home", str(home.root)])
    assert json.loads(result.output) == [
        {
            "labels": {"alertname": "ServiceDown"},
            "annotations": {"summary": "down"},
            "state": "silenced",
            "since": TIME.isoformat(),
            "receivers": ["default"],
            "by": ["id"],
        }
    ]


def test_silences(home: StateDir, monkeypatch: pytest.MonkeyPatch) -> None:
    silence = Silence("id", (Matcher("alertname", "ServiceDown"),), "active", TIME, TIME, "user", "deploy")
    # Instead of a running Alertmanager: only the format of the output is tested here.
    monkeypatch.setattr(alertmanager, "silences", lambda _api: [silence])
    result = CliRunner().invoke(main, ["silence", "list", "--json", "--home", str(home.root)])
    assert json.loads(result.output) == [
        {
            "id": "id",
            "matchers": [{"name": "alertname", "value": "ServiceDown", "regex": False, "equal": True}],
            "state": "active",
            "begins": TIME.isoformat(),
            "ends": TIME.isoformat(),
            "by": "user",
            "comment": "deploy",
        }
    ]
