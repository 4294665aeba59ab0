"""What Prometheus scrapes, and the dashboards for Grafana."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import yaml

from tallow.stack.alerts.self_monitoring import SAMPLE_LIMIT
from tallow.stack.dashboards import dashboards
from tallow.stack.dashboards.layout import dashboard_json
from tallow.stack.dashboards.provisioning import datasources
from tallow.stack.deployment import KUBERNETES
from tallow.stack.durations import promql_duration
from tallow.stack.kubernetes.objects import SERVER, SERVER_SECRET, Object, metadata, selector
from tallow.stack.prometheus import LABEL_LIMITS, SCRAPE_INTERVAL_S, SCRAPE_TIMEOUT_S

DASHBOARD_LABELS: Final = {"grafana_dashboard": "1"}
"""The label by which Grafana's sidecar of kube-prometheus-stack finds dashboards."""
DATA_SOURCE_LABELS: Final = {"grafana_datasource": "1"}
DASHBOARD_FOLDER: Final = {"grafana_folder": "Tallow"}

_LIMITS: Final = {
    "label_limit": "labelLimit",
    "label_name_length_limit": "labelNameLengthLimit",
    "label_value_length_limit": "labelValueLengthLimit",
}


def server_monitor(labels: Mapping[str, str]) -> Object:
    """The ServiceMonitor of the server.

    Args:
        labels: further labels, by which a Prometheus selects it.
    """
    endpoint = {
        **scrape_endpoint("http", KUBERNETES.job_names["tallow"]),
        "authorization": {"credentials": {"name": SERVER_SECRET, "key": "metrics-token"}},
    }
    limits = {"sampleLimit": SAMPLE_LIMIT, **{_LIMITS[name]: limit for name, limit in LABEL_LIMITS.items()}}
    return service_monitor(SERVER, selector("server"), endpoint, labels, limits)


def service_monitor(
    name: str,
    services: Mapping[str, str],
    endpoint: Object,
    labels: Mapping[str, str],
    limits: Mapping[str, int] | None = None,
) -> Object:
    """A ServiceMonitor of the services with these labels."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(name, "monitoring", labels=dict(labels)),
        "spec": {"selector": {"matchLabels": dict(services)}, "endpoints": [endpoint], **(limits or {})},
    }


def scrape_endpoint(port: str, job: str) -> Object:
    """A scraped port, with the job name of the deployment."""
    return {
        "port": port,
        "path": "/metrics",
        "interval": promql_duration(SCRAPE_INTERVAL_S),
        "scrapeTimeout": promql_duration(SCRAPE_TIMEOUT_S),
        "relabelings": [{"action": "replace", "targetLabel": "job", "replacement": job}],
    }


def loki_data_source() -> Object:
    """The data source Loki for Grafana's sidecar.

    kube-prometheus-stack makes those of its Prometheus and Alertmanager. A second default data source would
    keep Grafana from starting.
    """
    document = yaml.safe_load(datasources(KUBERNETES))
    loki = [source for source in document["datasources"] if source["type"] == "loki"]
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata("tallow-loki-data-source", "monitoring", labels=DATA_SOURCE_LABELS),
        "data": {"tallow-loki.yaml": yaml.safe_dump({**document, "datasources": loki}, sort_keys=False)},
    }


def dashboard_config_maps() -> dict[str, Object]:
    """A ConfigMap for each dashboard, by the dashboard's uid."""
    return {
        uid: {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": metadata(
                f"{uid}-dashboard",
                "monitoring",
                labels=DASHBOARD_LABELS,
                annotations=DASHBOARD_FOLDER,
            ),
            "data": {f"{uid}.json": dashboard_json(board)},
        }
        for uid, board in dashboards().items()
    }
