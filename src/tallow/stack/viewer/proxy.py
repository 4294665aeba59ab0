"""The read-only proxy for Prometheus and Alertmanager: `/api/prometheus/…` and `/api/alertmanager/…`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tallow.stack.viewer.allowlist import Endpoint, RequestRefusedError, validate_label, validate_parameters
from tallow.stack.viewer.upstream import Upstream

MAX_BODY: Final = 128 * 1024
FORM: Final = "application/x-www-form-urlencoded"

FindUpstream = Callable[[], Upstream | None]


class ProxyEndpoint:
    """One endpoint of one server. ``find`` returns the server while the app runs, None if there is none."""

    def __init__(self, endpoint: Endpoint, base: str, find: FindUpstream) -> None:
        self._endpoint = endpoint
        self._base = base
        self._find_upstream = find

    async def __call__(self, request: Request) -> Response:
        upstream = self._find_upstream()
        if upstream is None:
            return JSONResponse([])  # without Alertmanager there are no silences
        path = self._endpoint.path
        if "name" in request.path_params:
            path = path.format(name=validate_label(request.path_params["name"]))
        post = request.method == "POST"
        given = await _form(request) if post else request.query_params.multi_items()
        parameters = validate_parameters(self._endpoint, given)
        response = await upstream.request(self._base + path, parameters, post=post)
        return Response(
            response.body, response.status, {"cache-control": "no-store"}, media_type="application/json"
        )


def routes(prefix: str, base: str, endpoints: Sequence[Endpoint], find: FindUpstream) -> list[Route]:
    """The routes for a server's endpoints; ``base`` is their path on the server."""
    return [
        Route(
            f"{prefix}/{endpoint.path}",
            ProxyEndpoint(endpoint, base, find).__call__,
            methods=["GET", "POST"] if endpoint.form else ["GET"],
        )
        for endpoint in endpoints
    ]


def error_response(status: int, message: str, kind: str = "viewer") -> JSONResponse:
    """An error response with the same structure as Prometheus's."""
    content = {"status": "error", "errorType": kind, "error": message}
    return JSONResponse(content, status, {"cache-control": "no-store"})


async def _form(request: Request) -> list[tuple[str, str]]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise RequestRefusedError(415, f"a posted query is {FORM}")
    return parse_form(await read_body(request))


async def read_body(request: Request, limit: int = MAX_BODY) -> bytes:
    """Read the body.

    Raises:
        RequestRefusedError: 413, it has more than ``limit`` bytes.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise RequestRefusedError(413, f"the body has more than {limit} bytes")
    return bytes(body)


def parse_form(body: bytes) -> list[tuple[str, str]]:
    """The fields of a posted form (WHATWG URL, ``application/x-www-form-urlencoded``).

    Raises:
        RequestRefusedError: 400, the body is not such a form.
    """
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=100, errors="strict")
    except ValueError:
        raise RequestRefusedError(400, "the body is not a form in UTF-8") from None
