"""``assert_nothing_private`` names the place and kind of private data, not the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tallow.monitoring.metrics import METRICS
from tallow.monitoring.privacy import scrub
from tallow.monitoring.testing import assert_nothing_private

PRIVATE: dict[str, Any] = {
    "contact": "alice@example.org",
    "password": "hunter2",
    "links": ["fine", {"from": "203.0.113.9"}],
}


@dataclass
class Event:
    contact: str


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("mail alice@example.org", r"the text holds \[email\]"),
        (b"mail alice@example.org", r"the text holds \[email\]"),
        (PRIVATE, r"contact holds \[email\]; password holds \[secret\]; links\[1\]\.from holds \[ip\]"),
        (Event("alice@example.org"), r"contact holds \[email\]"),
        ({"alice@example.org": 1}, r"the key \[email\]"),
    ],
)
def test_private_data_is_reported_by_place_and_kind(value: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message) as caught:
        assert_nothing_private("harmless", value)
    assert "alice" not in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("value", ["Transfer started", {"file_size": 12}, [], None, 3.5])
def test_public_values_pass(value: Any) -> None:
    assert_nothing_private(value)


def test_scrubbed_values_pass_and_count_no_redaction() -> None:
    scrubbed = scrub(PRIVATE)
    before = METRICS.registry.value("pii_redactions_total", kind="email")
    assert_nothing_private(scrubbed)
    assert METRICS.registry.value("pii_redactions_total", kind="email") == before
