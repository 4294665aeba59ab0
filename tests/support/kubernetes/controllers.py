"""What controllers and nodes would write: the API server of the tests has none."""

from __future__ import annotations

import json
from typing import Any, Final

from support.kubernetes.cluster import Cluster

NAMESPACE: Final = ("-n", "tallow")


def report_ready(cluster: Cluster, *, ready: bool = True) -> None:
    """Write the status of every Deployment and StatefulSet of Tallow: all its pods are up to date."""
    for workload in cluster.get("deployments,statefulsets", *NAMESPACE)["items"]:
        wanted = workload["spec"]["replicas"]
        up = wanted if ready else 0
        status = {
            "observedGeneration": workload["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "readyReplicas": up,
            "availableReplicas": up,
        }
        patch_status(cluster, f"{workload['kind'].lower()}/{workload['metadata']['name']}", status)


def patch_status(cluster: Cluster, name: str, status: dict[str, Any]) -> None:
    """Write the status of an object, ``kind/name``."""
    patch = json.dumps({"status": status})
    cluster.kubectl("patch", name, *NAMESPACE, "--subresource=status", "--type=merge", "-p", patch)
