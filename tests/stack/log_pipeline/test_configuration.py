"""The configuration of Loki and of each shipper: what it sets, and that all agree on labels and metadata."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tallow.monitoring.shipping import loki as push
from tallow.stack.log_pipeline import LABELS, METADATA, files
from tallow.stack.log_pipeline.alloy import alloy_config
from tallow.stack.log_pipeline.collector import collector_config
from tallow.stack.log_pipeline.loki import loki_config
from tallow.stack.log_pipeline.promtail import promtail_config
from tallow.stack.prometheus import RETENTION_TIME

CONFIGS = {path.name: text for path, text in files().items()}


def loki() -> Any:
    return yaml.safe_load(loki_config())


def stages() -> dict[str, Any]:
    [scrape] = yaml.safe_load(promtail_config())["scrape_configs"]
    return {name: value for stage in scrape["pipeline_stages"] for name, value in stage.items()}


def alloy_map(stage: str, field: str) -> dict[str, str]:
    found = re.search(rf"stage\.{stage} \{{\s+{field} = \{{(.*)\}}", alloy_config())
    assert found, stage
    return dict(re.findall(r'"(\w+)" = "(\w+)"', found[1]))


def test_loki_stores_with_tsdb_and_schema_13() -> None:
    [schema] = loki()["schema_config"]["configs"]
    assert (schema["store"], schema["schema"], schema["index"]["period"]) == ("tsdb", "v13", "24h")


def test_lines_are_removed_when_samples_are() -> None:
    assert loki()["limits_config"]["retention_period"] == RETENTION_TIME
    assert loki()["compactor"]["retention_enabled"] is True
    assert loki()["compactor"]["delete_request_store"] == "filesystem"


def test_loki_reports_no_usage_and_accepts_structured_metadata() -> None:
    assert loki()["analytics"] == {"reporting_enabled": False}
    assert loki()["limits_config"]["allow_structured_metadata"] is True


@pytest.mark.parametrize("name", ["collector.yml", "promtail.yml", "tallow.alloy"])
def test_each_shipper_sends_to_loki(name: str) -> None:
    assert "http://loki:3100" in CONFIGS[name]


def test_promtail_and_alloy_set_the_labels_and_metadata_of_the_library_s_push() -> None:
    labels = {label: field for field, label in push._LABELS.items()}
    assert dict(LABELS) == labels == stages()["labels"] == alloy_map("labels", "values")
    metadata = {field: field for field in push._METADATA}
    assert set(METADATA) == set(metadata)
    assert stages()["structured_metadata"] == metadata == alloy_map("structured_metadata", "values")


def test_what_promtail_and_alloy_label_is_read_from_the_line() -> None:
    fields = {"timestamp", *LABELS.values(), *METADATA}
    assert set(stages()["json"]["expressions"]) == fields
    assert set(alloy_map("json", "expressions")) == fields


def test_positions_and_waiting_lines_survive_a_restart_of_the_collector() -> None:
    config = yaml.safe_load(collector_config())
    assert config["receivers"]["file_log"]["storage"] == "file_storage"
    queue = config["exporters"]["otlp_http/loki"]["sending_queue"]
    assert (queue["storage"], queue["block_on_overflow"]) == ("file_storage", True)
    assert config["exporters"]["otlp_http/loki"]["retry_on_failure"]["max_elapsed_time"] == 0
    assert set(config["service"]["extensions"]) == set(config["extensions"])


@pytest.mark.parametrize("name", CONFIGS)
def test_no_file_contains_a_secret(name: str) -> None:
    assert not re.search(r"(?i)password|token|authorization", CONFIGS[name])
