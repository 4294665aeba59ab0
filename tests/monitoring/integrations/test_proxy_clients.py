"""The tables of docs/proxies.md, with Tallow's clients and the others run over each row.

A client of another version than the table's is left out: its rules may have changed.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import re
import shutil
import socket
import socketserver
import subprocess
import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

import httpx
import pytest
import requests

from tallow.monitoring.integrations import http_client
from tallow.monitoring.integrations.proxy import ProxySettings

pytestmark = pytest.mark.slow

DOCUMENT = Path(__file__).parents[3] / "docs/proxies.md"
CLIENTS = ("Tallow", "curl", "requests", "httpx", "Go")
FAR = "http://example.org/"
CURL_INVALID = (3, 5)
"""Exit codes for a URL and a proxy that curl cannot read."""


class Row(NamedTuple):
    """A row of a table: two values, and the result of each client."""

    first: str
    second: str
    results: dict[str, str]


def rows(heading: str) -> list[Row]:
    """The rows of the table below a heading."""
    section = DOCUMENT.read_text("utf-8").partition(f"## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.strip("| ").split(" | ") for line in re.findall(r"^\| `.*", section, re.MULTILINE)]
    return [
        Row(_text(first), _text(second), dict(zip(CLIENTS, results, strict=True)))
        for first, second, *results in cells
        if first != "`no_proxy`"
    ]


def _text(cell: str) -> str:
    text = cell.strip(" ").removeprefix("`").removesuffix("`")
    return text[1:-1] if text.startswith("  ") else text  # a code span loses one space at each end


class Proxy(socketserver.ThreadingTCPServer):
    """Answers every request itself, and keeps the logins."""

    daemon_threads = True
    logins: list[str | None]

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Connection(socketserver.StreamRequestHandler):
    server: Proxy

    def handle(self) -> None:
        login: str | None = None
        while line := self.rfile.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"proxy-authorization":
                login = b64decode(value.split()[1]).decode("utf-8", "surrogateescape")
        self.server.logins.append(login)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    with Proxy(("127.0.0.1", 0), _Connection) as server:
        server.logins = []
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def _no_direct_connections(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the proxy can be reached: a test must not send a request to the addresses of the tables."""
    resolve = socket.getaddrinfo

    def only_proxy(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if port != proxy.port:
            raise socket.gaierror(socket.EAI_NONAME, "not the proxy")
        return resolve(host, port, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", only_proxy)


def set_variables(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def python_result(get: Callable[[str], object], url: str) -> str:
    """Send a request: ``direct`` if it did not get to the proxy, ``fails`` if the client refuses a value."""
    try:
        get(url)
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema, httpx.InvalidURL):
        return "fails"
    except (requests.exceptions.ConnectionError, httpx.TransportError):
        return "direct"
    except ValueError:  # of httpx: an unknown scheme; of requests: a login that cannot be encoded
        return "fails"
    return "proxy"


def curl_result(url: str) -> str:
    # Without a resolver for other hosts and with a short limit, as only the proxy may answer.
    command = ["curl", "-sS", "-o", "/dev/null", "--connect-timeout", "0.2", "--max-time", "5", url]
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}  # names that are not ASCII fail in others
    status = subprocess.run(command, check=False, capture_output=True, env=environment).returncode
    return "proxy" if status == 0 else "fails" if status in CURL_INVALID else "direct"


def tallow_get(url: str) -> httpx.Response:
    with http_client.client(timeout=5) as http:
        return http.get(url)


RUN: dict[str, Callable[[str], str]] = {
    "Tallow": lambda url: python_result(tallow_get, url),
    "curl": curl_result,
    "requests": lambda url: python_result(lambda one: requests.get(one, timeout=5), url),
    "httpx": lambda url: python_result(lambda one: httpx.get(one, timeout=5, verify=False), url),
}


def version(client: str) -> str:
    """The version that is installed; empty if there is none."""
    if client == "curl":
        found = shutil.which("curl")
        shown = (
            subprocess.run([found, "-V"], capture_output=True, text=True, check=True).stdout if found else ""
        )
        return shown.split(" ")[1] if shown else ""
    return importlib.metadata.version(client)


@pytest.fixture(params=RUN)
def client(request: pytest.FixtureRequest) -> str:
    name = str(request.param)
    if name != "Tallow" and f"{name} {version(name)}" not in DOCUMENT.read_text("utf-8"):
        pytest.skip(f"{name} {version(name) or 'is missing'}, not the version of the table")
    return name


@pytest.mark.usefixtures("_no_direct_connections")
def test_addresses_of_proxies(client: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for row in (table := rows("Address of a proxy")):
        address = row.first.replace("3128", str(proxy.port))
        address = re.sub(r"(?i)proxy(?=\.?:)", "127.0.0.1", address)
        set_variables(monkeypatch, http_proxy=address)
        proxy.logins.clear()
        result = RUN[client](FAR)
        if result == "proxy":
            expected = unquote(row.second, errors="surrogateescape")
            result = "used" if (proxy.logins[0] or "") == expected else "other login"
        elif client == "Tallow":
            result = "ignored" if ProxySettings.read().problems else "fails"
        else:
            result = "fails"
        found[row.first] = result
    assert len(found) == len(table) > 30
    assert found == {row.first: row.results[client] for row in table}


@pytest.mark.usefixtures("_no_direct_connections")
def test_hosts_without_proxy(client: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {}
    for row in (table := rows("Hosts without a proxy")):
        set_variables(monkeypatch, http_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy=row.first)
        result = RUN[client](row.second)
        if client == "Tallow" and ProxySettings.read().problems:
            result += ", warns"
        found[row[:2]] = result
    assert len(found) == len(table) > 50
    assert found == {row[:2]: row.results[client] for row in table}


GO_PROGRAM = """
package main

import ("fmt"; "net/http"; "net/url"; "os")

func main() {
	target, err := url.Parse(os.Args[1])
	if err != nil { fmt.Print("fails"); return }
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: target})
	if err != nil { fmt.Print("fails"); return }
	if proxy == nil { fmt.Print("direct") } else { fmt.Print("proxy") }
}
"""


@pytest.mark.proof
def test_hosts_without_proxy_in_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("go") is None:
        pytest.skip("Go is not installed")
    (tmp_path / "main.go").write_text(GO_PROGRAM)
    (tmp_path / "go.mod").write_text("module proxies\n")
    subprocess.run(["go", "build", "-o", "proxies", "."], cwd=tmp_path, check=True)
    found = {}
    for row in (table := rows("Hosts without a proxy")):
        set_variables(monkeypatch, http_proxy="http://127.0.0.1:1", no_proxy=row.first)
        done = subprocess.run([tmp_path / "proxies", row.second], capture_output=True, text=True, check=True)
        found[row[:2]] = done.stdout
    assert found == {row[:2]: row.results["Go"] for row in table}


def test_a_zone_reaches_the_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.suppress(OSError), socket.create_server(("::1", 0), family=socket.AF_INET6) as listening:
        port = listening.getsockname()[1]
        accepted: list[bytes] = []

        def answer() -> None:
            connection, _ = listening.accept()
            with connection:
                accepted.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        for form in ("%251", "%1"):
            thread = threading.Thread(target=answer, daemon=True)
            thread.start()
            set_variables(monkeypatch, http_proxy=f"http://[::1{form}]:{port}")
            assert tallow_get(FAR).status_code == 200
            thread.join(5)
        assert len(accepted) == 2
        return
    pytest.skip("this machine has no IPv6")
