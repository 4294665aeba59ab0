"""Read the users' test files for promtool."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from tallow.stack.prove.duration import DurationError, parse_duration
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
        for alert, own in _expectations(path, number, test).items():
            found.append((alert, AlertTest(name, inputs, own, every)))
    return found


def _expectations(path: Path, number: int, test: Mapping[str, Any]) -> dict[str, list[Document]]:
    """What a test expects, by the name of the alert."""
    expectations = test.get("alert_rule_test") or []
    if not isinstance(expectations, list) or not all(isinstance(one, dict) for one in expectations):
        raise TestFileError(f"{path}: 'alert_rule_test' of test {number} is not a list of mappings")
    found: dict[str, list[Document]] = {}
    for one in expectations:
        found.setdefault(str(one.get("alertname", "")), []).append(one)
    return found


_INPUTS = ("interval", "input_series", "external_labels", "external_url", "start_timestamp")


def _seconds(path: Path, text: object) -> float:
    try:
        return parse_duration(str(text))
    except DurationError as error:
        raise TestFileError(f"{path}: 'evaluation_interval': {error}") from None
