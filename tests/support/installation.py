"""An installation as `tallow up` leaves it, without running services, and what single checks say of it."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import yaml

from tallow.monitoring.lifecycle.private_files import write_private
from tallow.monitoring.settings.env_file import read_env_file
from tallow.monitoring.settings.variable_source import VariableSource
from tallow.stack import credentials
from tallow.stack.doctor.model import CheckResult, Problem, diagnose
from tallow.stack.doctor.native.checks import CHECKS
from tallow.stack.doctor.native.installation import Installation
from tallow.stack.engines import configuration
from tallow.stack.engines.reload.snapshot import env_text
from tallow.stack.engines.services.definitions import SETTINGS_FILE
from tallow.stack.engines.stack_settings import StackSettings
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files
from tallow.stack.engines.supervisor.state_files import Release, SupervisorPlan, SupervisorStatus

COMPLETE = {
    "ALERT_EMAIL_DEFAULT": "operations@example.org",
    "SMTP_HOST": "smtp.example.org",
    "SLACK_WEBHOOK_URL": "https://hooks.slack.example/services/rosebud",
    "PAGERDUTY_ROUTING_KEY": "0" * 32,
    "HEARTBEAT_URL": "https://switch.example/rosebud",
}
"""Settings with which every receiver has all of its channels."""
GIGABYTE = 10**9

Usage = namedtuple("Usage", "total used free")


def fresh_installation(folder: Path, settings: dict[str, str] | None = None) -> StateDir:
    """Write every file of an installation in ``folder/home``, with ``.env`` in ``folder``."""
    home, values = StateDir(folder / "home"), COMPLETE if settings is None else settings
    home.make()
    options = StackOptions(env_folder=str(folder))
    home.write_options(options)
    credentials.create_missing(home.secrets)
    write_private(folder / ".env", env_text(values))
    write_private(home.secrets / SETTINGS_FILE, env_text(values))
    loaded = StackSettings.load(VariableSource({}, read_env_file(folder / ".env", {})))
    configuration.write(home, configuration.render(home, options, loaded))
    (home.data / "prometheus").mkdir(parents=True, exist_ok=True)
    programs = {"prometheus": "2.42.0", "alertmanager": "0.25.0", "node_exporter": "1.5.0"}
    state_files.write_plan(home, SupervisorPlan(release=Release("1", "code", programs)))
    state_files.write_status(home, SupervisorStatus())
    return home


def inspected(home: StateDir, **machine: Any) -> Installation:
    """The installation on a machine with 500 GB, a synchronised clock and no listening sockets."""
    healthy: dict[str, Any] = {
        "disk_usage": lambda _: Usage(500 * GIGABYTE, 100 * GIGABYTE, 400 * GIGABYTE),
        "listeners": lambda _: [],
        "is_clock_synchronised": lambda: True,
    }
    return Installation(home, **{**healthy, **machine})


def result_of(check: str, installation: Installation) -> CheckResult:
    """The result of one check."""
    [result] = diagnose("native", [one for one in CHECKS if one.id == check], installation).results
    return result


def problems_of(check: str, installation: Installation) -> list[Problem]:
    """The problems that one check finds. It must not be skipped."""
    result = result_of(check, installation)
    assert not result.skipped, result.skipped
    return list(result.problems)


def edit_yaml(path: Path, change: Any) -> None:
    """Change a YAML file in place with a function of its content."""
    document = yaml.safe_load(path.read_text())
    change(document)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


IS_ROOT = os.geteuid() == 0
