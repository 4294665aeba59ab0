"""The list of targets that a stack must scrape comes from its jobs and from the target files."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tallow.stack.alerts import Target
from tallow.stack.deployment import ScrapeJob
from tallow.stack.engines import configuration
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.targets import expected_targets

JOBS = (ScrapeJob("tallow", "127.0.0.1:3000", "token"), ScrapeJob("prometheus", "127.0.0.1:9090"))
OWN = [Target("tallow", "127.0.0.1:3000"), Target("prometheus", "127.0.0.1:9090")]


def test_without_files_it_has_the_own_jobs(tmp_path: Path) -> None:
    assert expected_targets(JOBS, tmp_path) == OWN
    assert expected_targets(JOBS, tmp_path / "missing") == OWN


def test_files_add_their_targets_with_job_and_instance(tmp_path: Path) -> None:
    groups = [
        {"targets": ["b:3000", "c:3000"], "labels": {"job": "tallow"}},
        {"targets": ["10.0.0.1:9187"], "labels": {"job": "postgres", "instance": "database"}},
        {"targets": ["d:1"]},
    ]
    (tmp_path / "more.yml").write_text(yaml.safe_dump(groups))
    (tmp_path / "ignored.txt").write_text("- targets: [x]")
    assert expected_targets(JOBS, tmp_path) == [
        *OWN,
        Target("tallow", "b:3000"),
        Target("tallow", "c:3000"),
        Target("postgres", "database"),
        Target("further", "d:1"),
    ]


@pytest.mark.parametrize(
    "text", ["", "[", "a: 1", "- 1", "- targets: 5", "- labels: [1]\n  targets: [x]", "\x00", "- targets:"]
)
def test_a_file_that_is_none_adds_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text(text)
    assert expected_targets(JOBS, tmp_path) == OWN


def test_the_rules_of_a_stack_list_its_targets(tmp_path: Path) -> None:
    home = StateDir(tmp_path)
    home.make()
    configuration.make_folders(home)
    (home.config / "prometheus" / "targets" / "b.yml").write_text(
        "- targets: [b:3000]\n  labels: {job: tallow}\n"
    )
    settings = configuration.load_settings(tmp_path)
    assert isinstance(settings, StackSettings)
    files = configuration.render(home, StackOptions(port_offset=100), settings)
    text = files[home.config / "prometheus" / "rules" / "prometheus-rules-monitoring.yml"]
    for place in ('job="tallow",instance="127.0.0.1:3100"', 'job="node-exporter",instance="127.0.0.1:9200"'):
        assert f"absent(up{{{place}}})" in text
    assert 'absent(up{job="tallow",instance="b:3000"})' in text
