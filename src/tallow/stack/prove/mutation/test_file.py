"""Read the users' test files for promtool."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import promql_parser as ast
import yaml

from tallow.stack.prove.duration import DurationError, parse_duration
from tallow.stack.prove.expression import UnparsedError, parse, selectors
from tallow.stack.prove.mutation.detection import AlertTest
from tallow.stack.prove.promtool.documents import Document

_DEFAULT_INTERVAL = "1m"


class TestFileError(Exception):
    """A test file cannot be read. The text is one line with file and reason."""

    __test__ = False  # no test of pytest's


def load_tests(paths: Sequence[Path]) -> dict[str, list[AlertTest]]:
    """The tests of each alert in test files of promtool.

    Raises:
        TestFileError: a file cannot be read, or is no test file.
    """
    found: dict[str, list[AlertTest]] = {}
    for path in paths:
        for alert, test in _tests_of(path, _read(path)):
            found.setdefault(alert, []).append(test)
    return found


def _read(path: Path) -> Mapping[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TestFileError(f"{path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise TestFileError(f"{path}: not UTF-8 text") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise TestFileError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict) or not isinstance(document.get("tests"), list):
        raise TestFileError(f"{path}: no list of tests, as a test file of promtool has")
    return document


def _tests_of(path: Path, document: Mapping[str, Any]) -> list[tuple[str, AlertTest]]:
    every = _seconds(path, document.get("evaluation_interval") or _DEFAULT_INTERVAL)
    found = []
    for number, test in enumerate(document["tests"], start=1):
        if not isinstance(test, dict):
            raise TestFileError(f"{path}: test {number} is not a mapping")
        name = str(test.get("name") or f"{path.name}, test {number}")
        inputs = {key: test[key] for key in _INPUTS if key in test}
        expected = _by_alert(_entries(path, number, test, "alert_rule_test"), _alert_of_expectation)
        samples = _by_alert(_entries(path, number, test, "promql_expr_test"), _alert_of_samples)
        for alert in dict.fromkeys([*expected, *samples]):
            one = AlertTest(name, inputs, expected.get(alert, ()), every, samples=samples.get(alert, ()))
            found.append((alert, one))
    return found


def _entries(path: Path, number: int, test: Mapping[str, Any], key: str) -> list[Document]:
    entries = test.get(key) or []
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        raise TestFileError(f"{path}: '{key}' of test {number} is not a list of mappings")
    return entries


def _by_alert(
    entries: Sequence[Document], alert_of: Callable[[Document], str | None]
) -> dict[str, list[Document]]:
    """Entries by the name of the alert that they are about; others are left out."""
    found: dict[str, list[Document]] = {}
    for one in entries:
        if (alert := alert_of(one)) is not None:
            found.setdefault(alert, []).append(one)
    return found


def _alert_of_expectation(entry: Document) -> str:
    return str(entry.get("alertname", ""))


def _alert_of_samples(entry: Document) -> str | None:
    """The alert whose series ``ALERTS`` an expression selects, if it does nothing else."""
    try:
        tree = parse(str(entry.get("expr", "")))
    except UnparsedError:
        return None
    named = selectors(tree)
    if not isinstance(tree, ast.VectorSelector) or named[0].name != "ALERTS":
        return None
    values = [one.value for one in named[0].matchers.matchers if one.name == "alertname"]
    return str(values[0]) if len(values) == 1 else None


_INPUTS = ("interval", "input_series", "external_labels", "external_url", "start_timestamp")


def _seconds(path: Path, text: object) -> float:
    try:
        return parse_duration(str(text))
    except DurationError as error:
        raise TestFileError(f"{path}: 'evaluation_interval': {error}") from None
