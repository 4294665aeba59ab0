"""The application in FastAPI: routers in routers, and a mounted application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from conformance.apps.starlette_app import ROUTES, Guard
from tallow.monitoring import instrument

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
api, shops = APIRouter(prefix="/api"), APIRouter(prefix="/shops/{shop}")
version = APIRouter(prefix="/v1")


@version.get("/items/{item}")
async def item(item: str):
    return item


@shops.get("/orders/{order}")
async def order(shop: str, order: int):
    return order


version.include_router(shops)
api.include_router(version)
app.include_router(api)
app.router.routes.extend(ROUTES)
app.add_middleware(Guard)
instrument(app)
