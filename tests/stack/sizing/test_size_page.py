"""docs/size.md: current, complete, and computed from the measurements."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tallow.stack.alerts import GROUPS
from tallow.stack.sizing import page
from tallow.stack.sizing.measurements import PATH, Measurements, load
from tallow.stack.sizing.text import bytes_text, seconds_text

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / page.PATH).read_text("utf-8")


def test_the_committed_page_is_current() -> None:
    assert page.files() == {page.PATH: TEXT}


def test_the_data_file_is_written_as_it_is_read() -> None:
    committed = (ROOT / PATH).read_text("utf-8")
    assert Measurements.from_json(committed).to_json() == committed


def test_the_page_has_every_group_and_number_of_instances() -> None:
    assert "$" not in TEXT
    for name in GROUPS:
        assert f"| `{name}` |" in TEXT
    for count in page.INSTANCES:
        assert f"{count:,}" in TEXT


def test_other_measurements_make_another_page() -> None:
    measured = load()
    doubled = replace(measured, block=replace(measured.block, chunk_bytes=2 * measured.block.chunk_bytes))
    assert page.page(doubled) != page.page(measured)


def test_the_error_of_a_prediction_is_stated() -> None:
    measured = load()
    *_, last = measured.processes
    twice = replace(measured, processes=(*measured.processes[:-1], replace(last, series=2 * last.series)))
    [series, *_] = page.verification(twice)
    assert series[-1] == pytest.approx("-50%") or float(series[-1].rstrip("%")) < -40


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (999.6, "1 KB"), (999_499, "999 KB"), (999_500, "1 MB"), (1e18, "1,000 PB")],
)
def test_sizes(size: float, text: str) -> None:
    assert bytes_text(size) == text


def test_times() -> None:
    assert [seconds_text(value) for value in (0.000_000_25, 0.5, 1, 90)] == [
        "0.0003 ms",
        "500 ms",
        "1 s",
        "90 s",
    ]
