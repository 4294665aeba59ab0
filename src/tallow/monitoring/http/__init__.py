"""The ASGI middleware: HTTP metrics, correlation ids, operational endpoints."""
