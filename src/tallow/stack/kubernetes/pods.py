"""Settings that every pod of Tallow has: security contexts, probes, secret volumes, spreading over nodes."""

from __future__ import annotations

from typing import Any, Final

from tallow.stack.kubernetes.objects import Component, Object, selector

USER_ID: Final = 10001
"""The user and group of every process; files of Secrets get this group."""
PROBE_TIMEOUT_S: Final = 5
"""Seconds that a probe waits. Kubernetes' default of one second restarts a server that is only busy."""

POD_SECURITY: Final[Object] = {
    "runAsNonRoot": True,
    "runAsUser": USER_ID,
    "runAsGroup": USER_ID,
    "fsGroup": USER_ID,
    "seccompProfile": {"type": "RuntimeDefault"},
}
CONTAINER_SECURITY: Final[Object] = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def probes(port: str, live: str, ready: str) -> Object:
    """The three probes of a container.

    Args:
        port: the name of its port.
        live: the path that is answered while the process works.
        ready: the path that is answered while it can serve.
    """
    return {
        # Two minutes: the first start creates the tables of the database.
        "startupProbe": _probe(port, live, periodSeconds=3, failureThreshold=40),
        "livenessProbe": _probe(port, live, periodSeconds=10, failureThreshold=6),
        "readinessProbe": _probe(port, ready, periodSeconds=5, failureThreshold=2),
    }


def _probe(port: str, path: str, **times: int) -> Object:
    return {"httpGet": {"path": path, "port": port}, "timeoutSeconds": PROBE_TIMEOUT_S, **times}


def pod_template(
    component: Component, container: Object, volumes: list[Object], *, grace_seconds: int
) -> Object:
    """The pod template of a Deployment.

    Args:
        container: its only container.
        volumes: in addition to an empty ``/tmp``.
        grace_seconds: the time between SIGTERM and SIGKILL.
    """
    labels = {**selector(component), "app.kubernetes.io/part-of": "tallow"}
    spec: dict[str, Any] = {
        "serviceAccountName": "tallow",
        "automountServiceAccountToken": False,
        # Service links would add variables such as TALLOW_PORT, which have the prefix of settings.
        "enableServiceLinks": False,
        "securityContext": POD_SECURITY,
        "terminationGracePeriodSeconds": grace_seconds,
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": key,
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(component)},
            }
            for key in ("kubernetes.io/hostname", "topology.kubernetes.io/zone")
        ],
        "containers": [container | {"securityContext": CONTAINER_SECURITY}],
        "volumes": [*volumes, {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}}],
    }
    return {"metadata": {"labels": labels}, "spec": spec}


def secret_volume(name: str, secret: str) -> Object:
    """A volume with the keys of a Secret as files that only the pod's user and group can read."""
    return {"name": name, "secret": {"secretName": secret, "defaultMode": 0o440}}
