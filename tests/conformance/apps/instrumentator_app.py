"""The application in FastAPI, instrumented by prometheus-fastapi-instrumentator, too."""

from __future__ import annotations

from prometheus_fastapi_instrumentator import Instrumentator

from conformance.apps.fastapi_app import app

Instrumentator().instrument(app).expose(app, endpoint="/peer-metrics")
