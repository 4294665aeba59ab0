"""Write the configuration of a drill profile: the shipped one with scaled times and a drill's addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack import alerts, routing
from tallow.stack.alerts import Groups
from tallow.stack.deployment import Deployment
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.receivers.receiver_set import ReceiverSet
from tallow.stack.durations import promql_duration
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import (
    PASSWORD_FILE,
    SCRAPE_INTERVAL_S,
    PrometheusPaths,
    prometheus_config,
)

MARK: Final = {"drill": "yes"}
"""The label that marks every alert of a drill; the message templates look for it."""
OBJECTIVES: Final = "tallow_slo"


def rule_groups(profile: DrillProfile, shipped: Groups = alerts.GROUPS) -> Groups:
    """The rule groups that a profile loads."""
    return {name: rules for name, rules in shipped.items() if profile.objectives or name != OBJECTIVES}


def write_rules(home: StateDir, profile: DrillProfile, deployment: Deployment, shipped: Groups) -> None:
    """Write the shipped rules with every duration multiplied by the profile's scale."""
    rules = home.config / "prometheus" / "rules"
    for name, text in alerts.rule_files(profile.scale, deployment, rule_groups(profile, shipped)).items():
        write_private(rules / name, text)


def write_prometheus(home: StateDir, profile: DrillProfile, deployment: Deployment) -> None:
    """Write ``prometheus.yml``: the shipped one with these differences.

    The intervals are those of the profile, and a scrape may take a whole interval. Alerts have the drill's
    label. The targets of the job ``tallow`` come from a file, and the rules of one more folder are read.
    """
    folder = home.config / "prometheus"
    config = prometheus_config(
        deployment,
        PrometheusPaths(home.secrets, folder / "rules", folder / "targets"),
        scale=profile.interval / SCRAPE_INTERVAL_S,
    )
    document = yaml.safe_load(config)
    document["global"] |= {"external_labels": MARK, "scrape_timeout": promql_duration(profile.interval)}
    document["rule_files"].append(str(folder / "rules" / "further" / "*.yml"))
    for scrape in document["scrape_configs"]:
        if scrape["job_name"] == "tallow":
            del scrape["static_configs"]
            scrape["file_sd_configs"] = [{"files": [str(folder / "tallow.yml")]}]
    private_folder(folder / "targets")  # Prometheus watches only folders that exist at its start
    write_private(folder / "prometheus.yml", yaml.safe_dump(document, sort_keys=False))
    write_targets(home, {})


def write_targets(home: StateDir, targets: Mapping[str, str]) -> None:
    """Write the targets of the job ``tallow``: addresses by the label ``instance``."""
    groups = [{"targets": [address], "labels": {"instance": name}} for name, address in targets.items()]
    write_private(home.config / "prometheus" / "tallow.yml", yaml.safe_dump(groups))


def write_alertmanager(
    home: StateDir, profile: DrillProfile, receivers: ReceiverSet, deployment: Deployment
) -> None:
    """Write Alertmanager's configuration, templates and secrets with the addresses of the receivers."""
    folder, secrets = home.config / "alertmanager", home.secrets / "alertmanager"
    config = routing.alertmanager_config(
        receivers.settings,
        secrets_dir=secrets,
        template_glob=str(folder / "templates" / "*.tmpl"),
        deployment=deployment,
        password_file=home.secrets / PASSWORD_FILE,
        pagerduty=receivers.pagerduty,
        scale=profile.scale,
    )
    write_private(folder / "alertmanager.yml", config)
    for name, text in routing.templates().items():
        write_private(folder / "templates" / name, text)
    for name, text in routing.secret_files(receivers.settings).items():
        write_private(secrets / name, text)
