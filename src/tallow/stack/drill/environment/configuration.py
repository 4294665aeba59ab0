"""A track's configuration: the shipped one, scaled, leading to the drill's targets and receivers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack import alerts, routing
from tallow.stack.alerts import Groups, Links
from tallow.stack.drill.environment.profile import DrillProfile
from tallow.stack.drill.receivers.receiver_set import ReceiverSet
from tallow.stack.durations import promql_duration
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.prometheus import (
    PASSWORD_FILE,
    SCRAPE_INTERVAL_S,
    PrometheusPaths,
    ScrapeJob,
    prometheus_config,
)

MARK: Final = {"drill": "yes"}
"""The label that marks every alert of a drill; the message templates look for it."""
OBJECTIVES: Final = "tallow_slo"


def groups(track: DrillProfile, shipped: Groups = alerts.GROUPS) -> Groups:
    """The rule groups that a track loads."""
    return {name: rules for name, rules in shipped.items() if track.objectives or name != OBJECTIVES}


def write_rules(home: StateDir, track: DrillProfile, links: Links, shipped: Groups) -> None:
    """Write the shipped rules with every duration multiplied by the track's scale."""
    rules = home.config / "prometheus" / "rules"
    for name, text in alerts.rule_files(track.scale, links, groups(track, shipped)).items():
        write_private(rules / name, text)


def write_prometheus(
    home: StateDir, track: DrillProfile, jobs: tuple[ScrapeJob, ...], alertmanager: int
) -> None:
    """Write ``prometheus.yml``: the shipped one, but for these differences.

    Intervals are scaled (no further than the track says) and a scrape may take all of one; alerts carry the
    mark; the targets of job ``tallow`` come from a file; and a folder of further rules is read.
    """
    place = home.config / "prometheus"
    config = prometheus_config(
        jobs,
        f"127.0.0.1:{alertmanager}",
        PrometheusPaths(home.secrets, place / "rules", place / "targets"),
        scale=track.interval / SCRAPE_INTERVAL_S,
    )
    document = yaml.safe_load(config)
    document["global"] |= {"external_labels": MARK, "scrape_timeout": promql_duration(track.interval)}
    document["rule_files"].append(str(place / "rules" / "further" / "*.yml"))
    for scrape in document["scrape_configs"]:
        if scrape["job_name"] == "tallow":
            del scrape["static_configs"]
            scrape["file_sd_configs"] = [{"files": [str(place / "tallow.yml")]}]
    private_folder(place / "targets")  # Prometheus watches only folders that are there when it starts
    write_private(place / "prometheus.yml", yaml.safe_dump(document, sort_keys=False))
    write_targets(home, {})


def write_targets(home: StateDir, targets: Mapping[str, str]) -> None:
    """What job ``tallow`` scrapes from now on: the label ``instance``, and where it is reached."""
    found = [{"targets": [where], "labels": {"instance": name}} for name, where in targets.items()]
    write_private(home.config / "prometheus" / "tallow.yml", yaml.safe_dump(found))


def write_alertmanager(home: StateDir, track: DrillProfile, receivers: ReceiverSet, heartbeat: int) -> None:
    """Write Alertmanager's configuration, templates and secrets with the addresses of the receivers."""
    place, secrets = home.config / "alertmanager", home.secrets / "alertmanager"
    config = routing.alertmanager_config(
        receivers.settings,
        secrets_dir=secrets,
        template_glob=str(place / "templates" / "*.tmpl"),
        password_file=home.secrets / PASSWORD_FILE,
        heartbeat=f"http://127.0.0.1:{heartbeat}/heartbeat",
        pagerduty=receivers.pagerduty,
        scale=track.scale,
    )
    write_private(place / "alertmanager.yml", config)
    for name, text in routing.templates().items():
        write_private(place / "templates" / name, text)
    for name, text in routing.secret_files(receivers.settings).items():
        write_private(secrets / name, text)
