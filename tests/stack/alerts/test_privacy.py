"""Alert messages contain nothing private.

Prometheus and Alertmanager write the messages without the scrubber. They contain fixed texts, numbers, labels
of the catalogue, whose values are closed, and labels that the operator configured.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallow.monitoring.catalog import METRICS
from tallow.monitoring.privacy import scrub
from tallow.stack import alerts, routing

TEXTS = {
    str(path): text
    for path, text in {**alerts.files(), **routing.files()}.items()
    if path.suffix in {".yml", ".tmpl"} and "alertmanager" not in path.name
}
OPERATORS = {"instance", "job", "mountpoint"}
"""Labels with names that the operator chose: targets, jobs, the host's disks."""
RULES = {"alertname", "severity", "category", "drill", "runbook", "group", "objective"}
"""Labels that the rules themselves set."""
_PRINTED = re.compile(r"(?:\$labels|\.Labels|CommonLabels|GroupLabels)\.(\w+)")
_ALL = re.compile(r"(?:\.Labels|CommonLabels|GroupLabels)\.SortedPairs|range [^}]*Labels\b")


@pytest.mark.parametrize("path", TEXTS)
def test_message_prints_only_known_labels(path: str) -> None:
    closed = {label.name for metric in METRICS.values() for label in metric.labels}
    assert set(_PRINTED.findall(TEXTS[path])) <= closed | OPERATORS | RULES
    assert not _ALL.search(TEXTS[path])


@pytest.mark.parametrize("path", TEXTS)
def test_texts_pass_the_scrubber_unchanged(path: str) -> None:
    for line in TEXTS[path].splitlines():
        assert scrub(line) == line


def test_catalogue_labels_contain_no_user_text() -> None:
    """A guarded label has values that code registers (routes, caches); other labels have a list."""
    for metric in METRICS.values():
        for label in metric.labels:
            assert label.registered or label.values
            assert all(scrub(value) == value for value in label.values)


def test_the_check_sees_the_templates() -> None:
    assert any(Path(path).suffix == ".tmpl" for path in TEXTS)
    assert any("$labels.instance" in text for text in TEXTS.values())
