"""The committed files are current, and Grafana's types can read them."""

from __future__ import annotations

import configparser
import json
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tallow.stack.dashboards import FOLDER, dashboards, files
from tallow.stack.dashboards.provisioning import DASHBOARDS
from tallow.stack.deployment import COMPOSE

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("path", files(), ids=str)
def test_committed_file_is_current(path: PurePosixPath) -> None:
    assert (ROOT / path).read_text() == files()[path]


def test_no_other_file_is_committed() -> None:
    assert {FOLDER / path.name for path in (ROOT / FOLDER).iterdir()} == set(files())


def holds(whole: Any, part: Any) -> bool:
    """Whether ``whole`` contains ``part``; it may have more fields."""
    if isinstance(part, dict):
        return all(key in whole and holds(whole[key], value) for key, value in part.items())
    if isinstance(part, list):
        return len(whole) == len(part) and all(map(holds, whole, part))
    return bool(whole == part)


@pytest.mark.parametrize("uid", dashboards())
def test_every_panel_field_is_known_to_grafanas_types(uid: str) -> None:
    register_default_plugins()
    board = dashboards()[uid]
    read = Dashboard.from_json(json.loads(json.dumps(board)))
    again = json.loads(JSONEncoder().encode(read))
    for field in ("panels", "templating", "links", "time", "refresh", "tags", "uid", "title"):
        assert holds(again[field], board[field]), field


def test_datasources_contain_no_secret() -> None:
    sources = yaml.safe_load(files()[FOLDER / "grafana-datasources.yml"])["datasources"]
    assert [source["type"] for source in sources] == ["prometheus", "alertmanager", "loki"]
    for source in sources:
        assert source["url"] == COMPOSE.url(source["type"])
        for secret in source.get("secureJsonData", {}).values():
            assert secret.startswith("$__file{")


def test_dashboards_are_provisioned() -> None:
    [provider] = yaml.safe_load(files()[FOLDER / "grafana-dashboards.yml"])["providers"]
    assert provider["type"] == "file"
    assert provider["options"]["path"] == DASHBOARDS


UIDS = {
    *("tallow-overview", "tallow-transfers", "tallow-errors", "tallow-performance", "tallow-logs"),
    *("tallow-prometheus", "tallow-alertmanager", "tallow-loki", "tallow"),
}
"""Grafana does not save a dashboard whose file keeps its path and changes its uid: never change this list,
only add to it."""


def test_uids_never_change() -> None:
    sources = yaml.safe_load(files()[FOLDER / "grafana-datasources.yml"])["datasources"]
    [provider] = yaml.safe_load(files()[FOLDER / "grafana-dashboards.yml"])["providers"]
    found = {*dashboards(), *(source["uid"] for source in sources), provider["folderUid"]}
    assert found == UIDS


def test_grafana_asks_for_a_password_and_opens_the_overview() -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings.read_string(files()[FOLDER / "grafana.ini"])
    assert settings["auth.anonymous"]["enabled"] == "false"
    assert settings["users"]["allow_sign_up"] == "false"
    assert settings["security"]["admin_password"].startswith("$__file{/run/secrets/")
    assert settings["dashboards"]["default_home_dashboard_path"] == f"{DASHBOARDS}/tallow-overview.json"
    assert settings["analytics"]["reporting_enabled"] == settings["analytics"]["check_for_updates"] == "false"


def test_every_reference_between_datasources_exists() -> None:
    sources = yaml.safe_load(files()[FOLDER / "grafana-datasources.yml"])["datasources"]
    uids = {source["uid"] for source in sources}
    [prometheus] = [source["jsonData"] for source in sources if source["type"] == "prometheus"]
    [loki] = [source["jsonData"] for source in sources if source["type"] == "loki"]
    assert prometheus["alertmanagerUid"] in uids
    assert {field["datasourceUid"] for field in loki["derivedFields"]} <= uids
