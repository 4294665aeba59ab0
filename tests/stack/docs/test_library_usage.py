"""Every feature of the library has a caller in Tallow, or a reason why it has none."""

from __future__ import annotations

import pytest

from tallow.stack.docs.library_usage import UNUSED, Feature, features, uses

FEATURES = list(features())


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_feature_has_a_caller_or_a_reason(feature: Feature) -> None:
    assert bool(uses(feature)) != (feature.name in UNUSED)


def test_every_exception_is_a_feature_and_has_a_reason() -> None:
    assert UNUSED.keys() <= {feature.name for feature in FEATURES}
    assert all(UNUSED.values())


def test_a_feature_that_nothing_calls_is_found() -> None:
    assert uses(Feature("record_nothing_at_all", "Metrics")) == []


def test_a_method_of_another_object_is_no_use() -> None:
    assert uses(Feature("info", "Logging", ("no_such_logger",))) == []
