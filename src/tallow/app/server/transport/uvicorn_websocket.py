"""uvicorn's WebSocket protocol, hardened against hostile and slow peers."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

MAX_FRAGMENTS: Final = 1024


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """uvicorn's protocol with three changes:

    - It does not read from a peer that does not read: a flood of pings cannot fill memory with pongs.
    - It refuses a message of endless empty fragments.
    - It keeps a connection on which data moves, even if a pong is late: under backpressure it waits behind
      the data.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._progress = 0
        self._progress_at_ping = -1

    def pause_writing(self) -> None:
        super().pause_writing()
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._progress += 1
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._progress += 1
        super().data_received(data)

    def handle_cont(self, event: Frame) -> None:
        if len(self.frames) >= MAX_FRAGMENTS:
            self.conn.fail(1009, "too many fragments")
            self.handle_parser_exception()
            return
        super().handle_cont(event)

    async def receive(self) -> Any:
        message = await super().receive()
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()
        return message

    def send_keepalive_ping(self) -> None:
        self._progress_at_ping = self._progress
        super().send_keepalive_ping()

    def keepalive_timeout(self) -> None:
        if self._progress != self._progress_at_ping or self.read_paused:
            self.pong_timer = None
            self.schedule_ping()
        else:
            super().keepalive_timeout()
