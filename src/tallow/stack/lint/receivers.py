"""Check an Alertmanager configuration: a receiver that notifies nobody has to say so."""

from __future__ import annotations

import re

import yaml

from tallow.stack.lint.exceptions import without_exempt
from tallow.stack.lint.problem import Problem

_INTEGRATIONS = re.compile(r"\w+_configs")


def check_receivers(config: str, *, where: str) -> list[Problem]:
    """``alert/receiver`` for each receiver without an integration and without a comment that says so.

    The comment stands above it: ``# NAME: no CHANNEL: …``. amtool accepts such a receiver in silence.
    """
    receivers = yaml.safe_load(config).get("receivers") or []
    silent = (
        receiver["name"]
        for receiver in receivers
        if not any(_INTEGRATIONS.fullmatch(key) and value for key, value in receiver.items())
        and not re.search(rf"^# {re.escape(receiver['name'])}: no ", config, re.MULTILINE)
    )
    return without_exempt(
        Problem(f"{where}: {name}", "alert/receiver", "notifies nobody and does not say so")
        for name in silent
    )
