"""The page in the browser: its built files at ``/``, and the path of its share target.

The files in ``tallow/app/web`` are built from ``web/app`` and committed. They are read once. A request is
looked up among them, so that no other file can be read.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tallow.app.server.endpoints.web_app_headers import PAGE_HEADERS
from tallow.app.server.transport.refusals import log_refusal
from tallow.app.server.transport.responses import ApiError

WEB_FOLDER: Final = Path(__file__).parents[2] / "web"
INDEX: Final = "index.html"
ASSETS: Final = "assets"
"""Folder of the files whose names have a hash of their content."""
BUILD_RECORD: Final = "sources.sha256"
"""Hashes of the sources. It is not served."""
SHARE_PATH: Final = "/share"
"""Where the operating system posts shared files. Only the page's service worker may answer."""

_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
_REVALIDATE: Final = "no-cache"
_MEDIA_TYPES: Final[Mapping[str, str]] = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".webmanifest": "application/manifest+json",
}
"""Media types of the built files. The system's table is not used: it differs between machines."""
_COMPRESSIBLE: Final = frozenset(_MEDIA_TYPES) - {".png"}

SHARE_REFUSAL: Final = (
    "Nothing was read or stored.\n\n"
    "Shared files are taken by Tallow on your device, not by this server. Open Tallow once, wait until it "
    "has loaded, and share again.\n"
)


class WebFile:
    """One file with its response headers.

    Args:
        path: of the file.
        immutable: its name changes with its content.

    Raises:
        KeyError: the suffix is not one of a built file.
    """

    def __init__(self, path: Path, *, immutable: bool) -> None:
        self._body = path.read_bytes()
        self._media_type = _MEDIA_TYPES[path.suffix]
        self._compressible = path.suffix in _COMPRESSIBLE
        self._headers = {
            **PAGE_HEADERS,
            "cache-control": _FOR_A_YEAR if immutable else _REVALIDATE,
            "etag": f'"{hashlib.sha256(self._body).hexdigest()[:32]}"',
            "vary": "accept-encoding",
        }

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self._body, mtime=0)

    async def respond(self, request: Request) -> Response:
        """The file, or 304 if the browser has it (RFC 9110, section 13.1.2)."""
        if _matches(request.headers.get("if-none-match", ""), self._headers["etag"]):
            return Response(status_code=304, headers=self._headers)
        if self._compressible and "gzip" in request.headers.get("accept-encoding", ""):
            headers = {**self._headers, "content-encoding": "gzip"}
            return Response(self._compressed, headers=headers, media_type=self._media_type)
        return Response(self._body, headers=self._headers, media_type=self._media_type)


def _matches(candidates: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names a file's tag; a proxy that compresses makes it weak."""
    return any(tag.strip().removeprefix("W/") in {etag, "*"} for tag in candidates.split(","))


@cache
def load_files(folder: Path = WEB_FOLDER) -> Mapping[str, WebFile]:
    """The built files by their path in the folder.

    Raises:
        OSError: a file cannot be read.
        KeyError: a file has an unknown type.
    """
    paths = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    return {
        name: WebFile(path, immutable=name.startswith(f"{ASSETS}/"))
        for name, path in paths.items()
        if path.is_file() and name != BUILD_RECORD
    }


class FileRoute(Route):
    """One route of all files, so that metrics have one template, whatever the names of a build.

    Other paths do not match it: they are answered as those of no route.

    Args:
        files: by their path below ``/``.
    """

    def __init__(self, files: Mapping[str, WebFile]) -> None:
        async def respond(request: Request) -> Response:
            found = files.get(request.path_params["file"])
            if found is None:
                raise ApiError(404, "not_found", "there is no such file")
            return await found.respond(request)

        super().__init__("/{file:path}", respond)
        names = "|".join(re.escape(name) for name in sorted(files))
        # With a slash at the end, because Starlette would redirect that path to the file.
        self.path_regex = re.compile(f"^/(?P<file>(?:{names})/?)$")


def web_app_routes(folder: Path = WEB_FOLDER) -> list[Route]:
    """The routes of the page: its files, with the index at ``/``, and its share target."""
    files = {"" if name == INDEX else name: file for name, file in load_files(folder).items()}
    return [
        *([FileRoute(files)] if files else []),
        Route(SHARE_PATH, refuse_share, methods=["POST", "PUT"]),
    ]


async def refuse_share(_request: Request) -> Response:
    """Refuse files that a service worker should have taken. The body, which may be private, is not read."""
    log_refusal("Request refused", endpoint=SHARE_PATH, reason="share_target")
    headers = {**PAGE_HEADERS, "cache-control": "no-store", "connection": "close"}
    return PlainTextResponse(SHARE_REFUSAL, 403, headers)
