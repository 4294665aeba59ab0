"""The operator accepts the objects; promtool accepts what it writes. No node: no pod starts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.kubernetes.cluster import wait_for
from support.kubernetes.installation import create_secrets
from support.kubernetes.reconciled import (
    PLACE,
    Reconciled,
    alertmanager_file,
    alerts,
    rule_file,
    secret,
)
from support.programs.go_modules import PROMTOOL, go_program

pytestmark = [pytest.mark.proof, pytest.mark.integration]


def test_the_operator_accepts_every_object(reconciled: Reconciled) -> None:
    alertmanager_file(reconciled)
    rule_file(reconciled)
    events = reconciled.cluster.get("events", "-A")["items"]
    rejected = [one for one in events if one["reason"] == "InvalidConfiguration"]
    assert not rejected, [one["message"] for one in rejected]
    log = (reconciled.cluster.folder / "operator.log").read_text()
    skipped = ("skipping object", "skipping alertmanagerconfig", "skipping prometheusrule")
    assert not [line for line in log.splitlines() if any(f'"msg":"{one}' in line for one in skipped)]


@pytest.mark.parametrize("reconciled", ["remote-write"], indirect=True)
@pytest.mark.parametrize("name", ["prometheus-tallow", "alertmanager-tallow"])
def test_pods_of_the_operator_pass_the_restricted_standard(reconciled: Reconciled, name: str) -> None:
    """Prometheus and Alertmanager of Tallow's own run in its namespace, which enforces the standard."""
    cluster = reconciled.cluster

    def made() -> Any:
        done = cluster.try_kubectl("get", "statefulset", "-n", "tallow", name, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    spec = wait_for(made, f"the operator makes {name}")["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", **spec["template"]}
    pod["metadata"] = {
        "labels": spec["template"]["metadata"]["labels"],
        "name": "trial",
        "namespace": "tallow",
    }
    pod["spec"]["serviceAccountName"] = "tallow"
    claims = [one["metadata"]["name"] for one in spec["volumeClaimTemplates"]]
    pod["spec"]["volumes"] += [{"name": claim, "emptyDir": {}} for claim in claims]
    options = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    accepted = cluster.try_kubectl(*options, stdin=json.dumps(pod))
    assert accepted.returncode == 0, accepted.stderr
    for container in pod["spec"]["containers"]:
        if container["name"] in ("prometheus", "alertmanager"):
            assert {"startupProbe", "livenessProbe", "readinessProbe"} & container.keys()
            assert container["resources"]["limits"]["memory"]


@pytest.mark.parametrize("reconciled", ["remote-write"], indirect=True)
def test_the_own_prometheus_finds_its_targets_and_sends_samples(reconciled: Reconciled) -> None:
    cluster = reconciled.cluster

    def written() -> str | None:
        text = secret(cluster, "tallow", "prometheus-tallow", "prometheus.yaml.gz")
        return text if text and "serviceMonitor/tallow/tallow-alertmanager/0" in text else None

    document = yaml.safe_load(wait_for(written, "the operator writes Prometheus's configuration"))
    [remote] = document["remote_write"]
    assert remote["url"] == "https://mimir.example.org/api/v1/push"
    assert remote["basic_auth"]["username"]
    assert document["global"]["external_labels"]["cluster"] == "cluster-1"
    for service in ("prometheus", "alertmanager"):
        monitor = cluster.get("servicemonitor", "-n", "tallow", f"tallow-{service}")["spec"]
        operated = cluster.get("service", "-n", "tallow", f"{service}-operated")
        assert monitor["selector"]["matchLabels"].items() <= operated["metadata"]["labels"].items()
        ports = {port["name"] for port in operated["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["endpoints"]} <= ports
    [alerting] = document["alerting"]["alertmanagers"]
    [discovery] = alerting["kubernetes_sd_configs"]
    assert discovery["namespaces"]["names"] == ["tallow"]
    resource = {"endpointslice": "endpointslices.discovery.k8s.io", "endpoints": "endpoints"}
    for verb, name, allowed in (
        ("list", resource[discovery["role"]], "yes"),
        ("watch", "pods", "yes"),
        ("get", "secrets", "no"),
    ):
        account = "--as=system:serviceaccount:tallow:tallow-prometheus"
        answer = cluster.try_kubectl("auth", "can-i", verb, name, "-n", "tallow", account)
        assert answer.stdout.strip() == allowed, (verb, name)


def test_promtool_accepts_the_scrape_configuration_and_the_rules(
    reconciled: Reconciled, tmp_path: Path
) -> None:
    namespace, name = PLACE[reconciled.overlay]

    def written() -> str | None:
        text = secret(reconciled.cluster, namespace, f"prometheus-{name}", "prometheus.yaml.gz")
        return text if text and "serviceMonitor/tallow/tallow/0" in text else None

    text = wait_for(written, "the operator writes Prometheus's configuration")
    document = yaml.safe_load(text)
    rules = tmp_path / "rules.yml"
    rules.write_text(rule_file(reconciled))
    document["rule_files"] = [str(rules)]
    jobs = {one["job_name"]: one for one in document["scrape_configs"]}
    scrape = jobs["serviceMonitor/tallow/tallow/0"]
    assert scrape["sample_limit"] == 50_000
    assert (scrape["scrape_interval"], scrape["scrape_timeout"]) == ("15s", "10s")
    assert scrape["authorization"]["credentials"] or scrape["authorization"]["credentials_file"]
    job = [one for one in scrape["relabel_configs"] if one.get("target_label") == "job"]
    assert job[-1]["replacement"] == "tallow"
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(without_api_access(document, tmp_path)))
    checked = subprocess.run(
        [go_program(PROMTOOL), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert f"{len(alerts(reconciled))} rules found" in checked.stdout


def without_api_access(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The configuration with empty files in place of those that a pod would have."""
    text = (
        yaml.safe_dump(document).replace("/etc/prometheus/", f"{folder}/").replace("/var/run/", f"{folder}/")
    )
    changed: dict[str, Any] = yaml.safe_load(text)
    for value in _strings(changed):
        path = Path(value)
        if value.startswith(f"{folder}/") and "*" not in value and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
    return changed


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)


def test_a_missing_secret_is_reported_and_routes_of_others_stay(reconciled: Reconciled) -> None:
    """The operator refuses the whole object; the heartbeat then misses Watchdog and notifies by itself."""
    reconciled.cluster.kubectl("delete", "secret", "-n", "tallow", "tallow-alerting")

    def refused() -> list[str]:
        log = (reconciled.cluster.folder / "operator.log").read_text().splitlines()
        return [line for line in log if "tallow-alerting" in line and "not found" in line]

    assert wait_for(refused, "the operator names the missing Secret")
    create_secrets(reconciled.cluster)
    assert alertmanager_file(reconciled)
