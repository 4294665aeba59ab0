"""All checks of a deployment in a cluster, in the order in which they are shown."""

from __future__ import annotations

from typing import Final

from tallow.stack.doctor.kubernetes import monitoring, secrets, workloads
from tallow.stack.doctor.kubernetes.cluster import Cluster
from tallow.stack.doctor.model import Check, Diagnosis, diagnose

CHECKS: Final[tuple[Check[Cluster], ...]] = (*workloads.CHECKS, *secrets.CHECKS, *monitoring.CHECKS)


def diagnose_kubernetes(cluster: Cluster, readable: tuple[type[Exception], ...] = ()) -> Diagnosis:
    """Run every check of a deployment in a cluster.

    Args:
        readable: exceptions whose text is for the operator.
    """
    return diagnose("kubernetes", CHECKS, cluster, readable)
