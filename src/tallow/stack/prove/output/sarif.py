"""Reports for programs: JSON, and SARIF, which code hosts show beside the lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path, PureWindowsPath
from typing import Any, Final
from urllib.parse import quote

from tallow import __version__
from tallow.stack.prove.checks.catalog import SEVERITY_OF
from tallow.stack.prove.checks.model import Finding
from tallow.stack.prove.report import PAGE, Report, description
from tallow.stack.prove.witnesses.findings import WITNESS_CHECKS

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"


def as_json(report: Report) -> str:
    """The report with all of its fields."""
    return json.dumps(asdict(report), indent=2, ensure_ascii=False)


def as_sarif(report: Report) -> str:
    """The report in SARIF 2.1.0.

    Source: OASIS, Static Analysis Results Interchange Format 2.1.0.
    """
    # A run that only reads the rules has no checks that run them.
    rules = [_rule(name) for name in (_SEVERITIES if report.witnesses else SEVERITY_OF)]
    driver = {"name": "tallow prove", "semanticVersion": __version__, "rules": rules}
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding) for finding in report.findings],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)


def _rule(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "shortDescription": {"text": description(name)},
        "help": {"text": f"{PAGE}, section {name}"},
        "defaultConfiguration": {"level": _SEVERITIES[name]},
    }


_SEVERITIES: Final[Mapping[str, str]] = {**SEVERITY_OF, **WITNESS_CHECKS}
_INDEX: Final = {name: index for index, name in enumerate(_SEVERITIES)}


def _result(finding: Finding) -> dict[str, Any]:
    location = {
        "artifactLocation": {"uri": _uri(finding.file)},
        "region": {"startLine": finding.line},
    }
    return {
        "ruleId": finding.check,
        "ruleIndex": _INDEX[finding.check],
        "level": finding.severity,
        "message": {"text": f"{finding.rule}: {finding.message}"},
        "locations": [{"physicalLocation": location}],
        # The same finding in the next run, also if lines above it were added.
        "partialFingerprints": {"rule/v1": f"{finding.check} {finding.rule} {finding.message}"},
    }


def _uri(file: str) -> str:
    """A path below the working directory as a relative reference, which code hosts need; else an address."""
    path = Path(file)
    if path.is_absolute() and path.is_relative_to(Path.cwd()):
        file = str(path.relative_to(Path.cwd()))
    text = quote(file.replace("\\", "/"), safe="/~")
    if PureWindowsPath(file).drive:
        return f"file:///{text.replace('%3A', ':', 1)}"
    return f"file://{text}" if text.startswith("/") else text
