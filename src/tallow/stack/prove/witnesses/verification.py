"""Ask promtool whether alerts fire under the series that the search has found."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tallow.stack.prove.promtool.documents import (
    Document,
    alert_test,
    as_yaml,
    rule_document,
    rule_file,
    seconds_text,
)
from tallow.stack.prove.promtool.output import FiringAlert, failed_checks, rejected_rules
from tallow.stack.prove.promtool.program import Promtool, PromtoolError
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.candidate import Candidate
from tallow.stack.prove.witnesses.inputs.timing import Timing
from tallow.stack.prove.witnesses.witness import InputSeries

_CHECKS: Final = 60
"""Times of a test at which promtool is asked."""
_BATCH: Final = 60
_TIMEOUT_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Verified:
    """What promtool says about a candidate.

    Attributes:
        firing: the times at which the alert fires under the series.
        alerts: what fires at these times.
        quiet: the times at which it does not fire under them.
        stays_quiet: whether it does not fire in the end under the quiet series. On the way there, ranges that
            begin before the test can show less than there is.
        rejected: why promtool does not accept the rule; empty if it does.
    """

    candidate: Candidate
    firing: tuple[float, ...]
    quiet: tuple[float, ...]
    stays_quiet: bool
    alerts: Mapping[float, Sequence[FiringAlert]] = field(default_factory=dict)
    rejected: str = ""

    @property
    def fires(self) -> bool:
        """Whether the alert fires in the end."""
        return bool(self.firing) and self.firing[-1] == self.candidate.timing.end


def verify(
    candidates: Sequence[tuple[Candidate, Sequence[LoadedRule]]], promtool: Promtool
) -> list[Verified]:
    """What promtool says about candidates, in their order.

    Args:
        candidates: each with the recording rules that its alert reads.

    Raises:
        PromtoolError: promtool cannot be started.
    """
    found: list[Verified] = []
    for start in range(0, len(candidates), _BATCH):
        found += _batch(candidates[start : start + _BATCH], promtool)
    return found


def _batch(
    candidates: Sequence[tuple[Candidate, Sequence[LoadedRule]]], promtool: Promtool
) -> list[Verified]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        files = [_write(folder, number, *one) for number, one in enumerate(candidates)]
        try:
            output = promtool.test(files, _TIMEOUT_S)
        except PromtoolError:
            if len(candidates) == 1:
                return [Verified(candidates[0][0], (), (), stays_quiet=False)]
            middle = len(candidates) // 2
            halves = candidates[:middle], candidates[middle:]
            return [each for half in halves for each in _batch(half, promtool)]
    fired: dict[str, dict[float, Sequence[FiringAlert]]] = {}
    for check in failed_checks(output):
        if check.firing:
            fired.setdefault(check.test, {})[check.seconds] = check.firing
    rejected = rejected_rules(output)
    return [
        Verified(one, (), (), stays_quiet=False, rejected=reason)
        if (reason := rejected.get(f"r{number}.yml", ""))
        else _verified(number, one, fired)
        for number, (one, _) in enumerate(candidates)
    ]


def _verified(
    number: int, candidate: Candidate, fired: Mapping[str, Mapping[float, Sequence[FiringAlert]]]
) -> Verified:
    firing = fired.get(f"f{number}", {})
    times = check_times(candidate.timing)
    return Verified(
        candidate,
        tuple(time for time in times if time in firing),
        tuple(time for time in times if time not in firing),
        stays_quiet=candidate.quiet_series is not None
        and candidate.timing.end not in fired.get(f"q{number}", {}),
        alerts=firing,
    )


def check_times(timing: Timing) -> list[float]:
    """The times of a test at which promtool is asked, all of them evaluations of the rules."""
    step = timing.evaluation_interval
    count = round(timing.end / step)
    every = math.ceil(count / _CHECKS)
    return [timing.end - index * step for index in range(0, count, every)][::-1]


def _write(folder: Path, number: int, candidate: Candidate, recordings: Sequence[LoadedRule]) -> Path:
    rule = candidate.rule
    rules = [*map(rule_document, recordings), rule_document(rule, annotations=True)]
    (folder / f"r{number}.yml").write_text(rule_file(rules), encoding="utf-8")
    tests = [_test(f"f{number}", candidate, candidate.series)]
    if candidate.quiet_series is not None:
        tests.append(_test(f"q{number}", candidate, candidate.quiet_series))
    path = folder / f"t{number}.yml"
    document = {
        "rule_files": [f"r{number}.yml"],
        "evaluation_interval": seconds_text(candidate.timing.evaluation_interval),
        "tests": tests,
    }
    path.write_text(as_yaml(document), encoding="utf-8")
    return path


def _test(name: str, candidate: Candidate, series: Iterable[InputSeries]) -> Document:
    timing = candidate.timing
    return {
        "name": name,
        "interval": seconds_text(timing.interval),
        "input_series": [{"series": one.selector, "values": one.notation} for one in series],
        "alert_rule_test": [alert_test(time, candidate.rule.name) for time in check_times(timing)],
    }
