"""Prometheus accepts the configuration, and it has the values of the contract."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from support.programs.debian import program
from tallow.stack import alerts
from tallow.stack.alerts.self_monitoring import SAMPLE_LIMIT
from tallow.stack.deployment import COMPOSE, NATIVE
from tallow.stack.prometheus import (
    PrometheusPaths,
    RemoteStorage,
    files,
    prometheus_config,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def layout(tmp_path: Path) -> PrometheusPaths:
    """The folders of a running Prometheus."""
    for name in ("secrets", "rules", "targets"):
        (tmp_path / name).mkdir()
    for secret in ("metrics_token", "monitoring_password", "remote"):
        (tmp_path / "secrets" / secret).write_text("a secret")
    for path in alerts.files():
        (tmp_path / "rules" / path.name).write_text(alerts.files()[path])
    return PrometheusPaths(tmp_path / "secrets", tmp_path / "rules", tmp_path / "targets")


def check(config: str, folder: Path) -> str:
    (folder / "prometheus.yml").write_text(config)
    checked = subprocess.run(
        [program("promtool"), "check", "config", folder / "prometheus.yml"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
    return checked.stdout


def test_committed_file_is_current() -> None:
    for path, content in files().items():
        assert (ROOT / path).read_text() == content


def test_promtool_accepts_every_job_and_both_rule_files(layout: PrometheusPaths, tmp_path: Path) -> None:
    output = check(prometheus_config(COMPOSE, layout), tmp_path)
    assert "2 rule files found" in output


def test_promtool_accepts_remote_storage(layout: PrometheusPaths, tmp_path: Path) -> None:
    remote = RemoteStorage(
        "http://mimir/api/v1/push", "http://mimir/prometheus/api/v1/read", "me", tmp_path / "secrets/remote"
    )
    config = prometheus_config(COMPOSE, layout, remote=remote)
    check(config, tmp_path)
    document = yaml.safe_load(config)
    assert document["remote_write"][0]["url"] == "http://mimir/api/v1/push"
    assert document["remote_read"][0]["basic_auth"]["username"] == "me"


def test_scrape_interval_and_limits(layout: PrometheusPaths) -> None:
    document = yaml.safe_load(prometheus_config(COMPOSE, layout))
    assert document["global"]["scrape_interval"] == "15s"
    [tallow] = [job for job in document["scrape_configs"] if job["job_name"] == "tallow"]
    assert tallow["sample_limit"] == SAMPLE_LIMIT
    assert tallow["label_limit"] >= 10


def test_configuration_contains_no_secret(layout: PrometheusPaths) -> None:
    jobs = {"tallow": "tallow", "prometheus": "prometheus"}
    document = prometheus_config(replace(NATIVE, job_names=jobs), layout)
    assert "a secret" not in document
    assert document.count("password_file") == 2
    assert document.count("credentials_file") == 1


def test_scale_multiplies_every_interval(layout: PrometheusPaths) -> None:
    document = yaml.safe_load(prometheus_config(COMPOSE, layout, scale=0.1))
    assert document["global"] == {
        "scrape_interval": "1500ms",
        "scrape_timeout": "1s",
        "evaluation_interval": "1500ms",
    }
