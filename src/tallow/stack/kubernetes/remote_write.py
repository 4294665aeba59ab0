"""A Prometheus and an Alertmanager of Tallow's own, which send every sample to Mimir or Thanos.

For clusters with the Prometheus operator and without kube-prometheus-stack, or for several clusters whose
data is stored in one place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tallow.stack.deployment import KUBERNETES, PORTS
from tallow.stack.durations import promql_duration
from tallow.stack.kubernetes.monitors import scrape_endpoint, service_monitor
from tallow.stack.kubernetes.network import (
    HTTPS,
    MAIL_PORTS,
    component_policy,
    dns,
    peer_namespace,
    peer_pods,
    to_any,
)
from tallow.stack.kubernetes.objects import (
    MONITORING_NAMESPACE,
    REMOTE_WRITE_SECRET,
    Component,
    Object,
    metadata,
    selector,
)
from tallow.stack.kubernetes.pods import POD_SECURITY
from tallow.stack.kubernetes.settings import SETTING_LIST as COMMON_SETTINGS
from tallow.stack.kubernetes.settings import Setting, Target, caller_namespace
from tallow.stack.prometheus import SCRAPE_INTERVAL_S

PROMETHEUS: Final = "tallow-prometheus"
ALERTMANAGER: Final = "tallow-alertmanager"
PROMETHEUS_VERSION: Final = "v3.13.3"
"""The long-term support line."""
ALERTMANAGER_VERSION: Final = "v0.35.0"
API_SERVER_PORTS: Final = (443, 6443)
_MESH_PORT: Final = 9094
"""At which the replicas of Alertmanager exchange silences and notifications."""

DEPLOYMENT: Final = replace(
    KUBERNETES,
    name="kubernetes with remote write",
    job_names={service: service for service in KUBERNETES.job_names},
)
"""The job names are those of this overlay's own ServiceMonitors."""

SELECTED: Final[Mapping[str, str]] = MappingProxyType({"app.kubernetes.io/part-of": "tallow"})
"""The label by which this Prometheus and this Alertmanager select their objects."""

SETTING_LIST: Final = (
    *(
        replace(
            one,
            targets=(
                *one.targets,
                caller_namespace(0, PROMETHEUS),
                caller_namespace(0, ALERTMANAGER),
            ),
        )
        if one.name == "MONITORING_NAMESPACE"
        else one
        for one in COMMON_SETTINGS
    ),
    Setting(
        "REMOTE_WRITE_URL",
        "https://mimir.example.org/api/v1/push",
        "address to which every sample is sent",
        (Target("Prometheus", ("spec.remoteWrite.0.url",), "tallow"),),
    ),
    Setting(
        "CLUSTER_NAME",
        "cluster-1",
        "value of the label `cluster` of every sample and alert",
        (Target("Prometheus", ("spec.externalLabels.cluster",), "tallow"),),
    ),
)
"""The settings of every overlay and those of this one."""


def access_objects() -> list[Object]:
    """The account of Prometheus, which finds its targets by the API."""
    rules = [
        {"apiGroups": [""], "resources": ["services", "pods"], "verbs": ["get", "list", "watch"]},
        {
            "apiGroups": ["discovery.k8s.io"],
            "resources": ["endpointslices"],
            "verbs": ["get", "list", "watch"],
        },
    ]
    return [
        {
            "apiVersion": "v1",
            "kind": "ServiceAccount",
            "metadata": metadata(PROMETHEUS, "prometheus"),
            "automountServiceAccountToken": False,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "Role",
            "metadata": metadata(PROMETHEUS, "prometheus"),
            "rules": rules,
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": metadata(PROMETHEUS, "prometheus"),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": PROMETHEUS},
            "subjects": [{"kind": "ServiceAccount", "name": PROMETHEUS}],
        },
    ]


