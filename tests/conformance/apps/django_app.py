"""The application in Django."""

from __future__ import annotations

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, StreamingHttpResponse
from django.urls import include, path, re_path

from conformance.apps import common
from tallow.monitoring import instrument


def guard(get_response):
    async def middleware(request):
        if "x-block" in request.headers:
            return HttpResponse("no", status=401)
        return await get_response(request)

    return middleware


guard.async_capable, guard.sync_capable = True, False


async def ok(request, **parameters):
    return HttpResponse("ok")


async def only_get(request, **parameters):
    return HttpResponse("ok", status=200 if request.method == "GET" else 405)


async def broken(request, item):
    raise RuntimeError("the handler failed")


async def unavailable(request):
    return HttpResponse("no", status=503)


async def halfway(request):
    return StreamingHttpResponse(common.broken_stream())


async def events(request):
    return StreamingHttpResponse(common.endless_events(), content_type="text/event-stream")


async def release(request):
    common.release.set()
    return HttpResponse("ok")


shops = [path("orders/<int:order>", ok)]
version = [path("items/<str:item>", only_get), path("shops/<slug:shop>/", include(shops))]
urlpatterns = [
    path("api/v1/", include(version)),
    re_path(r"^archive/(?P<year>[0-9]{4})/([\w-]+)$", ok),
    path("files/<path:path>", ok),
    path("broken/<str:item>", broken),
    path("unavailable", unavailable),
    path("halfway", halfway),
    path("events", events),
    path("release", release),
]

settings.configure(
    ROOT_URLCONF=__name__,
    ALLOWED_HOSTS=["*"],
    SECRET_KEY="conformance",
    MIDDLEWARE=[f"{__name__}.guard"],
    DEBUG=False,
)
django.setup()
app = instrument(get_asgi_application())
