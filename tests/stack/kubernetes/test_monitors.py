"""Dashboards and the scrape configuration in the cluster equal the native ones."""

from __future__ import annotations

import json

import pytest
import yaml

from support.kubernetes.manifests import OVERLAYS, ROOT, objects, of_kind
from tallow.stack.dashboards import dashboards
from tallow.stack.dashboards.layout import dashboard_json
from tallow.stack.deployment import KUBERNETES

LIMITS = {
    "sampleLimit": "sample_limit",
    "labelLimit": "label_limit",
    "labelNameLengthLimit": "label_name_length_limit",
    "labelValueLengthLimit": "label_value_length_limit",
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_dashboards_are_the_native_ones(overlay: str) -> None:
    found = of_kind("ConfigMap", objects(overlay))
    for uid, board in dashboards().items():
        data = found[f"{uid}-dashboard"]["data"]
        assert {name: json.loads(text) for name, text in data.items()} == {
            f"{uid}.json": json.loads(dashboard_json(board))
        }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_server_is_scraped_as_by_the_committed_prometheus_file(overlay: str) -> None:
    committed = yaml.safe_load((ROOT / "monitoring" / "prometheus" / "prometheus.yml").read_text())
    [job] = [one for one in committed["scrape_configs"] if one["job_name"] == "tallow"]
    spec = of_kind("ServiceMonitor", objects(overlay))["tallow"]["spec"]
    [endpoint] = spec["endpoints"]
    assert {theirs: spec[theirs] for theirs in LIMITS} == {
        theirs: job[native] for theirs, native in LIMITS.items()
    }
    shared = committed["global"]
    assert (endpoint["interval"], endpoint["scrapeTimeout"]) == (
        shared["scrape_interval"],
        shared["scrape_timeout"],
    )
    assert endpoint["path"] == job.get("metrics_path", "/metrics")
    assert endpoint["authorization"].keys() == {"credentials"}
    assert job["authorization"].keys() == {"credentials_file"}
    [relabelling] = endpoint["relabelings"]
    assert relabelling["replacement"] == KUBERNETES.job_names["tallow"]
