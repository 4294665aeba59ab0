"""Fits recover the costs that points were made with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.stack.sizing.fit import fit_line, fit_two_costs

COST = st.floats(0, 1000)


@given(base=st.floats(-100, 100), slope=st.floats(-100, 100))
def test_a_line_through_its_own_points(base: float, slope: float) -> None:
    line = fit_line([(x, base + slope * x) for x in (1.0, 5.0, 20.0)])
    assert (line.base, line.slope) == pytest.approx((base, slope), abs=1e-6)


@given(a=COST, b=COST)
def test_costs_of_points_without_error_are_recovered(a: float, b: float) -> None:
    points = [(1.0, 2.0), (5.0, 1.0), (3.0, 9.0)]
    assert fit_two_costs([(x, y, a * x + b * y) for x, y in points]) == pytest.approx((a, b), abs=1e-6)


@given(st.lists(st.tuples(*[st.floats(0.001, 1000)] * 3), min_size=1, max_size=12))
def test_no_cost_is_negative(points: list[tuple[float, float, float]]) -> None:
    assert min(fit_two_costs(points)) >= 0


def test_proportional_points_have_one_cost() -> None:
    assert fit_two_costs([(1, 2, 4), (2, 4, 8)]) in ((4.0, 0.0), (0.0, 2.0))
