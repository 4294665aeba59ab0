"""What the HTTP endpoints share: JSON answers, and bodies read up to a limit."""

from __future__ import annotations

import math
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class ApiError(Exception):
    """An answer of 400 or above: a short code for programs and one line for people."""

    def __init__(self, status: int, code: str, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def response(self) -> Response:
        """The error as an answer."""
        answer = json_response({"error": self.code, "message": self.message}, self.status)
        if self.retry_after is not None:
            answer.headers["retry-after"] = str(math.ceil(self.retry_after))
        if self.status == 413:
            answer.headers["connection"] = "close"  # or the rest of the body, however long, would be read
        if self.status == 401:
            answer.headers["www-authenticate"] = "Bearer"
        return answer


_CODES = {404: "not_found", 405: "method_not_allowed"}


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON answer that nobody keeps."""
    return Response(
        orjson.dumps(content), status, {"cache-control": "no-store"}, media_type="application/json"
    )


async def on_api_error(_request: Request, error: Exception) -> Response:
    """Answer an :class:`ApiError`."""
    assert isinstance(error, ApiError)
    return error.response()


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Answer the framework's own refusals (no such path, wrong method) in the same shape."""
    assert isinstance(error, HTTPException)
    answer = ApiError(error.status_code, _CODES.get(error.status_code, "error"), error.detail).response()
    answer.headers.update(error.headers or {})
    return answer


async def on_failure(_request: Request, _error: Exception) -> Response:
    """Answer what should not have happened, without saying what it was."""
    return ApiError(500, "internal", "the server failed; it is counted and logged there").response()


async def read_body(request: Request, limit: int) -> bytes:
    """The body, of at most ``limit`` bytes.

    Raises:
        ApiError: 413, before anything is read when the request announces too much.
    """
    refusal = ApiError(413, "too_large", f"the body has more than {limit} bytes")
    announced = request.headers.get("content-length", "0")
    if not announced.isdecimal() or int(announced[:20]) > limit:
        raise refusal
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise refusal
    return bytes(body)


async def read_json(request: Request, limit: int) -> Any:
    """The body as JSON.

    Raises:
        ApiError: 413 for a body over the limit, 400 for anything that is not JSON.
    """
    try:
        return orjson.loads(await read_body(request, limit))
    except orjson.JSONDecodeError:
        raise ApiError(400, "bad_json", "the body is not JSON") from None