def prometheus() -> list[Object]:
    """The Prometheus, its disruption budget, its policy and the ServiceMonitor of itself."""
    return [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Prometheus",
            "metadata": metadata("tallow", "prometheus"),
            "spec": {
                "version": PROMETHEUS_VERSION,
                "replicas": 2,
                "podMetadata": {"labels": selector("prometheus")},
                "serviceAccountName": PROMETHEUS,
                "serviceDiscoveryRole": "EndpointSlice",
                "securityContext": _security(65534),
                "scrapeInterval": promql_duration(SCRAPE_INTERVAL_S),
                "evaluationInterval": promql_duration(SCRAPE_INTERVAL_S),
                # The remote system keeps the history; this covers its outages and the rules' windows.
                "retention": "2d",
                "retentionSize": "8GB",
                "storage": _storage("10Gi"),
                "enableFeatures": ["exemplar-storage"],
                "externalLabels": {"cluster": "cluster-1"},
                "serviceMonitorSelector": {"matchLabels": dict(SELECTED)},
                "ruleSelector": {"matchLabels": dict(SELECTED)},
                "alerting": {
                    "alertmanagers": [{"name": "alertmanager-operated", "port": "web", "apiVersion": "v2"}]
                },
                "remoteWrite": [
                    {
                        "url": "https://mimir.example.org/api/v1/push",
                        "sendExemplars": True,
                        "basicAuth": {
                            "username": {"name": REMOTE_WRITE_SECRET, "key": "username"},
                            "password": {"name": REMOTE_WRITE_SECRET, "key": "password"},
                        },
                    }
                ],
                "resources": _resources("100m", "512Mi", "1Gi"),
            },
        },
        _budget(PROMETHEUS, "prometheus"),
        component_policy(
            PROMETHEUS,
            "prometheus",
            {"matchLabels": selector("prometheus")},
            [
                {"from": [peer_namespace(MONITORING_NAMESPACE), peer_pods("prometheus")]},
            ],
            [
                dns(),
                to_any(*API_SERVER_PORTS),
                {"to": [peer_pods("server"), peer_pods("prometheus"), peer_pods("alertmanager")]},
            ],
        ),
        _own_monitor("prometheus"),
    ]


def alertmanager() -> list[Object]:
    """The Alertmanager, its disruption budget, its policy and its ServiceMonitor."""
    from_heartbeat = {"to": [peer_pods("heartbeat"), peer_pods("alertmanager")]}
    return [
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "Alertmanager",
            "metadata": metadata("tallow", "alertmanager"),
            "spec": {
                "version": ALERTMANAGER_VERSION,
                "replicas": 2,
                "podMetadata": {"labels": selector("alertmanager")},
                "automountServiceAccountToken": False,
                "securityContext": _security(65534),
                "storage": _storage("1Gi"),
                "alertmanagerConfigSelector": {"matchLabels": dict(SELECTED)},
                # It serves this namespace alone. Otherwise an alert without the label would be lost.
                "alertmanagerConfigMatcherStrategy": {"type": "None"},
                "resources": _resources("10m", "64Mi", "256Mi"),
            },
        },
        _budget(ALERTMANAGER, "alertmanager"),
        component_policy(
            ALERTMANAGER,
            "alertmanager",
            {"matchLabels": selector("alertmanager")},
            [
                {
                    "from": [
                        peer_namespace(MONITORING_NAMESPACE),
                        peer_pods("prometheus"),
                        peer_pods("alertmanager"),
                    ]
                }
            ],
            [dns(), to_any(*MAIL_PORTS, HTTPS), from_heartbeat],
        ),
        _own_monitor("alertmanager"),
    ]


def heartbeat_policy() -> Object:
    """The policy that lets this Alertmanager reach the heartbeat checker."""
    return component_policy(
        "tallow-heartbeat-from-alertmanager",
        "heartbeat",
        {"matchLabels": selector("heartbeat")},
        [{"from": [peer_pods("alertmanager")], "ports": [{"protocol": "TCP", "port": PORTS["heartbeat"]}]}],
        [],
    )


def server_policy() -> Object:
    """The policy that lets this Prometheus scrape the server."""
    return component_policy(
        "tallow-from-prometheus",
        "server",
        {"matchLabels": selector("server")},
        [{"from": [peer_pods("prometheus")], "ports": [{"protocol": "TCP", "port": PORTS["tallow"]}]}],
        [],
    )


def _own_monitor(service: Component) -> Object:
    """The operator's governing Service has this label instead of the recommended ones."""
    endpoint = scrape_endpoint("web", DEPLOYMENT.job_names[service])
    return service_monitor(f"tallow-{service}", {f"operated-{service}": "true"}, endpoint, {})


def _budget(name: str, component: Component) -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(name, component),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector(component)}},
    }


def _security(user: int) -> Object:
    return POD_SECURITY | {"runAsUser": user, "runAsGroup": user, "fsGroup": user}


def _storage(size: str) -> Object:
    claim = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}}
    return {"volumeClaimTemplate": {"spec": claim}}


def _resources(cpu: str, memory: str, limit: str) -> Object:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "1", "memory": limit}}
