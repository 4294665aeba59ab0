"""Write witnesses as test files of promtool."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tallow.stack.prove.duration import duration_text
from tallow.stack.prove.promtool.digits import shows_digits
from tallow.stack.prove.promtool.documents import (
    Document,
    alert_samples_test,
    alert_test,
    as_yaml,
    rule_document,
    seconds_text,
)
from tallow.stack.prove.promtool.output import FailedCheck, failed_checks
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.rule_file import LoadedRule, is_plain
from tallow.stack.prove.witnesses.find import WitnessSearch
from tallow.stack.prove.witnesses.witness import Observation, Witness

_SHORT_S: Final = 60.0
"""Tests whose rules are evaluated at least this often share a file, with the shortest interval of all..."""
_MOST_EVALUATIONS: Final = 1000
"""... unless that makes a test evaluate its rules more often than this."""
_HEADER: Final = """\
# Written by `tallow prove --write-tests`: series under which each alert fires, and series just below.
# Run it with `promtool test rules {name}`.
"""


class TestWriteError(Exception):
    """Tests cannot be written. The text is one line."""

    __test__ = False  # no test of pytest's


@dataclass(frozen=True, slots=True)
class WrittenTests:
    """What was written.

    Attributes:
        tests: how many there are.
        failing: names of tests that promtool does not confirm with the users' rule files; they are left out.
    """

    files: tuple[Path, ...]
    tests: int
    failing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _NamedTest:
    name: str
    alert: LoadedRule
    observation: Observation

    @property
    def question(self) -> Document:
        """The test, expecting nothing at any time: promtool then says what fires."""
        times = sorted({*self.observation.quiet, *self.observation.firing})
        expected = [alert_test(time, self.alert.name) for time in times]
        return _inputs(self.name, self.observation) | {"alert_rule_test": expected}

    def document(self, alerts: Mapping[float, Sequence[Document]]) -> Document:
        """The test, expecting the alerts that fire at each time."""
        return observation_document(self.name, self.alert, self.observation, alerts)


def observation_document(
    name: str, alert: LoadedRule, observation: Observation, alerts: Mapping[float, Sequence[Document]]
) -> Document:
    """An entry of ``tests`` with the series of an observation.

    Args:
        alerts: what is expected at each time, as entries of ``exp_alerts``.
    """
    times = sorted({*observation.quiet, *observation.firing})
    key, entry = ("promql_expr_test", alert_samples_test) if shows_digits(alert) else _EXPECTING
    return _inputs(name, observation) | {
        key: [entry(time, alert.name, alerts.get(time, ())) for time in times]
    }


_EXPECTING: Final = ("alert_rule_test", alert_test)


def _inputs(name: str, observation: Observation) -> Document:
    return {
        "name": name,
        "interval": seconds_text(observation.interval_seconds),
        "input_series": [{"series": one.selector, "values": one.notation} for one in observation.series],
    }


def write_tests(
    witnesses: Sequence[Witness], search: WitnessSearch, path: Path, promtool: Promtool
) -> WrittenTests:
    """Write tests that pass with the users' own rule files.

    A test file of promtool has one list of rule files and one evaluation interval. If witnesses need
    several, there are several files, whose names begin with that of ``path``.

    Raises:
        TestWriteError: a file cannot be written.
        PromtoolError: promtool cannot be started.
    """
    groups = _grouped(witnesses, search)
    written: list[Path] = []
    failing: list[str] = []
    count = 0
    for (files, every), tests in groups.items():
        target = path if len(groups) == 1 else _name_of_one(path, files, every, written)
        rule_files = [_plain_file(Path(file), target, search, promtool) for file in files]
        kept = _write(target, rule_files, every, tests, promtool)
        written += [target] if kept else []
        count += len(kept)
        failing += [test.name for test in tests if test not in kept]
    return WrittenTests(tuple(written), count, tuple(failing))


_Groups = dict[tuple[tuple[str, ...], float], list[_NamedTest]]


def _grouped(witnesses: Sequence[Witness], search: WitnessSearch) -> _Groups:
    """The tests by the rule files and the interval that they need."""
    names = Counter(witness.alert.name for witness in witnesses)
    shortest = min((each for each in _intervals(witnesses) if each <= _SHORT_S), default=_SHORT_S)
    groups: _Groups = {}
    for witness in witnesses:
        files = (*(rule.file for rule in search.needed_recordings(witness.alert)), witness.alert.file)
        for test in _named(witness, is_unique=names[witness.alert.name] == 1):
            every = _interval(test.observation, shortest)
            groups.setdefault((tuple(sorted(set(files))), every), []).append(test)
    return groups


def _interval(observation: Observation, shortest: float) -> float:
    """Seconds between two evaluations in the file of a test."""
    every = observation.evaluation_interval_seconds
    end = max([*observation.firing, *observation.quiet], default=0.0)
    return shortest if every <= _SHORT_S and end / shortest <= _MOST_EVALUATIONS else every


def _intervals(witnesses: Sequence[Witness]) -> Iterator[float]:
    for witness in witnesses:
        yield from (observation.evaluation_interval_seconds for observation in witness.observations)


def _named(witness: Witness, *, is_unique: bool) -> Iterator[_NamedTest]:
    """The tests of an alert. If others have its name, those of this one have its line."""
    alert = witness.alert.name if is_unique else f"{witness.alert.name} of line {witness.alert.line}"
    for observation in witness.observations:
        yield _NamedTest(f"{alert} {observation.behaviour}", witness.alert, observation)


def _name_of_one(path: Path, files: Sequence[str], every: float, taken: Sequence[Path]) -> Path:
    """A name for one of several test files, with the name of its rule file."""
    stem = "-".join([path.stem, *(Path(file).stem for file in files[-1:])])
    names = [stem, f"{stem}-{duration_text(every)}", *(f"{stem}-{number}" for number in range(2, 1000))]
    candidates = (path.with_name(f"{name}{path.suffix or '.yml'}") for name in names)
    return next(each for each in candidates if each not in taken)


def _plain_file(file: Path, target: Path, search: WitnessSearch, promtool: Promtool) -> str:
    """The rule file as the test file names it.

    promtool reads no PrometheusRule, of several documents only the first, and no key of Thanos or Mimir: the
    rules are then written to a file of their own.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TestWriteError(f"{file}: {error.strerror or error}") from None
    if is_plain(text) and promtool.accepts(file):
        return os.path.relpath(file, target.parent)
    groups: dict[str, list[Document]] = {}
    for rule in search.rules:
        if rule.file == str(file):
            groups.setdefault(rule.group or "rules", []).append(rule_document(rule, annotations=True))
    plain = target.with_name(f"{target.stem}-{file.stem}.rules.yml")
    _save(plain, as_yaml({"groups": [{"name": name, "rules": rules} for name, rules in groups.items()]}))
    return plain.name


