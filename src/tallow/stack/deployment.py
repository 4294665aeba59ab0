"""Where the services of a deployment are: the job names, hosts and base addresses of its configuration files.

The files of every deployment come from the same functions; they differ only by the tables in this module.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

Access = Literal["token", "password", "open"]
"""What a reader of a service's metrics needs: the metrics token, the monitoring password, or nothing."""

LOOPBACK: Final = "127.0.0.1"

PORTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "mailbox": 1025,
        "heartbeat": 9095,
        "tallow": 3000,
        "node-exporter": 9100,
        "alertmanager": 9093,
        "prometheus": 9090,
        "dashboards": 3001,
    }
)
"""The port of each service of the native stack, without a port offset."""

ACCESS: Final[Mapping[str, Access]] = MappingProxyType(
    {
        "mailbox": "open",
        "heartbeat": "password",
        "tallow": "token",
        "node-exporter": "password",
        "alertmanager": "password",
        "prometheus": "password",
        "dashboards": "token",
        "grafana": "open",
        "cadvisor": "open",
    }
)
"""What a reader of a service's metrics needs, in every deployment."""


@dataclass(frozen=True, slots=True)
class ScrapeJob:
    """A scrape job: its name, ``host:port`` of the target and the authentication that the target requires."""

    name: str
    target: str
    access: Access = "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The tables by which the configuration files of one deployment differ from those of another.

    Attributes:
        name: ``native``, ``compose`` or ``kubernetes``.
        job_names: the label ``job`` of each scraped service, in the order of ``prometheus.yml``. A rule names
            a job by its service; the rule file has the name of this table.
        hosts: ``host:port`` of each service, as other services reach it.
        base_urls: the address of a service's pages as a browser reaches it, without a trailing slash.

    Example:
        >>> COMPOSE.hosts["prometheus"], NATIVE.hosts["prometheus"]
        ('prometheus:9090', '127.0.0.1:9090')
    """

    name: str
    job_names: Mapping[str, str]
    hosts: Mapping[str, str]
    base_urls: Mapping[str, str]

    def jobs(self) -> tuple[ScrapeJob, ...]:
        """The scrape jobs."""
        return tuple(
            ScrapeJob(job, self.hosts[service], ACCESS[service]) for service, job in self.job_names.items()
        )

    def url(self, service: str) -> str:
        """The address of a service for other services, without a trailing slash.

        >>> COMPOSE.url("heartbeat")
        'http://heartbeat:9095'
        """
        return f"http://{self.hosts[service]}"


def native(port_offset: int = 0) -> Deployment:
    """The native stack, with every port moved by the offset.

    >>> native(10_000).base_urls["dashboards"]
    'http://localhost:13001'
    """
    ports = {service: port + port_offset for service, port in PORTS.items()}
    scraped = ("tallow", "node-exporter", "alertmanager", "prometheus", "dashboards")
    return Deployment(
        name="native",
        job_names={service: service for service in scraped},
        hosts={service: f"{LOOPBACK}:{port}" for service, port in ports.items()},
        base_urls={service: f"http://localhost:{port}" for service, port in ports.items()},
    )


NATIVE: Final = native()
"""The native stack on its default ports."""

COMPOSE: Final = Deployment(
    name="compose",
    job_names={
        "tallow": "tallow",
        "node-exporter": "node-exporter",
        "alertmanager": "alertmanager",
        "prometheus": "prometheus",
        "grafana": "grafana",
        "cadvisor": "cadvisor",
    },
    hosts={
        "mailbox": "mailbox:1025",
        "heartbeat": "heartbeat:9095",
        "tallow": "tallow:3000",
        "node-exporter": "node-exporter:9100",
        "alertmanager": "alertmanager:9093",
        "prometheus": "prometheus:9090",
        "grafana": "grafana:3001",
        "cadvisor": "cadvisor:8080",
        "loki": "loki:3100",
    },
    base_urls=NATIVE.base_urls,
)
"""Compose's stack: host names are those of its services, and the published ports are the native ones."""

KUBERNETES: Final = Deployment(
    name="kubernetes",
    job_names={
        "tallow": "tallow",
        "node-exporter": "node-exporter",
        "alertmanager": "kube-prometheus-stack-alertmanager",
        "prometheus": "kube-prometheus-stack-prometheus",
    },
    hosts={
        "heartbeat": "tallow-heartbeat.tallow.svc:9095",
        "tallow": "tallow.tallow.svc:3000",
        "node-exporter": "kube-prometheus-stack-prometheus-node-exporter.monitoring.svc:9100",
        "alertmanager": "kube-prometheus-stack-alertmanager.monitoring.svc:9093",
        "prometheus": "kube-prometheus-stack-prometheus.monitoring.svc:9090",
        "loki": "loki-gateway.monitoring.svc:80",
    },
    base_urls={
        "tallow": "https://tallow.example.org",
        "heartbeat": "https://heartbeat.tallow.example.org",
        "dashboards": "https://grafana.example.org",
    },
)
"""A cluster with kube-prometheus-stack, installed under its default name in the namespace ``monitoring``."""
