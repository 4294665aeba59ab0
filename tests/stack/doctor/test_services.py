"""Findings of a Prometheus that has just started are read again until it has settled."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tallow.stack.doctor.native import services


class Api:
    """Prometheus's API with a chosen time of its start, which that of a real one is not."""

    def __init__(self, age_s: float) -> None:
        self.started = datetime.now(UTC) - timedelta(seconds=age_s)

    def get(self, _path: str) -> dict[str, Any]:
        return {"data": {"startTime": self.started.isoformat().replace("+00:00", "Z")}}


@pytest.mark.parametrize(("age_s", "found", "reads"), [(0, [], 3), (3600, ["down"], 1)])
def test_only_a_prometheus_that_has_just_started_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, age_s: float, found: list[str], reads: int
) -> None:
    monkeypatch.setattr(services, "_POLL_S", 0.0)
    answers = iter([["down"], ["down"], []])
    asked = []

    def read() -> list[str]:
        asked.append(True)
        return next(answers)

    api: Any = Api(age_s)
    assert services._settled(api, read) == found
    assert len(asked) == reads
