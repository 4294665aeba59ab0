"""Rules, routing, scrape and dashboards in the cluster, and values that an installation must replace."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallow.stack.alerts import RULES
from tallow.stack.clients.alertmanager import WATCHDOG
from tallow.stack.dashboards import dashboards
from tallow.stack.doctor.kubernetes.cluster import (
    Cluster,
    Object,
    name_of,
    pod_labels,
    pod_spec,
    selects,
)
from tallow.stack.doctor.model import Check, NotApplicableError, Problem, listed
from tallow.stack.doctor.routing_tree import receivers_of
from tallow.stack.kubernetes.objects import SETTINGS
from tallow.stack.kubernetes.rules import NOTICE, SHIPPED_BY_KUBE_PROMETHEUS_STACK
from tallow.stack.routing import matrix

_APPLY: Final = "apply the objects of deploy/kubernetes again, without changes to this"
_PLACEHOLDER: Final = "example.org"
_DASHBOARD_LABEL: Final = "grafana_dashboard"


def _rules(cluster: Cluster) -> Iterator[Problem]:
    if not cluster.of_kind("PrometheusRule"):
        yield Problem("there is no PrometheusRule: nothing alerts", _APPLY)
        return
    found = _rules_of(cluster)
    if missing := sorted(RULES.keys() - SHIPPED_BY_KUBE_PROMETHEUS_STACK.keys() - found.keys()):
        yield Problem(f"rules of this version are missing: {listed(missing)}", _APPLY)


def _routes(cluster: Cluster) -> Iterator[Problem]:
    if not cluster.of_kind("AlertmanagerConfig"):
        yield Problem("there is no AlertmanagerConfig: no alert reaches anybody", _APPLY)
        return
    config = _alertmanager_config(cluster)
    missing = defaultdict(list)
    for name, labels in _rules_of(cluster).items():
        reached = receivers_of(config, labels)
        severity = labels.get("severity", "")
        native = {**labels, "severity": "info" if severity == NOTICE else severity}
        for receiver in {one.name for one in matrix.receivers(native)} - set(reached):
            missing[receiver].append(name)
    for receiver, names in sorted(missing.items()):
        yield Problem(f"alerts that do not reach {receiver}: {listed(names)}", _APPLY)


def _namespace_matcher(cluster: Cluster) -> Iterator[Problem]:
    """The operator adds a matcher on ``namespace``, which most rules aggregate away."""
    namespaces = {one["metadata"].get("namespace") for one in cluster.of_kind("AlertmanagerConfig")}
    if not namespaces:
        raise NotApplicableError("there is no AlertmanagerConfig")
    lost = [name for name, labels in _rules_of(cluster).items() if labels.get("namespace") not in namespaces]
    if lost:
        yield Problem(
            "the operator's matcher drops alerts, which have no label namespace of their own: "
            f"{listed(lost)}",
            f"{_APPLY}, or set alertmanagerConfigMatcherStrategy: {{type: None}}",
        )


def _watchdog(cluster: Cluster) -> Iterator[Problem]:
    config, labels = _alertmanager_config(cluster), _rules_of(cluster).get(WATCHDOG)
    if labels is None:
        yield Problem("the rule Watchdog is missing", _APPLY)
    elif receivers_of(config, labels) != ["heartbeat"]:
        yield Problem(
            "Watchdog is not routed to the heartbeat checker: silence would look like health", _APPLY
        )


def _scrape(cluster: Cluster) -> Iterator[Problem]:
    monitors = cluster.of_kind("ServiceMonitor")
    services = cluster.of_kind("Service")
    for workload in cluster.workloads():
        labels = pod_labels(workload)
        if labels.get("app.kubernetes.io/component") != "server":
            continue
        of_it = [one for one in services if selects({"matchLabels": one["spec"].get("selector")}, labels)]
        if not any(_is_scraped(monitor, service) for monitor in monitors for service in of_it):
            yield Problem(
                f"no ServiceMonitor selects a Service of {name_of(workload)}: it is not scraped", _APPLY
            )


def _is_scraped(monitor: Object, service: Object) -> bool:
    ports = {port.get("name") for port in service["spec"].get("ports") or ()}
    endpoints = {endpoint.get("port") for endpoint in monitor["spec"].get("endpoints") or ()}
    labels = service["metadata"].get("labels") or {}
    return selects(monitor["spec"].get("selector"), labels) and bool(ports & endpoints)


def _dashboards(cluster: Cluster) -> Iterator[Problem]:
    labelled = [
        one
        for one in cluster.of_kind("ConfigMap")
        if (one["metadata"].get("labels") or {}).get(_DASHBOARD_LABEL) == "1"
    ]
    there = {key.removesuffix(".json") for one in labelled for key in one.get("data") or {}}
    if missing := sorted(set(dashboards()) - there):
        yield Problem(
            f"Grafana does not get {', '.join(missing)}: "
            f'no ConfigMap with the label {_DASHBOARD_LABEL}: "1" has it',
            _APPLY,
        )


def _settings(cluster: Cluster) -> Iterator[Problem]:
    """Kustomize adds a hash to the name: ConfigMaps of earlier settings stay in the cluster."""
    found = {one["metadata"]["name"]: one for one in cluster.of_kind("ConfigMap")}
    used = sorted({name for workload in cluster.workloads() for name in _settings_of(pod_spec(workload))})
    if not used:
        raise NotApplicableError(f"no workload reads a ConfigMap {SETTINGS}")
    for name in used:
        if name not in found:
            yield Problem(f"the ConfigMap {name} is missing, which the pods read", _APPLY)
    yield from _unset([found[one] for one in used if one in found])


def _unset(settings: list[Object]) -> Iterator[Problem]:
    """Settings that still have the value of the example."""
    values = {name: str(value) for one in settings for name, value in (one.get("data") or {}).items()}
    for name, value in sorted(values.items()):
        if _PLACEHOLDER in value:
            yield Problem(
                f"{name} still has the value {value}", "set it in settings.env of the overlay", "warning"
            )


def _settings_of(pod: Object) -> Iterator[str]:
    for container in pod.get("containers") or ():
        for source in container.get("envFrom") or ():
            name = (source.get("configMapRef") or {}).get("name", "")
            if name.startswith(SETTINGS):
                yield name


def _operator(cluster: Cluster) -> Iterator[Problem]:
    """The operator leaves out an object that it cannot use, and writes an event, which stays for an hour."""
    if not cluster.live:
        raise NotApplicableError("manifests have no events; run it with access to the cluster")
    for event in cluster.of_kind("Event"):
        if event.get("reason") == "InvalidConfiguration":
            refused = event.get("involvedObject") or event.get("regarding") or {}
            reason = " ".join(str(event.get("message") or event.get("note") or "").split())
            yield Problem(
                f"the operator leaves out {refused.get('kind')} {refused.get('name')}: {reason[:300]}",
                "correct what the message names; the event itself stays for up to an hour",
            )


def _rules_of(cluster: Cluster) -> dict[str, dict[str, str]]:
    """The labels of each alert of the PrometheusRule objects, with its name."""
    found = cluster.of_kind("PrometheusRule")
    if not found:
        raise NotApplicableError("there is no PrometheusRule")
    return {
        rule["alert"]: {"alertname": rule["alert"], **(rule.get("labels") or {})}
        for one in found
        for group in one["spec"].get("groups") or ()
        for rule in group.get("rules") or ()
        if "alert" in rule
    }


def _alertmanager_config(cluster: Cluster) -> dict[str, Any]:
    """The route of the AlertmanagerConfig, as Alertmanager writes it."""
    found = cluster.of_kind("AlertmanagerConfig")
    if not found:
        raise NotApplicableError("there is no AlertmanagerConfig")
    return {"route": _route(found[0]["spec"].get("route") or {})}


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    matchers = [
        f'{one["name"]}{one.get("matchType", "=")}"{one.get("value", "")}"'
        for one in route.get("matchers") or ()
    ]
    return {
        "receiver": route.get("receiver"),
        "continue": route.get("continue", False),
        "matchers": matchers,
        "routes": [_route(child) for child in route.get("routes") or ()],
    }


CHECKS: Final = (
    Check("cluster-rules", "Every rule of this version is in the cluster", _rules),
    Check("cluster-routes", "Every alert reaches its receivers in the cluster", _routes),
    Check("namespace-matcher", "The operator's namespace matcher drops no alert", _namespace_matcher),
    Check("cluster-watchdog", "Watchdog reaches the heartbeat checker in the cluster", _watchdog),
    Check("service-monitor", "Prometheus scrapes the server", _scrape),
    Check("operator", "The Prometheus operator refuses no object", _operator),
    Check("dashboards", "Grafana gets every dashboard", _dashboards),
    Check("cluster-settings", "No value of the example is left in the settings", _settings),
)
