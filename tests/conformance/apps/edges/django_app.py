"""Regular expressions, preflights, HEAD and 405 in Django."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse
from django.urls import include, path, re_path
from django.views.decorators.http import require_GET, require_safe

from tallow.monitoring import instrument


def preflight(get_response):
    async def middleware(request):
        if request.method == "OPTIONS" and "origin" in request.headers:
            return HttpResponse()
        return await get_response(request)

    return middleware


preflight.async_capable, preflight.sync_capable = True, False


def ok(request, *values, **parameters):
    return HttpResponse("ok")


inner = [path("users/<str:user>", ok), re_path(r"^(?P<year>\d{4})/$", ok)]
urlpatterns = [
    path("items/<str:item>", require_GET(ok)),
    path("safe/<str:item>", require_safe(ok)),
    path("slash/", ok),
    path("api/<slug:tenant>/", include((inner, "inner"), namespace="inner")),
    re_path(r"^(?:old|new)/([a-z]+)/(?:x(?P<n>\d+)|y)$", ok),
]
settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="edges",
    MIDDLEWARE=[f"{__name__}.preflight", "django.middleware.common.CommonMiddleware"],
    APPEND_SLASH=True,
)
django.setup()
app = instrument(get_asgi_application())

PREFLIGHT = {"origin": "http://alice.example", "access-control-request-method": "GET"}
REQUESTS = {
    "direct": ("GET", "/items/alice", {}, "200 /items/<str:item>"),
    "included": ("GET", "/api/alice/users/alice2", {}, "200 /api/<slug:tenant>/users/<str:user>"),
    "included regex": ("GET", "/api/alice/2024/", {}, "200 /api/<slug:tenant>/<year>/"),
    "regex": ("GET", "/old/alice/x7", {}, "200 /<var>/<var>/<var>"),
    "slash redirect": ("GET", "/slash", {}, "301 other"),
    "head": ("HEAD", "/safe/alice", {}, "200 /safe/<str:item>"),
    "405 of head": ("HEAD", "/items/alice", {}, "405 /items/<str:item>"),
    "405": ("DELETE", "/items/alice", {}, "405 /items/<str:item>"),
    "preflight": ("OPTIONS", "/items/alice", PREFLIGHT, "200 /items/<str:item>"),
    "preflight no route": ("OPTIONS", "/alice", PREFLIGHT, "200 other"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/items", "/api", "/old")
