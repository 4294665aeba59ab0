"""What is run, not only read: witnesses of the alerts, tests of them, and mutants of the rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tallow.stack.prove.mutation.run import (
    MutationResult,
    observed_tests,
    run_mutants,
    with_missing_tests,
)
from tallow.stack.prove.mutation.test_file import load_tests
from tallow.stack.prove.promtool.program import Promtool
from tallow.stack.prove.rule_file import LoadedRule
from tallow.stack.prove.witnesses.find import WitnessSearch
from tallow.stack.prove.witnesses.test_writer import WrittenTests, write_tests
from tallow.stack.prove.witnesses.witness import Witness


@dataclass(frozen=True, slots=True)
class ProofRequest:
    """What to run.

    Attributes:
        write_tests: the file for tests of the witnesses; None for none.
        tests: test files against which mutants are run.
        mutants: whether mutants are run against the witnesses.
    """

    write_tests: Path | None = None
    tests: tuple[Path, ...] = ()
    mutants: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found.

    Attributes:
        mutation: for each alert, if mutants were asked for.
        written: what was written, if it was asked for.
    """

    witnesses: tuple[Witness, ...]
    mutation: tuple[MutationResult, ...] = ()
    written: WrittenTests | None = None


def prove_alerts(
    loaded: Sequence[LoadedRule],
    request: ProofRequest,
    promtool: Promtool,
    progress: Callable[[str], None] = lambda _: None,
) -> Proof:
    """Find witnesses of all alerts, and do what else is asked for.

    Raises:
        TestFileError: a test file cannot be read.
        TestWriteError: tests cannot be written.
        PromtoolError: promtool cannot be started.
    """
    tests = load_tests(request.tests)
    search = WitnessSearch(loaded)
    progress(f"searching input series (alerts: {len(search.alerts)})")
    needs_tests = request.write_tests is not None or bool(request.tests) or request.mutants
    witnesses = search.run(promtool, all_edges=needs_tests)
    mutation: list[MutationResult] = []
    for witness in witnesses if request.tests or request.mutants else ():
        alert = witness.alert
        progress(f"running mutants of {alert.name}")
        own = tests.get(alert.name, []) if request.tests else observed_tests(witness)
        needed = search.needed_recordings(alert)
        result = run_mutants(alert, own, needed, promtool, annotations=bool(request.tests))
        every = min((test.evaluation_interval_seconds for test in own), default=None)
        mutation.append(with_missing_tests(result, witness, search, promtool, every))
    written = None
    if request.write_tests is not None:
        progress("writing tests")
        shown = _with_observations(witnesses, mutation) if mutation else witnesses
        written = write_tests(shown, search, request.write_tests, promtool)
    return Proof(tuple(witnesses), tuple(mutation), written)


def _with_observations(witnesses: Sequence[Witness], mutation: Sequence[MutationResult]) -> list[Witness]:
    """The witnesses with what the missing tests show."""
    return [
        replace(witness, observations=(*witness.observations, *result.missing_observations))
        for witness, result in zip(witnesses, mutation, strict=True)
    ]
