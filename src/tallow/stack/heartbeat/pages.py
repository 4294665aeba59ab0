"""The HTML of the checker's pages."""

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
    "waiting": "No heartbeat yet",
    "beating": "The heartbeat arrives",
    "missing": "No heartbeat: alerts do not arrive",
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
    """An HTML page; both arguments are HTML."""
    return _PAGE.format(title=title, body=body)


def home(
    state: HeartbeatState,
    problems: Mapping[str, str],
    switch_problem: str | None,
    proxies: Sequence[str] = (),
) -> str:
    """The status page.

    Args:
        problems: why the last delivery of a channel failed, by channel.
        switch_problem: why the last request to the external switch failed; empty if it succeeded, None if
            there is no switch.
        proxies: proxy settings that are ignored.
    """
    facts = [("Last beat", _utc(state.last_beat)), ("Since", _utc(state.since))]
    if state.reason and state.state == "missing":
        facts.append(("Reason", state.reason))
    facts += [(f"Not delivered by {name}", problem) for name, problem in problems.items()]
    switch = {None: "HEARTBEAT_URL is not set", "": "receives every heartbeat"}
    facts.append(("External switch", switch.get(switch_problem, str(switch_problem))))
    facts += [("Proxy settings", line) for line in proxies]
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>\n" for name, value in facts)
    title = _STATES[state.state]
    runbooks = '<p><a href="/runbooks/">Runbooks of the alerts</a></p>'
    return document(title, f'<h1 class="{state.state}">{title}</h1>\n<dl>\n{rows}</dl>\n{runbooks}')


async def style(_request: Request) -> Response:
    """``GET /style.css``."""
    css = resources.files(__package__) / "style.css"
    return Response(css.read_text(encoding="utf-8"), media_type="text/css")


def _utc(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
