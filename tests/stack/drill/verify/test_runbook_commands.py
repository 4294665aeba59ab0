"""The commands of a runbook that drills run are found."""

from __future__ import annotations

import pytest

from tallow.stack.drill.verify.runbook_commands import runbook_commands


def test_confirming_commands_are_found() -> None:
    assert "tallow query 'up{job=\"tallow\"}'" in runbook_commands("ServiceDown", "## Confirm")


def test_commands_against_a_hang_are_found() -> None:
    assert "tallow restart tallow" in runbook_commands("ServiceDown", "*It hangs*")


@pytest.mark.parametrize("after", ["## No such heading", "## Escalate"])
def test_missing_commands_are_an_error(after: str) -> None:
    with pytest.raises(ValueError, match="has no commands after"):
        runbook_commands("ServiceDown", after)
