"""Rule files and test files as YAML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import yaml

from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.rule_file import LoadedRule

Document = dict[str, Any]
_WIDE: Final = 1 << 20


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    """Writes no anchors and aliases, which are hard to read."""

    def ignore_aliases(self, data: object) -> bool:
        return True


def as_yaml(document: object) -> str:
    """A document as text."""
    return str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=_WIDE, allow_unicode=True))


def rule_document(rule: LoadedRule, *, annotations: bool = False, **changes: object) -> Document:
    """A rule as an entry of ``rules``.

    Args:
        annotations: whether they are kept.
        changes: keys that have another value.
    """
    document: Document = {rule.kind: rule.name, "expr": rule.expr}
    if rule.for_seconds:
        document["for"] = seconds_text(rule.for_seconds)
    if rule.keep_firing_seconds:
        document["keep_firing_for"] = seconds_text(rule.keep_firing_seconds)
    if rule.labels:
        document["labels"] = dict(rule.labels)
    if annotations and rule.annotations:
        document["annotations"] = dict(rule.annotations)
    return document | changes


def rule_file(rules: Sequence[Document], name: str = "rules") -> str:
    """A rule file of one group, in which each rule sees the results of those before it."""
    return as_yaml({"groups": [{"name": name, "rules": list(rules)}]})


def alert_test(seconds: float, alert: str, expected: Sequence[Mapping[str, object]] = ()) -> Document:
    """An entry of ``alert_rule_test``."""
    return {"eval_time": seconds_text(seconds), "alertname": alert, "exp_alerts": list(expected)}


def alert_samples_test(seconds: float, alert: str, expected: Sequence[Mapping[str, Any]] = ()) -> Document:
    """An entry of ``promql_expr_test`` that expects firing alerts by their labels alone.

    Args:
        expected: entries of ``exp_alerts``.
    """
    state = {"alertname": alert, "alertstate": "firing"}
    samples = [
        {"labels": _series("ALERTS", state | each.get("exp_labels", {})), "value": 1} for each in expected
    ]
    return {"expr": _series("ALERTS", state), "eval_time": seconds_text(seconds), "exp_samples": samples}


def _series(name: str, labels: Mapping[str, str]) -> str:
    return f"{name}{{{','.join(f'{label}={quoted(value)}' for label, value in labels.items())}}}"


def quoted(text: str) -> str:
    """A text in PromQL's quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def seconds_text(seconds: float) -> str:
    """A duration that promtool reads back exactly."""
    whole = round(seconds)
    return (
        f"{whole}s" if whole % 60 or whole < 60 else duration_text(whole) if whole < 86_400 else f"{whole}s"
    )
