"""HTTP clients and WebSockets are created only in one package, which handles proxy settings safely."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src"
ALLOWED_FOLDER = SRC / "tallow" / "monitoring" / "integrations"
CREATORS = {"http_client.py", "socks_transport.py", "websocket_client.py"}
FORBIDDEN = {
    "httpx": {
        *("Client", "AsyncClient", "HTTPTransport", "AsyncHTTPTransport", "Proxy"),
        *("request", "stream", "get", "options", "head", "post", "put", "patch", "delete"),
    },
    "websockets": {"connect", "unix_connect"},
    "websockets.asyncio.client": {"connect", "unix_connect"},
    "websockets.client": {"connect", "unix_connect"},
    "websockets.sync.client": {"connect", "unix_connect"},
    "urllib.request": {"urlopen", "build_opener", "OpenerDirector", "urlretrieve"},
    "http.client": {"HTTPConnection", "HTTPSConnection"},
}
FORBIDDEN_MODULES = {"httpx_socks", "requests", "aiohttp", "urllib3", "httpcore", "http.client"}
"""Libraries that the source must not import directly."""
OTLP_SESSION = SRC / "tallow" / "monitoring" / "otel" / "session.py"
"""The official OTLP exporters take a session of requests; this one reads proxies as the other clients do."""
FILES = [
    path
    for path in sorted(SRC.rglob("*.py"))
    if not (path.parent == ALLOWED_FOLDER and path.name in CREATORS) and path != OTLP_SESSION
]


class ForbiddenUses(ast.NodeVisitor):
    """Finds forbidden names that a file uses. Annotations are ignored: they create nothing."""

    def __init__(self) -> None:
        self.modules: dict[str, str] = {}
        self.found: list[str] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name in FORBIDDEN_MODULES:
                self.found.append(alias.name)
            self.modules[alias.asname or alias.name] = alias.name

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.module in FORBIDDEN_MODULES:
            self.found.append(node.module)
        for alias in node.names:
            if alias.name in FORBIDDEN.get(node.module or "", set()):
                self.found.append(f"{node.module}.{alias.name}")
            self.modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_Attribute(self, node: ast.Attribute) -> None:
        module = self.modules.get(ast.unparse(node.value), "")
        if node.attr in FORBIDDEN.get(module, set()):
            self.found.append(f"{module}.{node.attr}")
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_arg(self, node: ast.arg) -> None:
        return

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for child in (*node.decorator_list, node.args, *node.body):
            self.visit(child)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 - ast.NodeVisitor's name


def uses(source: str) -> list[str]:
    names = ForbiddenUses()
    names.visit(ast.parse(source))
    return names.found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SRC)))
def test_no_other_module_creates_a_client(path: Path) -> None:
    assert uses(path.read_text()) == [], "use tallow.monitoring.integrations.http_client or websocket_client"


FORBIDDEN_SOURCES = (
    "import httpx\nhttpx.Client()",
    "import httpx\nx = httpx.get('http://a')",
    "import httpx as h\nasync def f():\n    async with h.AsyncClient() as c: pass",
    "import httpx\nmake = httpx.AsyncClient",
    "from httpx import Client",
    "import websockets\nwebsockets.connect('ws://a')",
    "from websockets.asyncio.client import connect",
    "from websockets.asyncio import client\nclient.connect('ws://a')",
    "import urllib.request\nurllib.request.urlopen('http://a')",
    "from urllib import request\nrequest.urlopen('http://a')",
    "import requests",
    "import http.client",
)


@pytest.mark.parametrize("source", FORBIDDEN_SOURCES)
def test_each_way_to_create_a_client_is_found(source: str) -> None:
    assert uses(source)


def test_types_and_errors_are_allowed() -> None:
    assert not uses(
        "import httpx\ndef f(c: httpx.Client) -> httpx.AsyncClient:\n    raise httpx.HTTPError('')"
    )
