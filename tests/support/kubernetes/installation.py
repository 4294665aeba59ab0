"""What an installation in a cluster makes beside the overlay: its Secrets."""

from __future__ import annotations

import json
from typing import Final

from support.kubernetes.cluster import Cluster
from tallow.stack.kubernetes.components import COMPONENTS

SECRETS: Final = {
    "tallow-server": ("database-url", "redis-url", "cluster-secret", "metrics-token"),
    "tallow-alerting": (
        *("monitoring-user", "monitoring-password", "smtp-password"),
        *(one.key for one in COMPONENTS),
    ),
    "tallow-remote-write": ("username", "password"),
}
VALUES: Final = {"slack-webhook-url": "https://hooks.example.org/services/T/B/x", "monitoring-user": "tallow"}


def create_secrets(cluster: Cluster) -> None:
    """Make the Secrets of every overlay and component in the namespace of Tallow."""
    for name, keys in SECRETS.items():
        data = {key: VALUES.get(key, "0123456789abcdef0123456789abcdef") for key in keys}
        document = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": "tallow"},
            "stringData": data,
        }
        cluster.apply(json.dumps(document))
