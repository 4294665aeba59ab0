"""Input series of witnesses."""

from __future__ import annotations

from tallow.stack.prove.witnesses.witness import InputSeries, Span


def test_series_are_written_in_the_notation_of_promtool() -> None:
    spans = (Span(2, 1.0), Span(2, None), Span(3, 5.0, -1.5), Span(1, float("inf")))
    series = InputSeries({"__name__": "up", "job": 'a"b\\c'}, spans)
    assert series.selector == 'up{job="a\\"b\\\\c"}'
    assert series.notation == "1+0x1 _x2 5-1.5x2 Inf"
    assert list(series.samples()) == [1.0, 1.0, None, None, 5.0, 3.5, 2.0, float("inf")]
