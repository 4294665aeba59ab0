"""WebSocket ``/api/signal``: finds the process that owns the room, and serves or forwards the socket."""

from __future__ import annotations

import asyncio

from starlette.websockets import WebSocket, WebSocketDisconnect

from tallow.app.server.cluster.forwarding import is_forwarded
from tallow.app.server.cluster.room_directory import NodeAddress, RoomLocationError
from tallow.app.server.context import ServerContext
from tallow.app.server.endpoints.signaling_session import SignalingSession
from tallow.app.server.transport.messages import Join, WebSocketRefusedError, parse_signaling
from tallow.app.server.transport.websocket import GuardedWebSocket, accept_websocket
from tallow.app.wire import ROOM_ID


class SignalingEndpoint:
    """Serves signaling sockets."""

    def __init__(self, context: ServerContext) -> None:
        self._context = context

    async def serve(self, websocket: WebSocket) -> None:
        """Serve one socket until it is closed."""
        address, limiter = self._context.address_hasher.key(websocket.scope), self._context.socket_limiter
        socket = await accept_websocket(websocket, address, limiter, self._context.metrics)
        if socket is None:
            return
        try:
            if self._context.directory.name:
                await self._serve_in_cluster(socket)
            else:
                await self._serve_here(socket)
        finally:
            limiter.release(address)

    async def _serve_here(self, socket: GuardedWebSocket, *received: str | None) -> None:
        """Serve a socket of a room that this process owns.

        Args:
            received: the first message, if it was read already.
        """
        metrics = self._context.metrics
        metrics.connection_opened("websocket")
        try:
            await SignalingSession(self._context, socket, *received).run()
        finally:
            metrics.connection_closed("websocket")

    async def _serve_in_cluster(self, socket: GuardedWebSocket) -> None:
        """Read the first message, and forward the socket if another process owns its room."""
        try:
            async with asyncio.timeout(self._context.settings.join_timeout):
                first = await socket.receive_text()
                owner = await self._locate_owner(first)
        except TimeoutError:
            await socket.refuse_late_join(self._context.metrics, "signal")
        except WebSocketDisconnect:
            pass
        except RoomLocationError:
            problem = "the room cannot be reached at this moment; try again"
            await socket.refuse(WebSocketRefusedError("internal", problem))
        else:
            if owner is None or first is None:
                await self._serve_here(socket, first)
            elif is_forwarded(socket.scope):  # the owner has changed since
                await socket.refuse(WebSocketRefusedError("internal", "the room has moved; join again"))
            else:
                await self._context.forwarder.forward_websocket(socket, owner, first)

    async def _locate_owner(self, first: str | None) -> NodeAddress | None:
        """The owner of the room that a message joins. None: this process, or the message is not valid, which
        the session reports."""
        try:
            join = parse_signaling(first)
        except WebSocketRefusedError:
            return None
        if not isinstance(join, Join) or not ROOM_ID.fullmatch(join.room):
            return None
        return await self._context.directory.locate_room(join.room)
