"""`tallow doctor` finds each damage in a cluster: a real API server with the operator, and no nodes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from click.testing import CliRunner

from support.kubernetes.cluster import Cluster, kubectl, running_cluster, running_operator, wait_for
from support.kubernetes.controllers import NAMESPACE, patch_status, report_ready
from support.kubernetes.installation import create_secrets
from support.kubernetes.manifests import built
from support.kubernetes.reconciled import KUBE_PROMETHEUS_STACK
from support.programs.go_modules import API_SERVERS
from tallow.cli import main

pytestmark = [pytest.mark.proof, pytest.mark.integration]

OVERLAY = "kube-prometheus-stack"
CERTIFICATES = ("tallow-tls", "tallow-heartbeat-tls")
SERVER = "/spec/template/spec/containers/0"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("doctor") / "api"
    with running_cluster(folder, next(iter(API_SERVERS))) as running, running_operator(running):
        for namespace in ("monitoring", "tallow"):
            running.kubectl("create", "namespace", namespace)
        running.apply(KUBE_PROMETHEUS_STACK.read_text())
        yield running


@pytest.fixture
def healthy(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """The cluster with everything that an installation has."""
    monkeypatch.setenv("KUBECONFIG", str(cluster.config))
    monkeypatch.setenv("PATH", f"{kubectl().parent}{os.pathsep}{os.environ['PATH']}")
    create_secrets(cluster)
    for name in CERTIFICATES:
        document = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "tallow"}}
        cluster.apply(json.dumps(document | {"stringData": {"tls.crt": "x", "tls.key": "x"}}))
    cluster.kubectl("delete", "pods,events", *NAMESPACE, "--all", "--now")
    cluster.apply(built(OVERLAY), "--force-conflicts")
    report_ready(cluster)
    return cluster


def problems() -> dict[str, list[str]]:
    """The messages of doctor by check, without the values of the example that are to be set."""
    done = CliRunner().invoke(main, ["doctor", "--engine", "kubernetes", "--json"])
    checks = json.loads(done.stdout)["checks"]
    all_problems = [problem for one in checks for problem in one["problems"]]
    assert all(problem["remedy"] for problem in all_problems)
    failing = any(problem["severity"] == "error" for problem in all_problems)
    assert done.exit_code == int(failing), done.output
    found = {one["id"]: messages(one) for one in checks}
    return {name: of_it for name, of_it in found.items() if of_it}


def messages(check: dict[str, Any]) -> list[str]:
    found = [problem["message"] for problem in check["problems"]]
    if check["id"] == "cluster-settings":
        return [one for one in found if "still has the value" not in one]
    return found


@dataclass(frozen=True)
class Case:
    """A damage, and the check and the message by which doctor names it."""

    damage: Callable[[Cluster], object]
    check: str
    message: str


def delete(*names: str) -> Callable[[Cluster], object]:
    return lambda cluster: cluster.kubectl("delete", *NAMESPACE, *names)


def patch(name: str, *operations: dict[str, Any]) -> Callable[[Cluster], object]:
    text = json.dumps(operations)
    return lambda cluster: cluster.kubectl("patch", name, *NAMESPACE, "--type=json", "-p", text)


def remove(path: str) -> dict[str, Any]:
    return {"op": "remove", "path": path}


def replace(path: str, value: Any) -> dict[str, Any]:
    return {"op": "replace", "path": path, "value": value}


def make_waiting_pod(cluster: Cluster) -> None:
    document = cluster.get("deployment", "tallow", *NAMESPACE)["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **document}
    pod["metadata"] = {**document["metadata"], "name": "tallow-1", "namespace": "tallow"}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(pod))
    waiting = {"name": "tallow", "image": "tallow", "imageID": "", "restartCount": 0, "ready": False}
    waiting["state"] = {"waiting": {"reason": "ImagePullBackOff"}}
    patch_status(cluster, "pod/tallow-1", {"containerStatuses": [waiting]})


def delete_settings(cluster: Cluster) -> None:
    for one in cluster.get("configmaps", *NAMESPACE)["items"]:
        if one["metadata"]["name"].startswith("tallow-settings"):
            cluster.kubectl("delete", "configmap", *NAMESPACE, one["metadata"]["name"])


CASES = {
    "no secret": Case(
        delete("secret", "tallow-server"), "cluster-secrets", "the Secret tallow-server is missing"
    ),
    "no key": Case(
        patch("secret/tallow-server", remove("/data/redis-url")),
        "cluster-secrets",
        "the Secret tallow-server lacks the key redis-url, which Deployment tallow reads",
    ),
    "no certificate": Case(
        delete("secret", "tallow-tls"), "cluster-secrets", "the Secret tallow-tls is missing, which Ingress"
    ),
    "no settings": Case(delete_settings, "cluster-settings", "is missing, which the pods read"),
    "pod that waits": Case(make_waiting_pod, "pods", "container tallow waits: ImagePullBackOff"),
    "no ready pod": Case(
        lambda cluster: report_ready(cluster, ready=False),
        "availability",
        "Deployment tallow has no pod that is ready",
    ),
    "single pod": Case(
        patch("hpa/tallow", replace("/spec/minReplicas", 1)), "availability", "may have a single pod"
    ),
    "no disruption budget": Case(
        delete("poddisruptionbudget", "--all"), "availability", "has no PodDisruptionBudget"
    ),
    "no network policy": Case(
        delete("networkpolicy", "--all"), "network-policies", "who reaches Deployment tallow"
    ),
    "host without TLS": Case(patch("ingress/tallow", remove("/spec/tls")), "ingress-tls", "without TLS"),
    "latest image": Case(
        patch("deployment/tallow", replace(f"{SERVER}/image", "tallow:latest")),
        "images",
        "the image tallow:latest has no fixed version",
    ),
    "no probe": Case(
        patch("deployment/tallow", remove(f"{SERVER}/readinessProbe")), "probes", "lacks readinessProbe"
    ),
    "may write": Case(
        patch("deployment/tallow", replace(f"{SERVER}/securityContext/readOnlyRootFilesystem", False)),
        "pod-security",
        "can write to its root file system",
    ),
    "no rules": Case(delete("prometheusrule", "--all"), "cluster-rules", "nothing alerts"),
    "a group of rules is missing": Case(
        patch("prometheusrule/tallow", remove("/spec/groups/0")), "cluster-rules", "rules of this version"
    ),
    "no routes": Case(delete("alertmanagerconfig", "--all"), "cluster-routes", "no alert reaches anybody"),
    "Watchdog is not routed": Case(
        patch("alertmanagerconfig/tallow", remove("/spec/route/routes/0")),
        "cluster-watchdog",
        "Watchdog is not routed to the heartbeat checker",
    ),
    "another service is scraped": Case(
        patch("servicemonitor/tallow", replace("/spec/selector/matchLabels", {"app": "other"})),
        "service-monitor",
        "no ServiceMonitor selects a Service of Deployment tallow",
    ),
    "no dashboard": Case(
        delete("configmap", "tallow-overview-dashboard"), "dashboards", "Grafana does not get tallow-overview"
    ),
}


def test_nothing_is_wrong_with_a_whole_installation(healthy: Cluster) -> None:
    assert problems() == {}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_damage_in_the_cluster_is_named(healthy: Cluster, case: Case) -> None:
    case.damage(healthy)
    found = problems()
    assert [one for one in found.get(case.check, []) if case.message in one], found


def test_what_the_operator_refuses_is_named(healthy: Cluster) -> None:
    """The operator reads the Secret for Alertmanager; it writes an event for an object that it leaves out."""
    healthy.kubectl("delete", "secret", *NAMESPACE, "tallow-alerting")

    def refused() -> list[str]:
        return [one for one in problems().get("operator", []) if "AlertmanagerConfig tallow" in one]

    [message, *_] = wait_for(refused, "the operator's event")
    assert "tallow-alerting" in message


def test_a_namespace_without_objects_is_one_line(healthy: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    done = CliRunner().invoke(main, ["doctor", "--engine", "kubernetes", "--namespace", "other"])
    assert (done.exit_code, len(done.output.splitlines())) == (3, 1)
    assert "name another with --namespace" in done.output
    monkeypatch.setenv("KUBECONFIG", str(healthy.folder / "none"))
    done = CliRunner().invoke(main, ["doctor", "--engine", "kubernetes"])
    assert (done.exit_code, len(done.output.splitlines())) == (3, 1)
    assert "kubectl fails" in done.output
