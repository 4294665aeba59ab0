"""The runbooks as HTML, with the addresses and the folder of the stack that serves them."""

from __future__ import annotations

import html
import re
import shlex
from functools import cache
from pathlib import Path
from typing import Final

from markdown_it import MarkdownIt
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from tallow.stack.engines.command_hint import command_line
from tallow.stack.engines.programs.programs import CHECKOUT
from tallow.stack.engines.services.links import move_ports
from tallow.stack.engines.state.state_dir import StateDir
from tallow.stack.heartbeat import pages

_NAME: Final = re.compile(r"[A-Za-z0-9]{1,64}")


class RunbookPages:
    """Serves ``/runbooks/`` and ``/runbooks/NAME``.

    The committed runbooks describe a stack in the default folder without a port offset.

    Args:
        port_offset: the port offset of the stack.
        home: the stack's folder; None: the default one.
    """

    def __init__(self, port_offset: int = 0, home: Path | None = None) -> None:
        self._port_offset = port_offset
        self._preparation = _preparation(StateDir(home)) if home else ""

    async def index(self, _request: Request) -> Response:
        """``GET /runbooks/``: a link to each runbook."""
        names = sorted(path.stem for path in folder().glob("*.md"))
        links = "".join(f'<li><a href="/runbooks/{name}">{name}</a></li>\n' for name in names)
        return HTMLResponse(pages.document("Runbooks", f"<h1>Runbooks</h1>\n<ul>\n{links}</ul>"))

    async def page(self, request: Request) -> Response:
        """``GET /runbooks/NAME``: the runbook of an alert."""
        name = str(request.path_params["name"])
        path = folder() / f"{name}.md"
        if not _NAME.fullmatch(name) or not path.is_file():
            return PlainTextResponse("there is no such runbook\n", 404)
        title, _, text = path.read_text(encoding="utf-8").partition("\n")
        moved = move_ports(text, self._port_offset)
        body = _markdown().render(f"{title}\n{self._preparation}{moved}")
        return HTMLResponse(pages.document(html.escape(name), body))


def folder() -> Path:
    """The folder of the runbooks, in the installed package or in the checkout."""
    installed = Path(__file__).parent / "runbooks"
    return installed if installed.is_dir() else CHECKOUT / "docs" / "runbooks"


def _preparation(home: StateDir) -> str:
    """Commands to run before those of a runbook, in Markdown; empty if none are needed."""
    words = shlex.split(command_line(home, "status"))
    verb = words.index("status")
    program, has_folder = words[:verb], verb + 1 < len(words)
    lines = []
    if has_folder:
        lines.append(f"export TALLOW_HOME={shlex.quote(str(home.root))}")
    if program != ["tallow"]:
        lines.append(f"alias tallow={shlex.quote(shlex.join(program))}")
    if not lines:
        return ""
    code = "\n".join(lines)
    return f"\nFirst run this, so that the commands of this page refer to this stack:\n\n```sh\n{code}\n```\n"


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
