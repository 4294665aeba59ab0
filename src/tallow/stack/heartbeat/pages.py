"""What the checker shows in a browser: its state, and the runbooks that alerts link to."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from tallow.stack.engines.binaries import CHECKOUT
from tallow.stack.heartbeat.record import Record

_NAME: Final = re.compile(r"[A-Za-z0-9]{1,64}")
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


def folder() -> Path:
    """Where the runbooks are: in the installed package, or in the checkout."""
    installed = Path(__file__).parent / "runbooks"
    return installed if installed.is_dir() else CHECKOUT / "docs" / "runbooks"


def home(record: Record, problems: Mapping[str, str], outside: str | None) -> str:
    """The state, in words."""
    facts = [("Last beat", _clock(record.last_beat)), ("Since", _clock(record.since))]
    if record.reason and record.state == "missing":
        facts.append(("Why", record.reason))
    facts += [(f"Not delivered by {name}", problem) for name, problem in problems.items()]
    facts.append(
        ("Outside", {None: "HEARTBEAT_URL is not set", "": "told of every beat"}.get(outside, str(outside)))
    )
    rows = "".join(f"<dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd>\n" for name, value in facts)
    title = _STATES[record.state]
    return _PAGE.format(title=title, body=f'<h1 class="{record.state}">{title}</h1>\n<dl>\n{rows}</dl>')


async def runbook(request: Request) -> Response:
    """``GET /runbooks/NAME``: the page of an alert."""
    name = str(request.path_params["name"])
    path = folder() / f"{name}.md"
    if not _NAME.fullmatch(name) or not path.is_file():
        return PlainTextResponse("there is no such runbook\n", 404)
    text = path.read_text(encoding="utf-8")
    return HTMLResponse(_PAGE.format(title=html.escape(name), body=_markdown().render(text)))


async def style(_request: Request) -> Response:
    """``GET /style.css``."""
    css = resources.files(__package__) / "style.css"
    return Response(css.read_text(encoding="utf-8"), media_type="text/css")


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


def _clock(at: float | None) -> str:
    return "never" if at is None else time.strftime("%F %T UTC", time.gmtime(at))
