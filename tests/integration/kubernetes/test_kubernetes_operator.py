"""The operator reconciles the objects, and no alert is lost on the way through the files that it writes.

The cluster has no node: no pod starts. What the operator writes for Prometheus and Alertmanager is read from
its Secrets and ConfigMaps, and given to promtool, amtool and a real Alertmanager.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml

from support.kubernetes.cluster import Cluster, process, running_cluster, running_operator, wait_for
from support.kubernetes.installation import create_secrets
from support.kubernetes.manifests import OVERLAYS, ROOT, overlay_with
from support.programs.debian import program
from support.programs.go_modules import AMTOOL, API_SERVERS, PROMTOOL, go_program
from support.programs.prometheus import free_port
from tallow.stack.alerts import RULES
from tallow.stack.drill.receivers.receiver_set import AUDIENCES, ReceiverSet, address, running_receivers
from tallow.stack.engines.programs.programs import ensure
from tallow.stack.kubernetes.components import COMPONENTS
from tallow.stack.routing.matrix import receivers

pytestmark = [pytest.mark.proof, pytest.mark.integration]

VERSION_OF: Final = dict(zip(OVERLAYS, API_SERVERS, strict=True))
"""The version of the cluster in which the operator reads an overlay."""
CHANNELS: Final = tuple(one.name for one in COMPONENTS)
KUBE_PROMETHEUS_STACK: Final = ROOT / "tests" / "support" / "kubernetes" / "kube-prometheus-stack.yaml"

PLACE: Final = {
    "kube-prometheus-stack": ("monitoring", "main"),
    "remote-write": ("tallow", "tallow"),
}
"""The namespace and the name of the Prometheus and the Alertmanager that read the objects of an overlay."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """A cluster in which the operator runs, and the overlay that was applied."""

    cluster: Cluster
    overlay: str


@pytest.fixture(scope="module", params=OVERLAYS)
def reconciled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reconciled]:
    """The operator, kube-prometheus-stack's objects and one overlay, with every channel."""
    root = tmp_path_factory.mktemp("operator")
    version = VERSION_OF[request.param]
    with running_cluster(root / "api", version) as running, running_operator(running):
        for namespace in ("monitoring", "tallow"):
            running.kubectl("create", "namespace", namespace)
        create_secrets(running)
        running.apply(KUBE_PROMETHEUS_STACK.read_text())
        recipients = {f"ALERT_EMAIL_{audience.upper()}": address(audience) for audience in AUDIENCES}
        every = overlay_with(root / "deploy", request.param, recipients, CHANNELS)
        running.apply(yaml.safe_dump_all(every), "--force-conflicts")
        yield Reconciled(running, request.param)


def secret(cluster: Cluster, namespace: str, name: str, key: str) -> str | None:
    """The text of a compressed key that the operator writes; None as long as it does not exist."""
    done = cluster.try_kubectl("get", "secret", "-n", namespace, name, "-o", "json")
    data = json.loads(done.stdout)["data"] if done.returncode == 0 else {}
    return gzip.decompress(base64.b64decode(data[key])).decode() if key in data else None


def alertmanager_file(reconciled: Reconciled) -> str:
    """Alertmanager's configuration, as the operator wrote it."""
    namespace, name = PLACE[reconciled.overlay]

    def written() -> str | None:
        secret_name = f"alertmanager-{name}-generated"
        text = secret(reconciled.cluster, namespace, secret_name, "alertmanager.yaml.gz")
        return text if text and "tallow/tallow/critical-alerts" in text else None

    found: str = wait_for(written, "the operator writes Alertmanager's configuration")
    return found


def rule_file(reconciled: Reconciled) -> str:
    """The rules that the operator wrote for Prometheus."""
    namespace, name = PLACE[reconciled.overlay]

    def written() -> str | None:
        done = reconciled.cluster.try_kubectl(
            "get", "configmap", "-n", namespace, f"prometheus-{name}-rulefiles-0", "-o", "json"
        )
        data = json.loads(done.stdout).get("data", {}) if done.returncode == 0 else {}
        texts = [text for file, text in data.items() if file.startswith("tallow-tallow-")]
        return texts[0] if texts else None

    found: str = wait_for(written, "the operator writes the rules")
    return found


