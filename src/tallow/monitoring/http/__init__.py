"""ASGI middleware: HTTP metrics, correlation ids and operational endpoints."""
