"""The message templates as text that needs no template file.

An AlertmanagerConfig cannot contain template files. A field that calls a template which Alertmanager does not
have fails every notification; hence each field contains the definitions that it calls.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from tallow.stack.routing import templates

_COMMENT: Final = re.compile(r"\{\{-? ?/\*.*?\*/ ?-?\}\}", re.DOTALL)
_DEFINITION: Final = re.compile(r'(?=\{\{-? ?define ")')
_NAME: Final = re.compile(r'\{\{-? ?define "([\w.]+)"')
_CALL: Final = re.compile(r'\{\{-? ?template "([\w.]+)"')

RUNBOOK_URL: Final = "{{ with .CommonAnnotations.runbook_url }}{{ . }}{{ else }}{{ .ExternalURL }}{{ end }}"
DASHBOARD_URL: Final = (
    "{{ with .CommonAnnotations.dashboard_url }}{{ . }}{{ else }}{{ .ExternalURL }}{{ end }}"
)
"""Addresses without functions of Alertmanager: the operator parses them, and it does not know these."""
URLS: Final = {"tallow.runbook": RUNBOOK_URL, "tallow.dashboard": DASHBOARD_URL}


def self_contained(text: str) -> str:
    """A template with the definitions of every template that it calls, directly or not.

    >>> self_contained("no template")
    'no template'
    """
    return "".join(definitions()[name] for name in _closure(text)) + text


@cache
def definitions() -> dict[str, str]:
    """The ``define`` actions of the message templates by name."""
    text = _COMMENT.sub("", "".join(templates().values()))
    parts = (part.strip() for part in _DEFINITION.split(text))
    return {found[1]: part for part in parts if (found := _NAME.match(part))}


def _closure(text: str) -> list[str]:
    found: list[str] = []
    waiting = _CALL.findall(text)
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _CALL.findall(definitions()[name])
    return found
