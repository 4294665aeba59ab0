"""Witnesses and mutants of ``tallow prove`` as lines, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from tallow.stack.prove.mutation.run import MutationResult
from tallow.stack.prove.promtool.documents import as_yaml, seconds_text
from tallow.stack.prove.proof import Proof
from tallow.stack.prove.witnesses.witness import InputSeries, Witness


def proof_lines(proof: Proof) -> Iterator[str]:
    """One line for each mutant that survives, the tests that detect them, then the totals."""
    for result in proof.mutation:
        yield from _mutation_lines(result)
    if proof.written is None:
        yield from _missing_tests(proof)
    yield from _totals(proof)
    if proof.written is not None:
        for name in proof.written.failing:
            yield f"not written, as promtool does not confirm it with the whole rule file: {name}"
        files = ", ".join(map(str, proof.written.files)) or "no file"
        yield f"{proof.written.tests} tests written to {files}"


def _totals(proof: Proof) -> Iterator[str]:
    found = sum(witness.found for witness in proof.witnesses)
    quiet = sum(witness.quiet_series is not None for witness in proof.witnesses)
    yield f"{found} of {len(proof.witnesses)} alerts seen firing, {quiet} of them also quiet just below"
    if proof.mutation:
        mutants = sum(result.mutants for result in proof.mutation)
        detected = sum(result.detected for result in proof.mutation)
        apart = sum(len(result.told_apart) for result in proof.mutation)
        more = f", {apart} more by the tests that were missing" if apart else ""
        yield f"{detected} of {mutants} mutants detected{more}"


def _missing_tests(proof: Proof) -> Iterator[str]:
    """The tests that detect survivors, as the users can add them to their own, by the interval they need."""
    by_interval: dict[float, list[dict[str, object]]] = {}
    for result in proof.mutation:
        for test in result.missing_tests:
            every = test.observation.evaluation_interval_seconds
            by_interval.setdefault(every, []).append(test.document(result.alert))
    for every, documents in by_interval.items():
        yield "# These tests detect surviving mutants. promtool has run them, with this interval."
        yield f"evaluation_interval: {seconds_text(every)}"
        yield from as_yaml({"tests": documents}).splitlines()


def _mutation_lines(result: MutationResult) -> Iterator[str]:
    where = result.alert.where
    if result.problem:
        yield f"{where}: mutants were not run: {result.problem}"
        return
    for name in result.failed_tests:
        yield f"{where}: the rule itself fails the test '{name}'"
    if not result.tests:
        yield f"{where}: no test; {result.mutants} mutants survive"
        return
    for survivor in result.survivors:
        same = "" if survivor.mutant in result.told_apart else "it may mean the same; if not, "
        yield f"{where}: survives: {survivor.mutant}; {same}missing: {survivor.missing_test}"


def proof_json(proof: Proof) -> dict[str, Any]:
    """Witnesses, mutants and written files, for programs."""
    found: dict[str, Any] = {"witnesses": [_witness_json(witness) for witness in proof.witnesses]}
    if proof.mutation:
        found["mutation"] = [_mutation_json(result) for result in proof.mutation]
    if proof.written is not None:
        found["written"] = {
            "files": [str(path) for path in proof.written.files],
            "tests": proof.written.tests,
            "not_written": list(proof.written.failing),
        }
    return found


def _witness_json(witness: Witness) -> dict[str, Any]:
    alert, obstacle = witness.alert, witness.obstacle
    return {
        "file": alert.file,
        "line": alert.line,
        "alert": alert.name,
        "fires_at_seconds": witness.fires_at,
        "interval_seconds": witness.interval_seconds,
        "series": _series_json(witness.series),
        "quiet_series": None if witness.quiet_series is None else _series_json(witness.quiet_series),
        "obstacle": None if obstacle is None else asdict(obstacle),
    }


def _series_json(series: tuple[InputSeries, ...]) -> list[dict[str, str]]:
    return [{"series": each.selector, "values": each.notation} for each in series]


def _mutation_json(result: MutationResult) -> dict[str, Any]:
    return {
        "file": result.alert.file,
        "line": result.alert.line,
        "alert": result.alert.name,
        "mutants": result.mutants,
        "detected": result.detected,
        "tests": result.tests,
        "failed_tests": list(result.failed_tests),
        "problem": result.problem,
        "missing_tests": [
            {
                "detects": [str(mutant) for mutant in test.mutants],
                "evaluation_interval": seconds_text(test.observation.evaluation_interval_seconds),
                "test": test.document(result.alert),
            }
            for test in result.missing_tests
        ],
        "survivors": [
            {
                "operator": survivor.mutant.operator,
                "change": survivor.mutant.what,
                "missing_test": survivor.missing_test,
            }
            for survivor in result.survivors
        ],
    }
