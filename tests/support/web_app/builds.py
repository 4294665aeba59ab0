"""Two builds of the page at one address, one after the other."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from support.web_app.tabs import Tab, wait_until
from tallow.app.server.endpoints.web_app import WEB_FOLDER, web_app_routes

CONTROLLED: Final = "navigator.serviceWorker.controller !== null"
UPDATE: Final = "navigator.serviceWorker.ready.then((found) => found.update()).then(() => true)"


def open_controlled(tab: Tab, url: str) -> None:
    """Open the page and wait until its service worker answers for it."""
    tab.open(url)
    wait_until(tab, CONTROLLED)


@contextlib.contextmanager
def _serving_files(folder: Path, port: int = 0) -> Iterator[str]:
    """The routes of the page for the files of a folder, without the rest of the server."""
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    bound.listen()  # connections wait until the server has started
    app = Starlette(routes=web_app_routes(folder))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, args=([bound],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        bound.close()


@contextlib.contextmanager
def offered_update(tab: Tab, folder: Path) -> Iterator[None]:
    """Open a build of the page, and replace it by another one, which the page then offers."""
    for name in ("old", "new"):
        shutil.copytree(WEB_FOLDER, folder / name)
    with (folder / "new" / "sw.js").open("a") as worker:
        worker.write("// another build\n")
    with _serving_files(folder / "old") as url:
        open_controlled(tab, url)
    with _serving_files(folder / "new", int(url.rpartition(":")[2])):
        tab.run(UPDATE)
        wait_until(tab, "document.querySelector('[data-update]') !== null")
        yield
