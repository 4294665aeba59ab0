"""No input costs more than linear time. A proof, because it is a matter of time."""

from __future__ import annotations

import ast
import time

import pytest

from support.privacy.corpus import FOLDER
from tallow.monitoring.privacy import Rule, Scrubber
from tallow.monitoring.privacy.detectors import ALL as RULES
from tallow.monitoring.privacy.model import Syntax
from tallow.monitoring.privacy.syntaxes import ALL as SYNTAXES

ROWS: tuple[Rule | Syntax, ...] = (*SYNTAXES, *RULES)

PIECES = [ast.literal_eval(line) for line in (FOLDER / "adversarial.txt").read_text("utf-8").splitlines()]
"""What, repeated, has led some pattern or other astray."""
ORDINARY = "2026-11-24T08:00:00Z GET /api/rooms status=200 bytes=4711 served in 12 ms\n" * 700
"""A log of 48,000 characters: no text may cost a hundred times as much."""


def cost(text: str) -> float:
    """Seconds of CPU, the best of three."""
    best = 9e9
    for _ in range(3):
        started = time.process_time()
        Scrubber().text(text)
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.proof
@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize("tail", ["", "@", "=", '"', "!"])
def test_four_times_the_text_takes_about_four_times_the_time(piece: str, tail: str) -> None:
    few, many = (piece * (size // len(piece)) + tail for size in (12_000, 48_000))
    assert cost(many) < max(9 * cost(few), 0.03)
    assert cost(many) < 100 * cost(ORDINARY[: len(many)])


@pytest.mark.proof
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_examples_of_a_row_take_linear_time(row: Rule | Syntax) -> None:
    for text in (row.examples[0][0], row.counterexamples[0], row.examples[0][0][:-1]):
        few, many = (((text + " ") * (size // len(text) + 1))[:size] for size in (12_000, 48_000))
        assert cost(many) < max(9 * cost(few), 0.03)


def records_with_private_names(number: int) -> dict[str, int]:
    """Keys that all look the same once they are scrubbed."""
    return {f"user{place}@mail.example": place for place in range(number)}


@pytest.mark.proof
def test_four_times_the_keys_that_look_alike_take_about_four_times_the_time() -> None:
    costs = []
    for number in (1_000, 4_000):
        record = records_with_private_names(number)
        started = time.process_time()
        assert len(Scrubber().record(record)) == number
        costs.append(time.process_time() - started)
    assert costs[1] < 9 * costs[0]
