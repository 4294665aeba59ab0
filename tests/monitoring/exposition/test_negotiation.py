"""Negotiation of format, escaping and compression."""

from __future__ import annotations

import pytest

from tallow.monitoring.exposition.negotiation import negotiate
from tallow.monitoring.exposition.text import OPENMETRICS, TEXT, TEXT_1_0_0

PROMETHEUS_2_42 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"  # noqa: E501
PROMETHEUS_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"  # noqa: E501
PROTOBUF_FIRST = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,text/plain;version=0.0.4;q=0.2"  # noqa: E501
PROMETHEUS_TEXT_1 = (
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5"
)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT),
        (PROMETHEUS_2_42, OPENMETRICS),
        (PROMETHEUS_3, f"{OPENMETRICS}; escaping=allow-utf-8"),
        (PROTOBUF_FIRST, f"{OPENMETRICS}; escaping=allow-utf-8"),
        (PROMETHEUS_TEXT_1, f"{TEXT_1_0_0}; escaping=allow-utf-8"),
        ("text/plain;version=1.0.0", f"{TEXT_1_0_0}; escaping=underscores"),
        ("text/plain;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.6", TEXT),
        ("text/plain;version=1.0.0,text/plain;version=0.0.4", f"{TEXT_1_0_0}; escaping=underscores"),
        ("text/plain;version=7.0.0;q=0.9,application/openmetrics-text;q=0.1", OPENMETRICS),
        ("text/plain;version=1.0.0,application/openmetrics-text", OPENMETRICS),
        ("text/plain;version=0.0.4", TEXT),
        ("text/plain; version=0.0.4; charset=utf-8", TEXT),
        ("application/openmetrics-text", OPENMETRICS),
        ('Application/OpenMetrics-Text ; Version="1.0.0" ; Q=0.1', OPENMETRICS),
        ("application/openmetrics-text;version=1.0.0;charset=utf-8", OPENMETRICS),
        ("application/openmetrics-text;version=2.0.0", TEXT),
        (f"application/openmetrics-text;version=2.0.0,{PROMETHEUS_2_42}", OPENMETRICS),
        ("application/openmetrics-text;q=0", TEXT),
        ("application/openmetrics-text;q=0.0,text/plain;q=0", TEXT),
        ("application/openmetrics-text;q=nan", TEXT),
        ("application/openmetrics-text;q=inf", TEXT),
        ("application/openmetrics-text;q=much", TEXT),
        ("application/openmetrics-text;q=0.3,text/plain;q=0.7", TEXT),
        ("application/openmetrics-text;q=0.7,text/plain;q=0.7", OPENMETRICS),
        (";;=,,;q", TEXT),
    ],
)  # fmt: skip
def test_the_format_is_the_preferred_one(accept: str, content_type: str) -> None:
    assert negotiate({"accept": accept})[0] == content_type


@pytest.mark.parametrize(
    ("accept", "escaping", "named"),
    [
        ("", "underscores", False),
        (PROMETHEUS_2_42, "underscores", False),
        (PROMETHEUS_3, "allow-utf-8", True),
        (PROMETHEUS_TEXT_1, "allow-utf-8", True),
        ("application/openmetrics-text;version=1.0.0;escaping=dots", "dots", True),
        ("application/openmetrics-text;version=1.0.0;escaping=values", "values", True),
        ("application/openmetrics-text;version=1.0.0;escaping=underscores", "underscores", True),
        ('application/openmetrics-text; version="1.0.0"; Escaping="Dots"', "dots", True),
        ("application/openmetrics-text;version=1.0.0;escaping=rot13", "underscores", True),
        ("text/plain;version=1.0.0;escaping=values", "values", True),
        ("text/plain;version=1.0.0", "underscores", True),
        ("text/plain;version=0.0.4;escaping=values", "values", False),
        ("text/plain;version=0.0.4;escaping=allow-utf-8", "underscores", False),
        ("text/plain;escaping=allow-utf-8;q=0.1,application/openmetrics-text;q=0.9", "underscores", False),
    ],
)
def test_the_escaping_is_that_of_the_chosen_format(accept: str, escaping: str, named: bool) -> None:
    negotiated = negotiate({"accept": accept})
    assert negotiated.escaping == escaping
    assert negotiated.content_type.endswith(f"; escaping={escaping}") is named


@pytest.mark.parametrize(
    ("encodings", "compressed"),
    [
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("deflate, gzip;q=0.5, br", True),
        ("gzip;q=0", False),
        ("gzip;q=0.000, identity", False),
        ("identity", False),
        ("*", False),
        ("xgzip", False),
    ],
)
def test_gzip_is_used_only_if_it_is_accepted(encodings: str, compressed: bool) -> None:
    assert negotiate({"accept-encoding": encodings})[1] is compressed


def test_content_types_are_exact() -> None:
    assert TEXT == "text/plain; version=0.0.4; charset=utf-8"
    assert OPENMETRICS == "application/openmetrics-text; version=1.0.0; charset=utf-8"
