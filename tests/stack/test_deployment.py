"""The files of every deployment equal the native ones, except for the values of its tables."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from itertools import chain
from pathlib import PurePosixPath
from typing import Final

import pytest
import yaml

from tallow.stack.alerts import RULES, Rule, rule_files
from tallow.stack.dashboards.provisioning import datasources
from tallow.stack.deployment import ACCESS, COMPOSE, KUBERNETES, NATIVE, PORTS, Deployment, native
from tallow.stack.engines.services.definitions import SERVICES
from tallow.stack.prometheus import PrometheusPaths, prometheus_config
from tallow.stack.routing import AlertSettings, alertmanager_config

ROOT: Final = PurePosixPath("/etc/tallow")
PATHS: Final = PrometheusPaths(ROOT / "secrets", ROOT / "rules", ROOT / "targets")
SETTINGS: Final = AlertSettings.model_construct(
    alert_email_default="operations@example.org", smtp_host="smtp.example.org"
)
OTHERS: Final = (COMPOSE, KUBERNETES)
GENERATED: Final[Mapping[str, Callable[[Deployment], str]]] = {
    "alertmanager.yml": lambda one: alertmanager_config(
        SETTINGS, secrets_dir=ROOT, template_glob="*.tmpl", deployment=one
    ),
    "core rules": lambda one: rule_files(deployment=one)["prometheus-rules.yml"],
    "further rules": lambda one: rule_files(deployment=one)["prometheus-rules-monitoring.yml"],
}


def natively(text: str, deployment: Deployment) -> str:
    """The text with each value of a deployment's tables replaced by the native one."""
    values = {
        **{deployment.base_urls[name]: NATIVE.base_urls[name] for name in deployment.base_urls},
        **{deployment.hosts[name]: NATIVE.hosts[name] for name in deployment.hosts if name in NATIVE.hosts},
        **{
            f'job="{job}"': f'job="{NATIVE.job_names[service]}"'
            for service, job in deployment.job_names.items()
            if service in NATIVE.job_names
        },
    }
    for theirs in sorted(values, key=len, reverse=True):
        text = text.replace(theirs, values[theirs])
    return text


@pytest.mark.parametrize("name", GENERATED)
@pytest.mark.parametrize("deployment", OTHERS, ids=lambda one: one.name)
def test_a_file_equals_the_native_one_except_for_the_tables(name: str, deployment: Deployment) -> None:
    assert natively(GENERATED[name](deployment), deployment) == GENERATED[name](NATIVE)


@pytest.mark.parametrize("deployment", OTHERS, ids=lambda one: one.name)
def test_scrape_jobs_equal_the_native_ones_except_for_the_tables(deployment: Deployment) -> None:
    shared = NATIVE.job_names.keys() & deployment.job_names.keys()
    assert {"tallow", "prometheus", "alertmanager"} <= shared

    def scraped(one: Deployment) -> tuple[object, dict[str, object]]:
        document = yaml.safe_load(natively(prometheus_config(one, PATHS), one))
        names = {one.job_names[service]: service for service in shared}
        jobs = document.pop("scrape_configs")
        by_service = {names[job["job_name"]]: job for job in jobs if job["job_name"] in names}
        return document, {
            service: {key: value for key, value in job.items() if key != "job_name"}
            for service, job in by_service.items()
        }

    assert scraped(deployment) == scraped(NATIVE)


@pytest.mark.parametrize("deployment", OTHERS, ids=lambda one: one.name)
def test_data_sources_differ_by_their_address_only(deployment: Deployment) -> None:
    theirs = yaml.safe_load(datasources(deployment))["datasources"]
    others = yaml.safe_load(datasources(COMPOSE if deployment is KUBERNETES else KUBERNETES))["datasources"]
    for one, other in zip(theirs, others, strict=True):
        assert one["url"] == f"http://{deployment.hosts[one['type']]}"
        assert one | {"url": ""} == other | {"url": ""}


def test_no_host_of_another_deployment_is_left() -> None:
    every = "\n".join(chain.from_iterable((make(KUBERNETES), make(COMPOSE)) for make in GENERATED.values()))
    assert "127.0.0.1" not in every + prometheus_config(COMPOSE, PATHS) + datasources(COMPOSE)


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.name)
def test_job_names_in_expressions_are_those_of_the_table(rule: Rule) -> None:
    renamed = rule.with_job_names({service: f"<{service}>" for service in NATIVE.job_names}).render()
    matcher = re.compile(r'\bjob *(?:=|!=|=~|!~|) *"([^"]*)"')
    text = json.dumps([renamed.expr, *renamed.annotations.values()], ensure_ascii=False).replace('\\"', '"')
    assert all(name.startswith("<") for name in matcher.findall(text))
    assert rule.with_job_names({service: service for service in NATIVE.job_names}).render() == rule.render()


def test_every_service_has_a_port_and_an_access() -> None:
    assert PORTS.keys() == {service.name for service in SERVICES}
    for deployment in (NATIVE, *OTHERS):
        assert deployment.job_names.keys() <= deployment.hosts.keys() & ACCESS.keys(), deployment.name


def test_the_port_offset_moves_every_port() -> None:
    moved = native(10_000)
    assert moved.hosts == {name: f"127.0.0.1:{port + 10_000}" for name, port in PORTS.items()}
    assert moved.job_names == NATIVE.job_names
