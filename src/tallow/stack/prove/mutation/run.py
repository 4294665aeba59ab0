"""Run the mutants of alerts against tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallow.stack.prove.expression import UnparsedError
from tallow.stack.prove.mutation.detection import AlertTest, detected
from tallow.stack.prove.mutation.distinguish import MissingTest, TestSearch
from tallow.stack.prove.mutation.missing_test import missing_test
from tallow.stack.prove.mutation.mutants import Mutant, mutants_of
from tallow.stack.prove.promtool.documents import Document, alert_test, rule_document, seconds_text
from tallow.stack.prove.promtool.program import Promtool, PromtoolError
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.find import WitnessSearch
from tallow.stack.prove.witnesses.witness import Observation, Witness


@dataclass(frozen=True, slots=True)
class SurvivingMutant:
    """A mutant that no test detects.

    Attributes:
        missing_test: what a test that detects it has to show.
    """

    mutant: Mutant
    missing_test: str


@dataclass(frozen=True, slots=True)
class MutationResult:
    """The mutants of one alert.

    Attributes:
        tests: of the alert.
        failed_tests: that the alert itself fails; they are not used.
        missing_tests: detect some of the survivors. Of the others no series were found that tell them from
            the rule.
        problem: why its mutants did not run; empty if they did.
    """

    alert: LoadedRule
    mutants: int
    survivors: tuple[SurvivingMutant, ...]
    tests: int
    failed_tests: tuple[str, ...] = ()
    problem: str = ""
    missing_tests: tuple[MissingTest, ...] = ()

    @property
    def detected(self) -> int:
        """How many mutants a test detects."""
        return self.mutants - len(self.survivors)

    @property
    def missing_observations(self) -> list[Observation]:
        """What the missing tests show."""
        return [test.observation for test in self.missing_tests]

    @property
    def told_apart(self) -> list[Mutant]:
        """The survivors that one of the missing tests detects."""
        return [mutant for test in self.missing_tests for mutant in test.mutants]


def run_mutants(
    alert: LoadedRule,
    tests: Sequence[AlertTest],
    recordings: Sequence[LoadedRule],
    promtool: Promtool,
    *,
    annotations: bool = True,
) -> MutationResult:
    """Run the mutants of an alert against its tests.

    Args:
        recordings: the recording rules that it reads, in an order of evaluation.
        annotations: whether the tests expect the annotations of the rule.
    """
    try:
        mutants = mutants_of(alert)
    except UnparsedError as error:
        return MutationResult(alert, 0, (), len(tests), problem=f"not parsed: {error}")
    failed: list[str] = []
    left = mutants
    needed = [rule_document(rule) for rule in recordings]
    for test in tests:
        rules = _numbered([alert, *(mutant.rule for mutant in left)], annotations=annotations)
        try:
            caught = detected(rules, replace(test, rules=needed), promtool)
        except PromtoolError as error:
            return MutationResult(alert, len(mutants), (), len(tests), tuple(failed), problem=str(error))
        if 0 in caught:
            failed.append(test.name)
        else:
            left = [mutant for number, mutant in enumerate(left, start=1) if number not in caught]
    survivors = tuple(SurvivingMutant(mutant, missing_test(mutant)) for mutant in left)
    return MutationResult(alert, len(mutants), survivors, len(tests), tuple(failed))


def with_missing_tests(
    result: MutationResult, witness: Witness, search: WitnessSearch, promtool: Promtool, every: float | None
) -> MutationResult:
    """A result with tests that detect its survivors.

    Args:
        search: that found the witness.
        every: seconds between two evaluations in the tests that there are; None if there are none.
    """
    if not result.survivors or result.problem:
        return result
    alert = result.alert
    needed = [rule_document(rule) for rule in search.needed_recordings(alert)]
    tests = TestSearch(alert, needed, search.recordings, promtool, every)
    missing = tests.run([survivor.mutant for survivor in result.survivors], witness)
    return replace(result, missing_tests=tuple(missing))


def _numbered(rules: Sequence[LoadedRule], *, annotations: bool) -> dict[int, Document]:
    return {number: rule_document(rule, annotations=annotations) for number, rule in enumerate(rules)}


def observed_tests(witness: Witness) -> list[AlertTest]:
    """The observations of a witness as tests that expect what was observed, labels included."""
    return [_test(witness.alert, observation) for observation in witness.observations]


def _test(alert: LoadedRule, observation: Observation) -> AlertTest:
    document: dict[str, object] = {
        "name": f"{alert.name} {observation.behaviour}",
        "interval": seconds_text(observation.interval_seconds),
        "input_series": [{"series": one.selector, "values": one.notation} for one in observation.series],
    }
    expectations = [
        *(alert_test(time, alert.name) for time in observation.quiet),
        *(
            alert_test(time, alert.name, [one.expected_labels for one in observation.alerts[time]])
            for time in observation.firing
        ),
    ]
    return AlertTest(str(document["name"]), document, expectations, observation.evaluation_interval_seconds)
