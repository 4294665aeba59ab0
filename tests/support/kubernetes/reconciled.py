"""A cluster in which the operator reads an overlay, and the files that it writes."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from support.kubernetes.cluster import Cluster, running_cluster, running_operator, wait_for
from support.kubernetes.installation import create_secrets
from support.kubernetes.manifests import OVERLAYS, ROOT, overlay_with
from support.programs.go_modules import API_SERVERS
from tallow.stack.alerts import RULES
from tallow.stack.drill.receivers.receiver_set import AUDIENCES, address
from tallow.stack.kubernetes.components import COMPONENTS
from tallow.stack.routing.matrix import receivers

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


@contextlib.contextmanager
def running_reconciled(root: Path, overlay: str) -> Iterator[Reconciled]:
    """The operator, kube-prometheus-stack's objects and one overlay, with every channel."""
    with running_cluster(root / "api", VERSION_OF[overlay]) as running, running_operator(running):
        for namespace in ("monitoring", "tallow"):
            running.kubectl("create", "namespace", namespace)
        create_secrets(running)
        running.apply(KUBE_PROMETHEUS_STACK.read_text())
        recipients = {f"ALERT_EMAIL_{audience.upper()}": address(audience) for audience in AUDIENCES}
        every = overlay_with(root / "deploy", overlay, recipients, CHANNELS)
        running.apply(yaml.safe_dump_all(every), "--force-conflicts")
        yield Reconciled(running, overlay)


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
