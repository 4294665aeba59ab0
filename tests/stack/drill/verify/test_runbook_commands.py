"""The commands of a runbook are found where the drill looks for them."""

from __future__ import annotations

import pytest

from tallow.stack.drill.verify.runbook_commands import runbook_commands


def test_the_commands_that_confirm() -> None:
    assert "tallow query 'up{job=\"tallow\"}'" in runbook_commands("ServiceDown", "## Confirm")


def test_the_commands_that_cure_a_hang() -> None:
    assert "tallow restart tallow" in runbook_commands("ServiceDown", "*It hangs*")


@pytest.mark.parametrize("after", ["## No such heading", "## Escalate"])
def test_commands_that_are_not_there_are_an_error(after: str) -> None:
    with pytest.raises(ValueError, match="has no commands after"):
        runbook_commands("ServiceDown", after)
