"""The heartbeat checker: its workload and how it is reached."""

from __future__ import annotations

from typing import Final

from tallow.stack.deployment import KUBERNETES, PORTS
from tallow.stack.kubernetes.objects import (
    ALERTING_SECRET,
    HEARTBEAT,
    IMAGE,
    SETTINGS,
    Object,
    metadata,
    selector,
)
from tallow.stack.kubernetes.pods import pod_template, probes, secret_volume

SECRETS: Final = "/run/secrets/alerting"
_DATA: Final = "/var/lib/tallow"
PASSWORD_KEY: Final = "monitoring-password"  # noqa: S105 - a key of a Secret
SMTP_PASSWORD_KEY: Final = "smtp-password"  # noqa: S105
SLACK_KEY: Final = "slack-webhook-url"
PAGERDUTY_KEY: Final = "pagerduty-routing-key"
EXTERNAL_SWITCH_KEY: Final = "heartbeat-url"
SECRET_KEYS: Final = (PASSWORD_KEY, SMTP_PASSWORD_KEY)
"""The keys of the Secret for alerting that must exist; a component adds those of its channel."""


def objects() -> list[Object]:
    """The objects of the heartbeat checker.

    It has no autoscaler: its timer is one process's, and two of them would notify twice.
    """
    return [_deployment(), _service(), _ingress(), _disruption_budget()]


def _deployment() -> Object:
    port = PORTS["heartbeat"]
    command = [
        *("python", "-m", "tallow.stack.heartbeat"),
        *("--host", "0.0.0.0", "--port", str(port)),
        *("--folder", _DATA),
        *("--password-file", f"{SECRETS}/{PASSWORD_KEY}"),
        *("--url", "https://$(HEARTBEAT_HOST)"),
        *("--dashboards", "https://$(DASHBOARDS_HOST)"),
        *("--allow-host", "$(HEARTBEAT_HOST)"),
        *("--allow-host", f"{HEARTBEAT}.$(POD_NAMESPACE).svc"),
    ]
    container: Object = {
        "name": "heartbeat",
        "image": IMAGE,
        "command": command,
        "envFrom": [{"configMapRef": {"name": SETTINGS}}],
        "env": [
            {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
            {"name": "SMTP_PASSWORD_FILE", "value": f"{SECRETS}/{SMTP_PASSWORD_KEY}"},
        ],
        "ports": [{"name": "http", "containerPort": port}],
        **probes("http", "/healthz", "/healthz"),
        "resources": {
            "requests": {"cpu": "10m", "memory": "96Mi", "ephemeral-storage": "16Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi", "ephemeral-storage": "256Mi"},
        },
        "volumeMounts": [
            {"name": "secrets", "mountPath": SECRETS, "readOnly": True},
            {"name": "data", "mountPath": _DATA},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a volume of the pod
        ],
    }
    volumes = [
        secret_volume("secrets", ALERTING_SECRET),
        # The state is small and may be lost: the checker then waits for the first heartbeat again. A volume
        # that another node still holds would keep it from starting.
        {"name": "data", "emptyDir": {"sizeLimit": "64Mi"}},
    ]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(HEARTBEAT, "heartbeat"),
        "spec": {
            "replicas": 1,
            "revisionHistoryLimit": 5,
            "selector": {"matchLabels": selector("heartbeat")},
            "strategy": {"type": "Recreate"},
            "template": pod_template("heartbeat", container, volumes, grace_seconds=15),
        },
    }


def _service() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(HEARTBEAT, "heartbeat"),
        "spec": {
            "type": "ClusterIP",
            "selector": selector("heartbeat"),
            "ports": [{"name": "http", "port": PORTS["heartbeat"], "targetPort": "http"}],
        },
    }


def _ingress() -> Object:
    """The runbooks that alerts link to; every page asks for the monitoring password."""
    host = KUBERNETES.base_urls["heartbeat"].removeprefix("https://")
    backend = {"service": {"name": HEARTBEAT, "port": {"name": "http"}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(HEARTBEAT, "heartbeat"),
        "spec": {
            "ingressClassName": "nginx",
            "tls": [{"hosts": [host], "secretName": "tallow-heartbeat-tls"}],
            "rules": [
                {"host": host, "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}
            ],
        },
    }


def _disruption_budget() -> Object:
    """It permits the eviction of the only pod: otherwise a node could not be drained."""
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(HEARTBEAT, "heartbeat"),
        "spec": {"maxUnavailable": 1, "selector": {"matchLabels": selector("heartbeat")}},
    }