def _write(
    target: Path, rule_files: Sequence[str], every: float, tests: Sequence[_NamedTest], promtool: Promtool
) -> list[_NamedTest]:
    """Write the tests of one file; those that promtool does not confirm are left out."""
    # What fires, with all labels and annotations, is what promtool says about expectations of nothing.
    _save(target, _text(target, rule_files, every, [test.question for test in tests]))
    fired = _by_test(failed_checks(promtool.test([target])))
    kept = [test for test in tests if _is_as_observed(test, fired.get(test.name, {}))]
    _save_expecting(target, rule_files, every, kept, fired)
    output = promtool.test([target])
    wrong = {check.test for check in failed_checks(output)}
    if wrong:
        kept = [test for test in kept if test.name not in wrong]
        _save_expecting(target, rule_files, every, kept, fired)
        output = promtool.test([target])
    if output or not kept:  # for example, promtool does not accept another rule of the file
        target.unlink()
        return []
    return kept


_Fired = dict[str, dict[float, list[Document]]]


def _save_expecting(
    target: Path, rule_files: Sequence[str], every: float, tests: Sequence[_NamedTest], fired: _Fired
) -> None:
    documents = [test.document(fired.get(test.name, {})) for test in tests]
    _save(target, _text(target, rule_files, every, documents))


def _by_test(checks: Sequence[FailedCheck]) -> _Fired:
    found: _Fired = {}
    for check in checks:
        found.setdefault(check.test, {})[check.seconds] = [alert.expected for alert in check.firing]
    return found


def _is_as_observed(test: _NamedTest, fired: Mapping[float, Sequence[Document]]) -> bool:
    """Whether the alert fires with the users' rule files when it does alone.

    Another alert of the same name can fire, too: a test in which the alert is quiet then expects that one.
    """
    return all(fired.get(time) for time in test.observation.firing)


def _text(target: Path, rule_files: Sequence[str], every: float, tests: Sequence[Document]) -> str:
    document = {
        "rule_files": list(rule_files),
        "evaluation_interval": seconds_text(every),
        "tests": list(tests),
    }
    return _HEADER.format(name=target.name) + as_yaml(document)


def _save(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TestWriteError(f"{path}: {error.strerror or error}") from None
