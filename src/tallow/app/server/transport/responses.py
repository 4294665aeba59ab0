"""JSON responses, errors as responses, and request bodies read up to a limit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from tallow.app.server.transport.refusals import REFUSED_STATUSES, log_refusal


class ApiError(Exception):
    """An error response.

    Args:
        status: HTTP status, 400 or above.
        code: short, for programs.
        message: one line for people.
        retry_after: seconds after which the client may try again.
        limit: that refuses the request, one of :data:`tallow.app.server.limits.catalog.LIMITS`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        retry_after: float | None = None,
        limit: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after
        self.limit = limit

    def response(self) -> Response:
        """The error as a JSON response."""
        response = json_response({"error": self.code, "message": self.message}, self.status)
        if self.retry_after is not None:
            response.headers["retry-after"] = str(math.ceil(self.retry_after))
        if self.status == 413:
            response.headers["connection"] = "close"  # without it the server would read the rest of the body
        if self.status == 401:
            response.headers["www-authenticate"] = "Bearer"
        return response


_CODES = {404: "not_found", 405: "method_not_allowed"}


API_HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""Headers of every JSON response: nothing caches it, renders it as a page, or reads it from another site."""


def json_response(content: Any, status: int = 200) -> Response:
    """A JSON response that is not cached."""
    return Response(orjson.dumps(content), status, API_HEADERS, media_type="application/json")


async def on_api_error(request: Request, error: Exception) -> Response:
    """Exception handler of :class:`ApiError`."""
    assert isinstance(error, ApiError)
    if error.limit is not None:
        request.app.state.context.metrics.record_limit_rejection(error.limit)
    if error.limit is not None or error.status in REFUSED_STATUSES:
        # Only a route of ours raises this error, and none has a parameter.
        log_refusal("Request refused", endpoint=request.scope["path"], reason=error.limit or error.code)
    return error.response()


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """Exception handler of the framework's own errors (no such path, wrong method), in the same format."""
    assert isinstance(error, HTTPException)
    response = ApiError(error.status_code, _CODES.get(error.status_code, "error"), error.detail).response()
    response.headers.update(error.headers or {})
    return response


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """Exception handler of a client that disconnects before the end of its body. Nobody gets the response."""
    return ApiError(400, "incomplete_body", "the body is incomplete").response()


async def on_failure(_request: Request, _error: Exception) -> Response:
    """Exception handler of unexpected errors; the response does not describe them."""
    return ApiError(500, "internal", "the server failed; the error is counted and logged there").response()


async def read_body(request: Request, limit: int) -> bytes:
    """The request's body.

    Raises:
        ApiError: 413, the body has more than ``limit`` bytes. If Content-Length says so, nothing is read.
    """
    error = ApiError(413, "too_large", f"the body has more than {limit} bytes", limit="request_bytes")
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > limit:
        raise error
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise error
    return bytes(body)


async def read_json(request: Request, limit: int) -> Any:
    """The request's body as JSON.

    Raises:
        ApiError: 413, the body has more than ``limit`` bytes; 400, it is not JSON.
    """
    try:
        return orjson.loads(await read_body(request, limit))
    except orjson.JSONDecodeError:
        raise ApiError(400, "bad_json", "the body is not JSON") from None