def alerts(reconciled: Reconciled) -> dict[str, dict[str, str]]:
    """The labels of an alert of each rule by name: those that its expression keeps and the rule adds."""
    document = yaml.safe_load(rule_file(reconciled))
    rules = [rule for group in document["groups"] for rule in group["rules"]]
    return {
        rule["alert"]: {
            **{label: f"a-{label}" for label in RULES[rule["alert"]].group_labels},
            **rule["labels"],
            "alertname": rule["alert"],
        }
        for rule in rules
    }


def expected(labels: dict[str, str]) -> set[str]:
    """The receivers of the contract, as the operator names them."""
    native = dict(labels, severity=RULES[labels["alertname"]].severity)
    return {f"tallow/tallow/{receiver.name}" for receiver in receivers(native)}


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


def test_every_alert_reaches_the_receivers_of_the_contract(reconciled: Reconciled, tmp_path: Path) -> None:
    config = tmp_path / "alertmanager.yml"
    config.write_text(alertmanager_file(reconciled))
    amtool = go_program(AMTOOL)
    subprocess.run([amtool, "check-config", config], check=True, capture_output=True)
    if reconciled.overlay == "kube-prometheus-stack":
        [route] = [
            one
            for one in yaml.safe_load(config.read_text())["route"]["routes"]
            if one["receiver"] == "tallow/tallow/default"
        ]
        assert 'namespace="tallow"' in route["matchers"], "the operator's matcher is part of the test"
    found = alerts(reconciled)
    assert len(found) > 25
    for name, labels in found.items():
        assert expected(labels) == routed(amtool, config, labels) - {"null"}, name
        if reconciled.overlay == "kube-prometheus-stack":
            unlabelled = {label: value for label, value in labels.items() if label != "namespace"}
            assert routed(amtool, config, unlabelled) == {"null"}, "without the label it would be lost"


def routed(amtool: Path, config: Path, labels: dict[str, str]) -> set[str]:
    pairs = [f"{name}={value}" for name, value in labels.items()]
    done = subprocess.run(
        [amtool, "config", "routes", "test", f"--config.file={config}", *pairs],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.strip().split(","))


@contextlib.contextmanager
def running_alertmanager(config: str, folder: Path) -> Iterator[str]:
    (folder / "alertmanager.yml").write_text(config)
    port = free_port()
    program("prometheus-alertmanager")  # skips the test if it is not available
    installed = ensure(["alertmanager"])["alertmanager"]
    command = [
        str(installed.path),
        f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
    ]
    url = f"http://127.0.0.1:{port}"

    def ready() -> bool:
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"{url}/-/ready").is_success
        return False

    with process(folder / "alertmanager.log", command, installed.folder) as running:
        wait_for(lambda: ready() or running.poll() is not None, "Alertmanager starts")
        assert running.poll() is None, (folder / "alertmanager.log").read_text()
        yield url


async def test_every_alert_is_delivered_over_the_channels_of_its_receivers(
    reconciled: Reconciled, tmp_path: Path
) -> None:
    """The messages of the operator's file are complete: strict receivers of each kind accept them."""
    found = alerts(reconciled)
    async with running_receivers() as fake:
        config = with_addresses(alertmanager_file(reconciled), fake)
        with running_alertmanager(config, tmp_path) as url:
            now = datetime.now(UTC).isoformat()
            sent = [
                {"labels": labels, "annotations": {"summary": f"About {name}"}, "startsAt": now}
                for name, labels in found.items()
            ]
            async with httpx.AsyncClient() as client:
                (await client.post(f"{url}/api/v2/alerts", json=sent)).raise_for_status()
            wanted = {
                (channel, name)
                for name, labels in found.items()
                for receiver in receivers(dict(labels, severity=RULES[name].severity))
                for channel in receiver.channels
                if channel != "heartbeat"
            }

            def missing() -> set[tuple[str, str]]:
                return {
                    (channel, name)
                    for channel, name in wanted
                    if not any(
                        one.channel == channel and f"About {name}" in one.text for one in fake.inbox.messages
                    )
                }

            for _ in range(600):
                if not missing():
                    break
                await asyncio.sleep(0.1)
            assert not missing()
            assert not fake.inbox.rejections
            assert all(one.subject and "<no value>" not in one.text for one in fake.inbox.messages)


