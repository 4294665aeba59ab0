"""docs/prove.md: a section for each check, whose examples are what they are called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from stack.prove.test_faults import CASES, DEFAULTS, SURROUNDINGS, filled
from tallow.stack.prove.checks.catalog import CHECKS, FILE, ROUTING_CHECKS, SEVERITY_OF
from tallow.stack.prove.checks.model import Finding
from tallow.stack.prove.rule_file import RuleFileError, parse_rules
from tallow.stack.prove.witnesses.candidate import SEARCH_S, CandidateSearch
from tallow.stack.prove.witnesses.findings import UNSETTLED, WITNESS_CHECKS, witness_findings
from tallow.stack.prove.witnesses.witness import Witness

PAGE = (Path(__file__).parents[3] / "docs" / "prove.md").read_text("utf-8")
SECTION = re.compile(r"^## `(.+?)`\n(.*?)(?=^## )", re.MULTILINE | re.DOTALL)
SECTIONS = dict(SECTION.findall(PAGE))
EXAMPLE = re.compile(
    r"^(Fault|Corrected|Alertmanager configuration)(?: \([^)]*\))?:\n\n```yaml\n(.*?)```",
    re.MULTILINE | re.DOTALL,
)


def examples(section: str) -> dict[str, dict[str, Any]]:
    """The rules of a section, or its configurations of Alertmanager."""
    found = {word: yaml.safe_load(text) for word, text in EXAMPLE.findall(section)}
    return {word: shown[0] if isinstance(shown, list) else shown for word, shown in found.items()}


def test_every_check_has_a_section_and_every_section_a_check() -> None:
    assert set(SECTIONS) == {*SEVERITY_OF, *WITNESS_CHECKS}


@pytest.mark.parametrize("name", [name for name in SEVERITY_OF if name != FILE])
def test_the_examples_are_tested_rules(name: str) -> None:
    """They are cases of test_faults.py, which finds the fault in the first and nothing in the second."""
    shown = examples(SECTIONS[name])
    tested = [case for case in CASES if case["check"] == name]
    assert any(
        (is_shown(shown["Fault"], case["fault"]) and is_shown(shown["Corrected"], case["twin"]))
        and shown.get("Alertmanager configuration") == case.get("alertmanager")
        for case in tested
    )


def test_the_examples_of_files_are_what_they_are_called() -> None:
    shown = dict(EXAMPLE.findall(SECTIONS[FILE]))
    with pytest.raises(RuleFileError):
        parse_rules(shown["Fault"], "rules.yml")
    assert parse_rules(shown["Corrected"], "rules.yml")


@pytest.mark.parametrize("name", WITNESS_CHECKS)
def test_the_examples_of_checks_that_run_alerts_are_what_they_are_called(name: str) -> None:
    shown = examples(SECTIONS[name])
    # A search of a tenth of a second is cut off, however fast the machine is.
    seconds = 0.1 if name == UNSETTLED else SEARCH_S
    assert [finding.check for finding in findings_of(shown["Fault"], seconds)] == [name]
    assert findings_of(shown["Corrected"], SEARCH_S) == []


def findings_of(rule: dict[str, Any], seconds: float) -> list[Finding]:
    """The findings of an alert for which no candidate is found."""
    [alert] = parse_rules(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}), "rules.yml")
    search = CandidateSearch(alert, {}, seconds)
    found = list(search.candidates())
    return list(witness_findings([] if found else [Witness(alert, obstacle=search.obstacle)]))


def is_shown(shown: dict[str, Any], tested: dict[str, Any]) -> bool:
    """Whether an example is the rule of a case, or its configuration of Alertmanager."""
    if "alertmanager" in tested:
        return bool(shown == tested["alertmanager"])
    rule = filled({key: value for key, value in tested.items() if key not in SURROUNDINGS})
    return filled(shown) == rule or shown == without_none(rule)


def without_none(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule as the page shows it: without fields that a case leaves out, and without defaults."""
    return {
        key: value
        for key, value in rule.items()
        if value is not None and (key == "alert" or value != DEFAULTS.get(key))
    }


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_the_page_says_which_checks_need_metrics(check: Any) -> None:
    assert ("Needs `--metrics`" in SECTIONS[check.name]) == check.needs_metrics


@pytest.mark.parametrize("check", ROUTING_CHECKS, ids=lambda check: check.name)
def test_the_page_says_which_checks_need_a_configuration(check: Any) -> None:
    assert "Needs `--alertmanager`" in SECTIONS[check.name]
