"""Run the mutants of alerts against tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tallow.stack.prove.expression import UnparsedError
from tallow.stack.prove.mutation.detection import AlertTest, detected
from tallow.stack.prove.mutation.missing_test import missing_test
from tallow.stack.prove.mutation.mutants import Mutant, mutants_of
from tallow.stack.prove.promtool.documents import Document, alert_test, rule_document, seconds_text
from tallow.stack.prove.promtool.program import Promtool, PromtoolError
from tallow.stack.prove.rule_file import LoadedRule
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
        problem: why its mutants did not run; empty if they did.
    """

    alert: LoadedRule
    mutants: int
    survivors: tuple[SurvivingMutant, ...]
    tests: int
    failed_tests: tuple[str, ...] = ()
    problem: str = ""

    @property
    def detected(self) -> int:
        """How many mutants a test detects."""
        return self.mutants - len(self.survivors)


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
