"""Check an Alertmanager configuration: a receiver without integrations needs a comment."""

from __future__ import annotations

import re

import yaml

from tallow.stack.lint.exceptions import without_exempt
from tallow.stack.lint.problem import Problem

_INTEGRATIONS = re.compile(r"\w+_configs")


def check_receivers(config: str, *, where: str) -> list[Problem]:
    """The problem ``alert/receiver`` for each receiver without an integration and without a comment.

    The comment has the form ``# NAME: no CHANNEL: …``. amtool accepts such a receiver without a message.

    >>> [problem.rule for problem in check_receivers("receivers: [{name: a}]", where="alertmanager.yml")]
    ['alert/receiver']
    """
    receivers = yaml.safe_load(config).get("receivers") or []
    without_integration = (
        receiver["name"]
        for receiver in receivers
        if not any(_INTEGRATIONS.fullmatch(key) and value for key, value in receiver.items())
        and not re.search(rf"^# {re.escape(receiver['name'])}: no ", config, re.MULTILINE)
    )
    return without_exempt(
        Problem(f"{where}: {name}", "alert/receiver", "has no integration and no comment about it")
        for name in without_integration
    )
