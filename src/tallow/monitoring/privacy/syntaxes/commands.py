"""Secrets behind the short options of commands: ``mysql -p…``, ``curl -u name:…``."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Final

from tallow.monitoring.privacy.model import Pair
from tallow.monitoring.privacy.tables.commands import LOGIN_TOOLS, OPTIONS, Option

_REACH: Final = 400
"""Characters of a command that are read."""
_END: Final = re.compile(r"[\n|;]|&&")
_TOOL: Final = re.compile(r"(?<![\w.-])[a-z7][\w.-]{1,30}(?=[\s\"'])")
_BETWEEN: Final = re.compile(r"[\"'],\s{0,2}[\"']|[\"'] a\d{1,3}=[\"']")
"""What stands between the arguments of a command in JSON, and in the records of auditd."""
_JOINED: Final = {" ": r"(?:\s+|=)", "?": r"(?:\s+|=)?", "": ""}
_LOGIN: Final = re.compile(r"\blogin\b")
_NUMBERS: Final = re.compile(r"\d+:\d+")
"""The numbers of a user and a group."""


_ROWS: Final = {tool: row for row in OPTIONS for tool in row.tools.split()}
WORDS: Final = " ".join(sorted({re.split(r"[^a-z]+", tool.strip("0123456789"))[0] or "z" for tool in _ROWS}))
"""Words of a text with one of these commands."""


@functools.cache
def _reader(row: Option) -> re.Pattern[str]:
    return re.compile(rf"[\s\"']-{row.letters}{_JOINED[row.joined]}[\"']?(?![\s\"'-])(?P<value>{row.value})")


def options(text: str) -> Iterator[Pair]:
    """The value of each option that takes a secret."""
    if _BETWEEN.search(text):
        text = _BETWEEN.sub(lambda found: " " * len(found[0]), text)
    for tool in _TOOL.finditer(text):
        row = _ROWS.get(tool[0])
        if row is None:
            continue
        limit = _END.search(text, tool.end(), tool.end() + _REACH)
        end = limit.start() if limit else tool.end() + _REACH
        if tool[0] in LOGIN_TOOLS and not _LOGIN.search(text, tool.end(), min(end, tool.end() + 60)):
            continue
        for found in _reader(row).finditer(text, tool.end(), end):
            if not _NUMBERS.fullmatch(found["value"]):
                yield Pair("password", *found.span("value"))