def with_addresses(text: str, fake: ReceiverSet) -> str:
    """The operator's file with the addresses and secrets of the test receivers, and without waiting."""
    document = yaml.safe_load(text)
    settings = fake.settings
    assert settings.slack_webhook_url
    assert settings.pagerduty_routing_key
    assert settings.smtp_password
    mail = {
        "smarthost": settings.smarthost,
        "from": settings.smtp_from,
        "auth_username": settings.smtp_user,
        "auth_password": settings.smtp_password.get_secret_value(),
        "require_tls": False,
    }
    pager = {"url": fake.pagerduty, "routing_key": settings.pagerduty_routing_key.get_secret_value()}
    changed = {
        "email_configs": mail,
        "slack_configs": {"api_url": settings.slack_webhook_url.get_secret_value()},
        "pagerduty_configs": pager,
    }
    for receiver in document["receivers"]:
        for kind, values in changed.items():
            for integration in receiver.get(kind, []):
                integration.update(values)
    waiting = [document["route"]]
    while waiting:
        route = waiting.pop()
        route["group_wait"] = "1s"
        waiting += route.get("routes", [])
    document["inhibit_rules"] = []  # all alerts fire at once, and a critical one inhibits warnings
    return str(yaml.safe_dump(document))


@pytest.mark.parametrize("reconciled", ["kube-prometheus-stack"], indirect=True)
def test_info_inhibitor_of_kube_prometheus_stack_inhibits_no_alert(
    reconciled: Reconciled, tmp_path: Path
) -> None:
    """InfoInhibitor fires in every namespace that has an alert of severity info and no other."""
    inhibitor = {"alertname": "InfoInhibitor", "namespace": "tallow", "severity": "none"}
    info = {"alertname": "Other", "namespace": "tallow", "severity": "info"}
    found = alerts(reconciled)
    quiet = {name: labels for name, labels in found.items() if RULES[name].severity == "info"}
    assert "Watchdog" in quiet
    with running_alertmanager(alertmanager_file(reconciled), tmp_path) as url:
        now = datetime.now(UTC).isoformat()
        sent = [{"labels": one, "startsAt": now} for one in (inhibitor, info, *quiet.values())]
        httpx.post(f"{url}/api/v2/alerts", json=sent).raise_for_status()

        def inhibited() -> dict[str, bool]:
            answer = httpx.get(f"{url}/api/v2/alerts").json()
            return {one["labels"]["alertname"]: bool(one["status"]["inhibitedBy"]) for one in answer}

        wait_for(lambda: inhibited().get("Other"), "an alert of severity info is inhibited")
        state = inhibited()
        assert not [name for name in quiet if state[name]]


def test_a_missing_secret_is_reported_and_routes_of_others_stay(reconciled: Reconciled) -> None:
    """The operator refuses the whole object; the heartbeat then misses Watchdog and notifies by itself."""
    reconciled.cluster.kubectl("delete", "secret", "-n", "tallow", "tallow-alerting")

    def refused() -> list[str]:
        log = (reconciled.cluster.folder / "operator.log").read_text().splitlines()
        return [line for line in log if "tallow-alerting" in line and "not found" in line]

    assert wait_for(refused, "the operator names the missing Secret")
    create_secrets(reconciled.cluster)
    assert alertmanager_file(reconciled)
