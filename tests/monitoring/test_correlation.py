"""Correlation ids are accepted only in forms that cannot contain private text."""

from __future__ import annotations

import pytest

from tallow.monitoring import correlation


def test_new_ids_are_32_hex_digits_and_differ() -> None:
    first, second = correlation.new_id(), correlation.new_id()
    assert first != second
    assert correlation.parse(first) == first


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("0123456789ABCDEF0123456789abcdef", "0123456789abcdef0123456789abcdef"),
        ("12345678-1234-1234-1234-1234567890ab", "123456781234123412341234567890ab"),
        ("alice@example.org", None),
        ("0" * 32, None),
        ("0123456789abcdef0123456789abcdef ", None),
        ("", None),
    ],
)
def test_a_request_id_is_a_uuid_or_32_hex_digits(header: str, expected: str | None) -> None:
    assert correlation.from_headers({"x-request-id": header}) == expected


def test_traceparent_takes_precedence() -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "x-request-id": "f" * 32}
    assert correlation.from_headers(headers) == trace


@pytest.mark.parametrize(
    "traceparent",
    ["ff-" + "a" * 32 + "-00f067aa0ba902b7-01", "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "00-secret-x-01"],
)
def test_an_invalid_traceparent_is_ignored(traceparent: str) -> None:
    assert correlation.from_headers({"traceparent": traceparent}) is None


def test_an_id_is_bound_only_inside_the_block() -> None:
    with correlation.bind("a" * 32):
        with correlation.bind("b" * 32):
            assert correlation.current() == "b" * 32
        assert correlation.current() == "a" * 32
    assert correlation.current() is None
