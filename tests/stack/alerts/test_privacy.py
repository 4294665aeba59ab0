"""Alert text: nothing in it can be private, because nothing that goes into it can be.

Prometheus and Alertmanager write the messages, so no scrubber of ours is on that way. What they write is our
words, numbers, and labels: those of the catalogue, which is closed, and those the operator has configured.
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
"""Labels that say where something runs, as the operator has named it: targets, jobs, the host's disks."""
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
    """A guarded label takes values that code registers (routes, caches), the others a list."""
    for metric in METRICS.values():
        for label in metric.labels:
            assert label.registered or label.values
            assert all(scrub(value) == value for value in label.values)


def test_the_check_sees_the_templates() -> None:
    assert any(Path(path).suffix == ".tmpl" for path in TEXTS)
    assert any("$labels.instance" in text for text in TEXTS.values())
