"""Network policies: everything is refused except the connections that the components need."""

from __future__ import annotations

from typing import Final

from tallow.stack.deployment import PORTS
from tallow.stack.kubernetes.objects import (
    HEARTBEAT,
    INGRESS_NAMESPACE,
    MONITORING_NAMESPACE,
    SERVER,
    Component,
    Object,
    metadata,
    selector,
)

HTTPS: Final = 443
MAIL_PORTS: Final = (25, 465, 587)
DATABASE_PORTS: Final = (5432, 6379)
"""PostgreSQL and Redis; their addresses are in a Secret, so that any address is permitted."""


def objects() -> list[Object]:
    """The policies of the server and of the heartbeat checker, and one that refuses everything else."""
    operators = [peer_namespace(INGRESS_NAMESPACE), peer_namespace(MONITORING_NAMESPACE)]
    return [
        _policy("tallow-default-deny", "server", {}, ingress=[], egress=[]),
        _policy(
            SERVER,
            "server",
            {"matchLabels": selector("server")},
            ingress=[
                {"from": operators, "ports": [_tcp(PORTS["tallow"])]},
                # Replicas forward to the one that has a room, at a port that the system chooses.
                {"from": [peer_pods("server")]},
            ],
            egress=[dns(), to_any(*DATABASE_PORTS, HTTPS), {"to": [peer_pods("server")]}],
        ),
        _policy(
            HEARTBEAT,
            "heartbeat",
            {"matchLabels": selector("heartbeat")},
            ingress=[{"from": operators, "ports": [_tcp(PORTS["heartbeat"])]}],
            egress=[dns(), to_any(*MAIL_PORTS, HTTPS)],
        ),
    ]


def component_policy(name: str, component: Component, pods: Object, *rules: list[Object]) -> Object:
    """The policy of a component: its pods, the rules of incoming and those of outgoing connections."""
    ingress, egress = rules
    return _policy(name, component, pods, ingress=ingress, egress=egress)


def _policy(
    name: str, component: Component, pods: Object, *, ingress: list[Object], egress: list[Object]
) -> Object:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": metadata(name, component),
        "spec": {
            "podSelector": pods,
            "policyTypes": ["Ingress", "Egress"],
            "ingress": ingress,
            "egress": egress,
        },
    }


def peer_namespace(name: str) -> Object:
    """Every pod of a namespace."""
    return {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": name}}}


def peer_pods(component: Component) -> Object:
    """The pods of a component."""
    return {"podSelector": {"matchLabels": selector(component)}}


def to_any(*ports: int) -> Object:
    """Outgoing connections to these ports of any address."""
    return {"ports": [_tcp(port) for port in ports]}


def dns() -> Object:
    """Name resolution by the cluster."""
    return {
        "to": [peer_namespace("kube-system")],
        "ports": [{"protocol": protocol, "port": 53} for protocol in ("UDP", "TCP")],
    }


def _tcp(port: int) -> Object:
    return {"protocol": "TCP", "port": port}
