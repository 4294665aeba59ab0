"""Names under each escaping scheme, as Prometheus's libraries escape them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.monitoring.exposition.escaping import (
    SCHEMES,
    is_classic_label,
    is_classic_metric,
    label_name,
    metric_name,
)


@pytest.mark.parametrize(
    ("name", "underscores", "dots", "values"),
    [  # of https://prometheus.io/docs/instrumenting/escaping_schemes, and edge cases
        ("my:gauge", "my:gauge", "my:gauge", "my:gauge"),
        ("shop_sales_total", "shop_sales_total", "shop_sales_total", "shop_sales_total"),
        ("system.cpu.load", "system_cpu_load", "system_dot_cpu_dot_load", "U__system_2e_cpu_2e_load"),
        ("http.status:sum", "http_status:sum", "http_dot_status:sum", "U__http_2e_status:sum"),
        ("label with 😱", "label_with__", "label__with____", "U__label_20_with_20__1f631_"),
        ("花火", "__", "____", "U___82b1__706b_"),
        ("a_b.c", "a_b_c", "a__b_dot_c", "U__a__b_2e_c"),
        ("1st", "_st", "__st", "U___31_st"),
        ("a\n", "a_", "a__", "U__a_a_"),
    ],
)  # fmt: skip
def test_a_metric_name_under_each_scheme(name: str, underscores: str, dots: str, values: str) -> None:
    assert metric_name(name, "underscores") == underscores
    assert metric_name(name, "dots") == dots
    assert metric_name(name, "values") == values
    assert metric_name(name, "allow-utf-8") == name


def test_a_colon_in_a_label_name_is_escaped() -> None:
    assert label_name("a:b", "underscores") == "a_b"
    assert label_name("a:b", "values") == "U__a_3a_b"
    assert not is_classic_label("a:b")
    assert label_name("shop_name", "dots") == "shop_name"


@given(st.text(min_size=1), st.sampled_from(SCHEMES))
def test_every_scheme_but_utf_8_makes_every_name_classic(name: str, scheme: str) -> None:
    if scheme != "allow-utf-8":
        assert is_classic_metric(metric_name(name, scheme))
        assert is_classic_label(label_name(name, scheme))


@given(st.from_regex(r"[a-zA-Z_:][a-zA-Z0-9_:]*", fullmatch=True), st.sampled_from(SCHEMES))
def test_a_classic_name_is_unchanged_under_every_scheme(name: str, scheme: str) -> None:
    assert metric_name(name, scheme) == name
