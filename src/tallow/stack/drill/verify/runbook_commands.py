"""The commands of a runbook page."""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

_BLOCK: Final = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def runbook_commands(alert: str, after: str) -> list[str]:
    """The commands of the first code block that follows a text in an alert's runbook.

    Args:
        alert: the alert of the runbook.
        after: a text of the page, such as a heading.

    Raises:
        ValueError: the runbook has no such text, or no block after it.

    Example:
        >>> runbook_commands("ServiceDown", "## Confirm")[0]
        'tallow status'
    """
    page = (resources.files("tallow.stack.alerts") / "runbooks" / f"{alert}.md").read_text("utf-8")
    _, found, rest = page.partition(after)
    block = _BLOCK.search(rest)
    if not found or block is None:
        raise ValueError(f"the runbook of {alert} has no commands after {after!r}")
    return [line.strip() for line in block[1].splitlines() if line.strip()]
