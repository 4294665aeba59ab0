"""Witnesses and mutants of ``tallow prove`` as lines, and for programs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tallow.stack.prove.mutation.run import MutationResult
from tallow.stack.prove.proof import Proof
from tallow.stack.prove.witnesses.witness import InputSeries, Witness


def proof_lines(proof: Proof) -> Iterator[str]:
    """One line for each alert without a witness and for each mutant that survives, then the totals."""
    for witness in proof.witnesses:
        if not witness.found:
            yield f"{witness.alert.where}: no firing input found: {witness.blocked_by}"
    for result in proof.mutation:
        yield from _mutation_lines(result)
    yield from _totals(proof)
    if proof.written is not None:
        for name in proof.written.failing:
            yield f"not written, as other rules of the file change it: {name}"
        files = ", ".join(map(str, proof.written.files)) or "no file"
        yield f"{proof.written.tests} tests written to {files}"


def _totals(proof: Proof) -> Iterator[str]:
    found = sum(witness.found for witness in proof.witnesses)
    quiet = sum(witness.quiet_series is not None for witness in proof.witnesses)
    yield f"{found} of {len(proof.witnesses)} alerts seen firing, {quiet} of them also quiet just below"
    if proof.mutation:
        mutants = sum(result.mutants for result in proof.mutation)
        detected = sum(result.detected for result in proof.mutation)
        yield f"{detected} of {mutants} mutants detected"


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
        yield f"{where}: survives: {survivor.mutant}; missing: {survivor.missing_test}"


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
    alert = witness.alert
    return {
        "file": alert.file,
        "line": alert.line,
        "alert": alert.name,
        "fires_at_seconds": witness.fires_at,
        "interval_seconds": witness.interval_seconds,
        "series": _series_json(witness.series),
        "quiet_series": None if witness.quiet_series is None else _series_json(witness.quiet_series),
        "blocked_by": witness.blocked_by,
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
        "survivors": [
            {
                "operator": survivor.mutant.operator,
                "change": survivor.mutant.what,
                "missing_test": survivor.missing_test,
            }
            for survivor in result.survivors
        ],
    }
