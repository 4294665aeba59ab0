"""Public collections of rules: every rule is parsed or named, and few are reported wrongly.

``scripts/proof -k collections`` reads the folder that ``TALLOW_RULE_COLLECTIONS`` names. docs/prove.md tells
how to fill it, and shows the figures. Nothing of the collections is in this repository.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tallow.stack.prove.metrics.model import KnownMetrics
from tallow.stack.prove.metrics.source import load_metrics
from tallow.stack.prove.output.html import as_html
from tallow.stack.prove.output.sarif import as_json, as_sarif
from tallow.stack.prove.report import Report, check_rules, counts
from tallow.stack.prove.rule_file import LoadedRule, load_rules, parse_rules

VARIABLE: Final = "TALLOW_RULE_COLLECTIONS"
METRICS: Final = "metrics"
"""The folder of expositions beside the collections."""
CONDITIONAL: Final = frozenset({"range/short", "label/template", "metrics/missing-metric"})
"""Checks whose findings depend on the scrape interval, on texts, and on the exporter that was asked."""
MOST_FLAGGED: Final = 0.05
"""The largest share of a collection's rules, flagged rightly or wrongly, that is plausible."""
SECONDS_PER_RULE: Final = 2

pytestmark = pytest.mark.proof


def collections() -> Iterator[Path]:
    """The folders of collections."""
    folder = os.environ.get(VARIABLE)
    for path in sorted(Path(folder).iterdir()) if folder else ():
        if path.is_dir() and path.name != METRICS and not path.name.startswith("."):
            yield path


def test_collections_are_given() -> None:
    if not os.environ.get(VARIABLE):
        pytest.skip(f"{VARIABLE} does not name a folder of collections")
    assert list(collections())


@pytest.mark.parametrize("folder", list(collections()), ids=lambda path: path.name)
def test_collections(folder: Path) -> None:
    rules = rules_of(folder)
    assert rules
    for name, metrics in (("without metrics", None), ("with metrics", known_metrics(folder.parent))):
        if name == "with metrics" and metrics is None:
            continue
        started = time.perf_counter()
        report = check_rules(rules, metrics)
        seconds = time.perf_counter() - started
        show(f"{folder.name}, {name}", report, seconds)
        assert seconds <= SECONDS_PER_RULE * len(rules)
        assert len(surely_flagged(report)) <= MOST_FLAGGED * len(rules)
        assert all((as_html(report, rules), as_json(report), as_sarif(report)))


def rules_of(folder: Path) -> list[LoadedRule]:
    """The rules of a collection: rule files, or the one file of awesome-prometheus-alerts."""
    source = folder / "_data" / "rules.yml"
    if not source.exists():
        return load_rules([folder])
    return parse_rules(yaml.safe_dump(from_awesome(yaml.safe_load(source.read_text("utf-8")))), folder.name)


def from_awesome(data: dict[str, Any]) -> dict[str, Any]:
    """The rules of awesome-prometheus-alerts as its own template writes them."""
    groups = [
        {
            "name": f"{service['name']} {exporter.get('slug', '')}",
            "rules": [from_template(rule) for rule in exporter.get("rules") or ()],
        }
        for group in data["groups"]
        for service in group["services"]
        for exporter in service.get("exporters") or ()
    ]
    return {"groups": groups}


def from_template(rule: dict[str, Any]) -> dict[str, Any]:
    """One rule of awesome-prometheus-alerts."""
    title = str(rule["name"])
    return {
        "alert": "".join(word.capitalize() for word in title.split()),
        "expr": rule["query"],
        "for": rule.get("for") or "0m",
        "labels": {"severity": rule["severity"]},
        "annotations": {
            "summary": rule.get("summary") or f"{title} (instance {{{{ $labels.instance }}}})",
            "description": f"{rule['description']}\n  VALUE = {{{{ $value }}}}\n  LABELS = {{{{ $labels }}}}",
        },
    }


def known_metrics(folder: Path) -> KnownMetrics | None:
    """What the exporters that can be started expose."""
    path = folder / METRICS
    return load_metrics(str(path), ()) if path.is_dir() else None


def surely_flagged(report: Report) -> set[tuple[str, int]]:
    """The rules with an error or a warning that depends on nothing outside the rule."""
    return {
        (finding.file, finding.line)
        for finding in report.findings
        if finding.severity != "note" and finding.check not in CONDITIONAL
    }


def show(title: str, report: Report, seconds: float) -> None:
    """Print the figures of a collection, and what was not understood."""
    print(
        f"\n{title}: {report.rules} rules, {report.flagged} flagged, {len(surely_flagged(report))} of them "
        f"for reasons within the rule, {report.clean} without findings, {report.unparsed} not parsed, "
        f"{1000 * seconds / report.rules:.0f} ms a rule"
    )
    for check, severity, count in counts(report):
        print(f"  {count:>4}  {severity:<8}{check}")
    unparsed = [str(finding) for finding in report.findings if finding.check == "rule/syntax"]
    print(*unparsed, sep="\n", end="\n" if unparsed else "")
    print(f"  severities: {dict(Counter(finding.severity for finding in report.findings))}")
