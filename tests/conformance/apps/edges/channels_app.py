"""Routers in routers, Django behind a router, and consumers in Django Channels."""

from __future__ import annotations

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="edges", INSTALLED_APPS=["channels"], MIDDLEWARE=[]
)
django.setup()

from channels.generic.http import AsyncHttpConsumer  # noqa: E402 - after the settings
from channels.generic.websocket import WebsocketConsumer  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402
from django.core.asgi import get_asgi_application  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import path, re_path  # noqa: E402

from tallow.monitoring import instrument  # noqa: E402


class Chat(WebsocketConsumer):
    def connect(self):
        self.accept()
        self.close()


class Poll(AsyncHttpConsumer):
    async def handle(self, body):
        await self.send_response(200, b"ok")


def ok(request, item):
    return HttpResponse("ok")


urlpatterns = [path("items/<str:item>", ok)]
inner = URLRouter([path("<str:room>/", Chat.as_asgi()), re_path(r"^x/(?P<n>\d+)$", Chat.as_asgi())])
rooms = URLRouter([path("chat/", inner), path("chat/late/<int:n>", Chat.as_asgi())])
pages = URLRouter([path("poll/<str:topic>", Poll.as_asgi()), re_path(r"", get_asgi_application())])
app = instrument(ProtocolTypeRouter({"http": pages, "websocket": AllowedHostsOriginValidator(rooms)}))

REQUESTS = {
    "django behind a router": ("GET", "/items/alice", {}, "200 /items/<str:item>"),
    "consumer": ("GET", "/poll/alice", {}, "200 /poll/<str:topic>"),
    "websocket": ("WS", "/chat/alice/", {"origin": "http://localhost"}, "101 /chat/<str:room>/"),
    "websocket regex": ("WS", "/chat/x/7", {"origin": "http://localhost"}, "101 /chat/x/<n>"),
    "websocket after a nested router": (
        "WS",
        "/chat/late/7",
        {"origin": "http://localhost"},
        "101 /chat/late/<int:n>",
    ),
    "websocket no route": ("WS", "/alice", {"origin": "http://localhost"}, "500 other"),
    "websocket denied": ("WS", "/chat/alice/", {"origin": "http://alice.example"}, "101 /chat/<str:room>/"),
    "no route": ("GET", "/alice", {}, "404 other"),
}
PREFIXES = ("/items", "/poll", "/chat")
