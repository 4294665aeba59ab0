"""The built front-end files, read once; compressed on request, and cacheable if their name has a hash."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from functools import cached_property
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

STATIC: Final = Path(__file__).parent / "static"
_FOR_A_YEAR: Final = "public, max-age=31536000, immutable"
_COMPRESSIBLE: Final = (".html", ".js", ".css", ".svg", ".json")
_TYPES: Final = {
    ".js": "text/javascript",
    ".woff2": "font/woff2",
    ".woff": "font/woff",
    ".svg": "image/svg+xml",
}


class Asset:
    """One file with its response headers."""

    def __init__(self, path: Path, *, immutable: bool) -> None:
        self._body = path.read_bytes()
        self._compressible = path.suffix in _COMPRESSIBLE
        guessed = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        self._type = _TYPES.get(path.suffix, guessed)
        self._caching = _FOR_A_YEAR if immutable else "no-cache"
        self._tag = f'"{hashlib.sha256(self._body).hexdigest()[:32]}"'

    @cached_property
    def _compressed(self) -> bytes:
        return gzip.compress(self._body, mtime=0)

    def response(self, request: Request) -> Response:
        """The file, or 304 if the browser has it (RFC 9110, section 13.1.2)."""
        headers = {"cache-control": self._caching, "etag": self._tag, "vary": "accept-encoding"}
        if request.headers.get("if-none-match") == self._tag:
            return Response(status_code=304, headers=headers)
        if self._compressible and "gzip" in request.headers.get("accept-encoding", ""):
            headers["content-encoding"] = "gzip"
            return Response(self._compressed, headers=headers, media_type=self._type)
        return Response(self._body, headers=headers, media_type=self._type)


class Assets:
    """All files of a folder by path; a lookup, so that no other file can be requested."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): Asset(
                path, immutable="assets" in path.relative_to(folder).parts
            )
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }

    async def page(self, request: Request) -> Response:
        """The single page of the application."""
        return self._files["index.html"].response(request)

    async def file(self, request: Request) -> Response:
        """A file by its path."""
        found = self._files.get(request.path_params["path"])
        return found.response(request) if found else PlainTextResponse("no such file\n", 404)
