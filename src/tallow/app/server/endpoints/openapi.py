"""OpenAPI 3.1 description of the HTTP API. A test compares it with the server's responses."""

from __future__ import annotations

from typing import Any, Final

from tallow import __version__
from tallow.app.wire import (
    INFO_PATH,
    MAX_RECEIVERS,
    OPENAPI_PATH,
    OUTCOMES,
    REPORT_VERSION,
    REPORTED_METRICS,
    ROOMS_PATH,
    TELEMETRY_PATH,
    TOKEN_HASH,
)


def _json(description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _errors(**described: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {status.lstrip("_"): _json(text, schema) for status, text in described.items()}


_STRING: Final[dict[str, Any]] = {"type": "string"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_LABELS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _STRING}

_COUNTER = _object(labels=_LABELS, value=_COUNT)
_HISTOGRAM = _object(
    labels=_LABELS,
    buckets={"type": "array", "items": _COUNT},
    sum={"type": "number", "minimum": 0},
)


def _rows(kind: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": _COUNTER if kind == "counter" else _HISTOGRAM}


_REPORT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "metrics"],
    "properties": {
        "version": {"const": REPORT_VERSION},
        "metrics": {
            "type": "object",
            "additionalProperties": False,
            "properties": {name: _rows(metric.kind) for name, metric in REPORTED_METRICS.items()},
        },
        "outcome": {"enum": [*OUTCOMES, None]},
    },
}

_CREATE_ROOM = {
    "summary": "Create a room, or one for each of several receivers of a link",
    "description": "The server stores the hash of the join token, not the token and not the link's secret. "
    "The answer holds the room that the link names; see docs/protocol.md for the others.",
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": _object(
                    token_hash={"type": "string", "pattern": f"^{TOKEN_HASH.pattern}$"},
                    receivers={"type": "integer", "minimum": 1, "maximum": MAX_RECEIVERS},
                )
                | {"required": ["token_hash"], "additionalProperties": False}
            }
        },
    },
    "responses": {
        "201": _json("The room", _object(room=_STRING, expires_in={"type": "integer"})),
        **_errors(
            _400="The body is not valid",
            _403="The request comes from another site's page",
            _413="The body is too large",
            _429="Too many rooms from this address; see Retry-After",
            _503="The server has as many rooms as it may, or its database is not available",
        ),
    },
}

_REPORT_METRICS = {
    "summary": "Report metrics that only a peer can measure",
    "description": "A peer gets a token when it joins a room. A token is valid for one accepted report; the "
    "response holds the next token. A report is accepted as a whole or not at all.",
    "security": [{"telemetry": []}],
    "requestBody": {"required": True, "content": {"application/json": {"schema": _REPORT}}},
    "responses": {
        "200": _json("Accepted", _object(next=_STRING)),
        **_errors(
            _400="Something in the report is unknown, impossible or too much; nothing was recorded",
            _401="The token is unknown or used",
            _403="The request comes from another site's page",
            _413="The body is too large",
            _429="Too many reports; see Retry-After",
        ),
    },
}

_INFO = {
    "summary": "Version, protocol, STUN servers and limits",
    "responses": {
        "200": _json(
            "Version, protocol, STUN servers and limits",
            _object(
                version=_STRING,
                protocol={"type": "integer"},
                relay={"type": "boolean"},
                do_not_track={"type": "boolean"},
                ice_servers={"type": "array", "items": {"type": "object"}},
                limits={"type": "object"},
            ),
        )
    },
}

_NAMES: Final[dict[str, Any]] = {"type": "array", "items": _STRING}
_STATUS: Final[dict[str, Any]] = {"enum": ["healthy", "degraded", "unhealthy"]}
_READY: Final = _object(status={"enum": ["ready", "not_ready"]}, failing=_NAMES, degraded=_NAMES)
_HEALTH: Final = _object(status=_STATUS, timestamp=_STRING)
_COMPONENT: Final = _object(
    status=_STATUS,
    critical={"type": "boolean"},
    duration_ms={"type": "number", "minimum": 0},
    reason={"type": ["string", "null"]},
)
_DETAILED: Final = _object(
    status=_STATUS,
    timestamp=_STRING,
    uptime_seconds={"type": "number"},
    versions=_LABELS,
    components={"type": "object", "additionalProperties": _COMPONENT},
    resources={"type": "object", "additionalProperties": {"type": "number"}},
    telemetry=_object(
        queued={"type": "object", "additionalProperties": _COUNT},
        dropped={"type": "object", "additionalProperties": _COUNT},
    ),
)


def _health_endpoint(summary: str, schema: dict[str, Any], unavailable: str | None = None) -> dict[str, Any]:
    """A health endpoint: GET, and HEAD, which has the same headers and no body."""
    responses = {"200": _json(summary, schema)}
    if unavailable is not None:
        responses["503"] = _json(unavailable, schema)
    head = {status: {"description": found["description"]} for status, found in responses.items()}
    return {
        "get": {"summary": summary, "responses": responses},
        "head": {"summary": f"{summary}, without the body", "responses": head},
    }


def _with_token(path: dict[str, Any]) -> dict[str, Any]:
    """The same operations, which need a token."""
    refusal = {"401": {"description": "Needs HEALTH_CHECK_TOKEN; without one set, the same machine"}}
    return {
        method: operation | {"security": [{"health": []}], "responses": operation["responses"] | refusal}
        for method, operation in path.items()
    }


DESCRIPTION: Final[dict[str, Any]] = {
    "openapi": "3.1.0",
    "info": {
        "title": "Tallow",
        "version": __version__,
        "description": "Signaling (/api/signal) and relay (/api/relay) are WebSockets: see docs/protocol.md.",
    },
    "paths": {
        ROOMS_PATH: {"post": _CREATE_ROOM},
        TELEMETRY_PATH: {"post": _REPORT_METRICS},
        INFO_PATH: {"get": _INFO},
        "/api/health": _health_endpoint("Health of the server", _HEALTH, "A critical component is unhealthy"),
        "/api/health/liveness": _health_endpoint(
            "The event loop is running", _object(status={"const": "alive"})
        ),
        "/api/health/readiness": _health_endpoint(
            "Whether the server can take requests", _READY, "Not ready: these components are failing"
        ),
        "/api/health/detailed": _with_token(
            _health_endpoint("Health of every component", _DETAILED, "A critical component is unhealthy")
        ),
        OPENAPI_PATH: {
            "get": {
                "summary": "This description",
                "responses": {"200": _json("OpenAPI 3.1", {"type": "object"})},
            }
        },
    },
    "components": {
        "schemas": {"Error": _object(error=_STRING, message=_STRING)},
        "securitySchemes": {
            "telemetry": {"type": "http", "scheme": "bearer"},
            "health": {"type": "http", "scheme": "bearer"},
        },
    },
}
"""The response to ``GET /api/openapi.json``."""
