"""Find the tests that are missing: series under which a rule and its surviving mutants differ."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final

from tallow.stack.prove.mutation.detection import AlertTest, detected, failures
from tallow.stack.prove.mutation.inputs import TestInput, known_inputs
from tallow.stack.prove.mutation.mutants import Mutant
from tallow.stack.prove.promtool.digits import shows_digits
from tallow.stack.prove.promtool.documents import (
    Document,
    alert_samples_test,
    alert_test,
    rule_document,
    seconds_text,
)
from tallow.stack.prove.promtool.output import FiringAlert
from tallow.stack.prove.promtool.program import Promtool, PromtoolError
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.candidate import CandidateSearch
from tallow.stack.prove.witnesses.evaluation.model import Recordings
from tallow.stack.prove.witnesses.test_writer import observation_document
from tallow.stack.prove.witnesses.witness import Observation, Witness

_SEARCH_S: Final = 0.7
"""Processor time to search series for one mutant, in each of two directions."""
_ALL_SEARCHES_S: Final = 20.0
"""Processor time for all mutants of an alert."""
_CANDIDATES: Final = 2
_MOST_EVALUATIONS: Final = 3000


@dataclass(frozen=True, slots=True)
class MissingTest:
    """A test that a rule passes and some of its mutants fail, verified by promtool.

    Attributes:
        observation: series, and what the rule does under them at the times at which the mutants differ.
        mutants: that fail the test.
    """

    observation: Observation
    mutants: tuple[Mutant, ...]

    def document(self, alert: LoadedRule) -> Document:
        """An entry of ``tests``."""
        one = self.observation
        alerts = {time: [each.expected for each in found] for time, found in one.alerts.items()}
        return observation_document(f"{alert.name} {one.behaviour}", alert, one, alerts)


_Fired = Mapping[float, Sequence[FiringAlert]]
"""The alerts that fire, by the seconds from the start."""


@dataclass(slots=True)
class TestSearch:
    """The search for the tests that an alert lacks.

    Attributes:
        needed: the recording rules that it reads, in an order of evaluation.
        recordings: all recording rules, for the search of series.
        every: seconds between two evaluations in the tests that there are; None if there are none.
    """

    __test__ = False  # no test of pytest's

    alert: LoadedRule
    needed: Sequence[Document]
    recordings: Recordings
    promtool: Promtool
    every: float | None = None
    _seconds_left: float = field(default=_ALL_SEARCHES_S)

    def run(self, survivors: Sequence[Mutant], witness: Witness | None) -> list[MissingTest]:
        """Tests that detect as many mutants as possible."""
        found: list[MissingTest] = []
        left = list(survivors)
        for one in known_inputs(witness) if witness is not None else ():
            left = self._try(one, left, found)
        for mutant in survivors:
            for one in self._inputs_for(mutant) if mutant in left else ():
                if mutant in left:
                    left = self._try(one, left, found)
        return found

    def _try(self, one: TestInput, left: list[Mutant], found: list[MissingTest]) -> list[Mutant]:
        """Compare under some series. Returns the mutants that are still not told apart."""
        for every in dict.fromkeys((self.every, one.every)):
            if left and every is not None and one.end / every <= _MOST_EVALUATIONS:
                test = self._compared(replace(one, every=every), left)
                if test is not None:
                    found.append(test)
                    left = [mutant for mutant in left if mutant not in test.mutants]
        return left

    def _compared(self, one: TestInput, mutants: Sequence[Mutant]) -> MissingTest | None:
        """A test with these series, or None if no mutant fails it."""
        try:
            seen = failures({0: self._document(self.alert)}, self._test(one, one.times, {}), self.promtool)
            fired: _Fired = seen.get(0, {})
            settled = settled_times(one, fired)
            caught = self._caught(one, settled, fired, mutants) if settled else []
            times = self._telling_times(one, settled, fired, caught) if caught else []
            found = self._caught(one, times, fired, caught) if times else []
        except PromtoolError:
            return None  # these series do not serve
        return MissingTest(_observation(one, times, fired, found), tuple(found)) if found else None

    def _caught(
        self, one: TestInput, times: Sequence[float], fired: _Fired, mutants: Sequence[Mutant]
    ) -> list[Mutant]:
        """The mutants that fail a test; none if promtool does not confirm the rule itself."""
        rules = {0: self._document(self.alert), **self._documents(mutants)}
        caught = detected(rules, self._test(one, times, fired), self.promtool)
        return [] if 0 in caught else [mutants[number - 1] for number in sorted(caught)]

    def _documents(self, mutants: Sequence[Mutant]) -> dict[int, Document]:
        return {number: self._document(mutant.rule) for number, mutant in enumerate(mutants, start=1)}

    def _document(self, rule: LoadedRule) -> Document:
        return rule_document(rule, annotations=True)

    def _test(self, one: TestInput, times: Iterable[float], fired: _Fired) -> AlertTest:
        document = {
            "name": f"{self.alert.name} compared with its mutants",
            "interval": seconds_text(one.interval),
            "input_series": [{"series": each.selector, "values": each.notation} for each in one.series],
        }
        expected = {time: [each.expected for each in found] for time, found in fired.items()}
        # With nothing expected, promtool says what fires; it does so for expectations of alerts only.
        by_samples = bool(fired) and shows_digits(self.alert)
        entry = alert_samples_test if by_samples else alert_test
        checks = [entry(time, self.alert.name, expected.get(time, ())) for time in times]
        alerts, samples = ((), checks) if by_samples else (checks, ())
        return AlertTest(str(document["name"]), document, alerts, one.every, self.needed, samples)

    def _telling_times(
        self, one: TestInput, times: list[float], fired: _Fired, mutants: Sequence[Mutant]
    ) -> list[float]:
        """A few of some times, at which each mutant differs at least once."""
        try:
            failed = failures(self._documents(mutants), self._test(one, times, fired), self.promtool)
        except PromtoolError:
            return times  # a mutant cannot be evaluated under these series
        return _cover({number: set(times) for number, times in failed.items()})

    def _inputs_for(self, mutant: Mutant) -> Iterator[TestInput]:
        """Series under which only one of the rule and a mutant fires."""
        own, changed = self.alert.expr, mutant.rule.expr
        for expr in (f"({own}) unless ({changed})", f"({changed}) unless ({own})") if own != changed else ():
            seconds = min(_SEARCH_S, self._seconds_left)
            if seconds <= 0:
                return
            search = CandidateSearch(replace(self.alert, expr=expr), self.recordings, seconds, 0.0)
            for candidate in islice(search.candidates(), _CANDIDATES):
                timing = candidate.timing
                yield TestInput(candidate.series, timing.interval, timing.evaluation_interval, timing.end)
            self._seconds_left -= seconds - search.seconds_left


def settled_times(one: TestInput, fired: _Fired) -> list[float]:
    """The evaluations at which the same alerts fire as at those just before and just after them.

    Prometheus 2 counts a sample at the start of a range, Prometheus 3 does not: an alert begins and ends to
    fire up to a sample earlier or later.
    """
    spacing = one.times[1] - one.times[0] if len(one.times) > 1 else one.every
    near = max(math.ceil(max(one.interval, one.every) / spacing), 1)
    states = [sorted(str(alert.expected) for alert in fired.get(time, ())) for time in one.times]
    return [
        time
        for index, time in enumerate(one.times)
        if all(state == states[index] for state in states[max(index - near, 0) : index + near + 1])
    ]


def _cover(times: Mapping[int, set[float]]) -> list[float]:
    """Times so that each set has one of them; those of most sets first, of these the earliest."""
    chosen: list[float] = []
    left = [each for each in times.values() if each]
    while left:
        best = max(sorted({time for each in left for time in each}), key=lambda time: _holding(left, time))
        chosen.append(best)
        left = [each for each in left if best not in each]
    return sorted(chosen)


def _observation(
    one: TestInput, times: Sequence[float], fired: _Fired, mutants: Sequence[Mutant]
) -> Observation:
    return Observation(
        _behaviour(mutants),
        one.series,
        tuple(time for time in times if time in fired),
        {time: fired[time] for time in times if time in fired},
        tuple(time for time in times if time not in fired),
        one.interval,
        one.every,
    )


def _holding(sets: Iterable[set[float]], time: float) -> int:
    return sum(time in each for each in sets)


def _behaviour(mutants: Sequence[Mutant]) -> str:
    more = len(mutants) - 1
    return f"detects {mutants[0]}" + (f" and {more} more" if more else "")
