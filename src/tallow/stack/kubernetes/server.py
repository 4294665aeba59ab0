"""Tallow's server: its workload, and how it is reached, scaled and protected from disruption."""

from __future__ import annotations

from typing import Final

from tallow.stack.deployment import KUBERNETES, PORTS
from tallow.stack.kubernetes.objects import (
    IMAGE,
    SERVER,
    SERVER_SECRET,
    SETTINGS,
    Object,
    metadata,
    selector,
)
from tallow.stack.kubernetes.pods import pod_template, probes, secret_volume

_SECRETS: Final = "/run/secrets/tallow"
_DATA: Final = "/var/lib/tallow"
MIN_REPLICAS: Final = 2
MAX_REPLICAS: Final = 6
DRAIN_SECONDS: Final = 15
"""Seconds after SIGTERM in which requests are still accepted, until every proxy knows that the pod goes."""
GRACE_SECONDS: Final = 90

SECRET_KEYS: Final = {
    "database-url": "DATABASE_URL_FILE",
    "redis-url": "REDIS_URL_FILE",
    "cluster-secret": "CLUSTER_SECRET_FILE",
    "metrics-token": "METRICS_TOKEN_FILE",
}
"""The keys of the Secret of the server: the setting that reads the file of each."""


def objects() -> list[Object]:
    """The objects of the server."""
    return [_service_account(), _deployment(), _service(), _ingress(), _autoscaler(), _disruption_budget()]


def _service_account() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata("tallow", "server"),
        "automountServiceAccountToken": False,
    }


def _environment() -> list[Object]:
    values = {
        "LOG_FORMAT": "json",
        "TALLOW_DATA_DIR": _DATA,
        "TALLOW_DRAIN_SECONDS": str(DRAIN_SECONDS),
        **{setting: f"{_SECRETS}/{key}" for key, setting in SECRET_KEYS.items()},
        "HEALTH_CHECK_TOKEN_FILE": f"{_SECRETS}/metrics-token",
    }
    # The other replicas reach this one at the address of its pod.
    pod_ip = {"name": "CLUSTER_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return [pod_ip, *({"name": name, "value": value} for name, value in values.items())]


def _deployment() -> Object:
    port = PORTS["tallow"]
    container: Object = {
        "name": "tallow",
        "image": IMAGE,
        "command": ["tallow", "serve", "--host", "0.0.0.0", "--port", str(port)],
        "envFrom": [{"configMapRef": {"name": SETTINGS}}],
        "env": _environment(),
        "ports": [{"name": "http", "containerPort": port}],
        **probes("http", "/api/health/liveness", "/api/health/readiness"),
        # The memory limit is above the threshold of HighMemoryUsage (1.5 GB), which warns before it.
        "resources": {
            "requests": {"cpu": "250m", "memory": "512Mi", "ephemeral-storage": "64Mi"},
            "limits": {"cpu": "2", "memory": "2Gi", "ephemeral-storage": "1Gi"},
        },
        "volumeMounts": [
            {"name": "secrets", "mountPath": _SECRETS, "readOnly": True},
            {"name": "data", "mountPath": _DATA},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
        ],
    }
    volumes = [
        secret_volume("secrets", SERVER_SECRET),
        {"name": "data", "emptyDir": {"sizeLimit": "512Mi"}},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(SERVER, "server"),
        # Without `replicas`, so that applying the file again does not undo the autoscaler.
        "spec": {
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": selector("server")},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}},
            "template": pod_template("server", container, volumes, grace_seconds=GRACE_SECONDS),
        },
    }


def _service() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(SERVER, "server"),
        "spec": {
            "type": "ClusterIP",
            "selector": selector("server"),
            "ports": [{"name": "http", "port": PORTS["tallow"], "targetPort": "http"}],
        },
    }


def _ingress() -> Object:
    host = KUBERNETES.base_urls["tallow"].removeprefix("https://")
    backend = {"service": {"name": SERVER, "port": {"name": "http"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(SERVER, "server"),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [host], "secretName": "tallow-tls"}],
            "rules": [
                {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            ],
        },
    }


def _autoscaler() -> Object:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": metadata(SERVER, "server"),
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": SERVER},
            "minReplicas": MIN_REPLICAS,
            "maxReplicas": MAX_REPLICAS,
            "metrics": [
                {
                    "type": "Resource",
                    # Of the request: at two thirds of a core, below the threshold of HighCPUUsage (0.8).
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 250}},
                }
            ],
            # A pod that goes ends the transfers that it relays: pods go slowly, and one at a time.
            "behavior": {
                "scaleUp": {"stabilizationWindowSeconds": 0},
                "scaleDown": {
                    "stabilizationWindowSeconds": 1800,
                    "policies": [{"type": "Pods", "value": 1, "periodSeconds": 600}],
                },
            },
        },
    }


def _disruption_budget() -> Object:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(SERVER, "server"),
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector("server")},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }
