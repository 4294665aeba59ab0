"""The checker's pages: their frame, their style, and its state."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tallow.stack.heartbeat.state import HeartbeatState

_STATES: Final = {
    "waiting": "No beat yet",
    "beating": "The heart beats",
    "missing": "No heartbeat: alerts reach nobody",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title} · Tallow</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def document(title: str, body: str) -> str:
    """A page; both arguments are HTML."""
    return _PAGE.format(title=title, body=body)


def home(
    record: HeartbeatState, problems: Mapping[str, str], outside: str | None, proxies: Sequence[str] = ()
) -> str:
    """The state, in words.

    Args:
        problems: what keeps a channel from being told.
        outside: what keeps the switch outside from being told; None: there is none.
        proxies: proxy settings that are passed over.
    """
    facts = [("Last beat", _clock(record.last_beat)), ("Since", _clock(record.since))]
    if record.reason and record.state == "missing":
        facts.append(("Why", record.reason))
    facts += [(f"Not delivered by {name}", problem) for name, problem in problems.items()]
    facts.append(
        ("Outside", {None: "HEARTBEAT_URL is not set", "": "told of every beat"}.get(outside, str(outside)))
    )
    facts += [("Proxy settings", line) for line in proxies]
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>\n" for name, value in facts)
    title = _STATES[record.state]
    return document(title, f'<h1 class="{record.state}">{title}</h1>\n<dl>\n{rows}</dl>')


async def style(_request: Request) -> Response:
    """``GET /style.css``."""
    css = resources.files(__package__) / "style.css"
    return Response(css.read_text(encoding="utf-8"), media_type="text/css")


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
