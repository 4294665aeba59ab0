"""Pods: restrictions, probes, images, availability and network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from tallow.stack.doctor.kubernetes.cluster import Cluster, Object, name_of, pod_labels, pod_spec, selects
from tallow.stack.doctor.model import Check, NotApplicableError, Problem

PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
MAX_RESTARTS: Final = 3
_APPLY: Final = "apply the objects of deploy/kubernetes again, without changes to this"


def _pod_security(cluster: Cluster) -> Iterator[Problem]:
    for workload, container in cluster.containers():
        for problem in _unrestricted(pod_spec(workload), container):
            yield Problem(f"{name_of(workload)}, container {container['name']}: {problem}", _APPLY)


def _unrestricted(pod: Object, container: Object) -> Iterator[str]:
    own = {**(pod.get("securityContext") or {}), **(container.get("securityContext") or {})}
    capabilities = own.get("capabilities") or {}
    limits = (container.get("resources") or {}).get("limits") or {}
    wanted = {
        "may run as root": own.get("runAsNonRoot") is True,
        "can write to its root file system": own.get("readOnlyRootFilesystem") is True,
        "may gain privileges": own.get("allowPrivilegeEscalation") is False,
        "keeps capabilities": capabilities.get("drop") == ["ALL"],
        "is privileged": not own.get("privileged"),
        "has no memory limit": "memory" in limits,
        "shares the host's network": not pod.get("hostNetwork"),
    }
    yield from (problem for problem, holds in wanted.items() if not holds)


def _probes(cluster: Cluster) -> Iterator[Problem]:
    for workload, container in cluster.containers():
        missing = [probe for probe in PROBES if probe not in container]
        if missing and not _is_made_by_operator(workload):
            yield Problem(
                f"{name_of(workload)}, container {container['name']} lacks {', '.join(missing)}", _APPLY
            )


def _is_made_by_operator(workload: Object) -> bool:
    """Whether the Prometheus operator chose the probes: its config-reloader has none."""
    labels = workload["metadata"].get("labels") or {}
    return bool(labels.get("app.kubernetes.io/managed-by") == "prometheus-operator")


def _images(cluster: Cluster) -> Iterator[Problem]:
    for workload, container in cluster.containers():
        image = str(container.get("image", ""))
        tag = image.rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and tag in {"", "latest"}:
            yield Problem(
                f"{name_of(workload)}, container {container['name']}: the image {image} has no fixed version",
                "set a version or a digest under images in kustomization.yaml",
            )


def _availability(cluster: Cluster) -> Iterator[Problem]:
    for workload in cluster.workloads():
        labels = pod_labels(workload)
        if labels.get("app.kubernetes.io/component") == "server":
            yield from _survives_a_node(cluster, workload, labels)
        status, wanted = workload.get("status") or {}, workload["spec"].get("replicas", 1)
        if cluster.live and status.get("readyReplicas", 0) < min(wanted, 1):
            yield Problem(
                f"{name_of(workload)} has no pod that is ready", "see the check pods, and: kubectl describe"
            )


def _survives_a_node(cluster: Cluster, workload: Object, labels: Mapping[str, str]) -> Iterator[Problem]:
    scalers = [
        one
        for one in cluster.of_kind("HorizontalPodAutoscaler")
        if one["spec"]["scaleTargetRef"]["name"] == workload["metadata"]["name"]
    ]
    replicas = min(
        [one["spec"].get("minReplicas", 1) for one in scalers] or [workload["spec"].get("replicas", 1)]
    )
    if replicas < 2:
        yield Problem(
            f"{name_of(workload)} may have a single pod: a node that fails takes the service with it",
            "set minReplicas of its HorizontalPodAutoscaler, or replicas, to 2 or more",
            "warning",
        )
    budgets = cluster.of_kind("PodDisruptionBudget")
    if not any(selects(one["spec"].get("selector"), labels) for one in budgets):
        yield Problem(
            f"{name_of(workload)} has no PodDisruptionBudget: an upgrade of nodes may stop all pods at once",
            _APPLY,
        )


def _network_policies(cluster: Cluster) -> Iterator[Problem]:
    policies = cluster.of_kind("NetworkPolicy")
    for workload in cluster.workloads():
        if not any(selects(one["spec"].get("podSelector"), pod_labels(workload)) for one in policies):
            yield Problem(f"no NetworkPolicy restricts who reaches {name_of(workload)}", _APPLY)


def _ingress_tls(cluster: Cluster) -> Iterator[Problem]:
    ingresses = cluster.of_kind("Ingress")
    if not ingresses:
        raise NotApplicableError("there is no Ingress")
    for ingress in ingresses:
        encrypted = {host for entry in ingress["spec"].get("tls") or () for host in entry.get("hosts") or ()}
        for rule in ingress["spec"].get("rules") or ():
            if rule.get("host") not in encrypted:
                yield Problem(
                    f"{name_of(ingress)} serves {rule.get('host', 'every host')} without TLS", _APPLY
                )


def _pods(cluster: Cluster) -> Iterator[Problem]:
    if not cluster.live:
        raise NotApplicableError("manifests have no pods; run it with access to the cluster")
    for pod in cluster.of_kind("Pod"):
        for status in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = ((status.get("state") or {}).get("waiting") or {}).get("reason", "")
            logs = f"kubectl logs --previous {pod['metadata']['name']} -c {status['name']}"
            if waiting:
                yield Problem(f"{name_of(pod)}, container {status['name']} waits: {waiting}", logs)
            elif status.get("restartCount", 0) > MAX_RESTARTS:
                restarts = f"was restarted {status['restartCount']} times"
                yield Problem(f"{name_of(pod)}, container {status['name']} {restarts}", logs, "warning")


CHECKS: Final = (
    Check("pods", "Every container runs and is not restarted again and again", _pods),
    Check("pod-security", "Every container is restricted and limited", _pod_security),
    Check("probes", "Every container has the three probes", _probes),
    Check("images", "Every image has a fixed version", _images),
    Check("availability", "The server survives the loss of a node", _availability),
    Check("network-policies", "A network policy restricts who reaches each workload", _network_policies),
    Check("ingress-tls", "Every public host has TLS", _ingress_tls),
)
