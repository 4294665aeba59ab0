"""The sender: makes a room, waits for the receiver, and sends until it has been confirmed."""

from __future__ import annotations

import asyncio
import math
from contextlib import suppress

from tallow.app.channels.channel import Channel, ChannelClosedError, ChannelError, Method
from tallow.app.crypto.errors import CancelledByPeerError, ProtocolError
from tallow.app.peer.errors import PeerError, RefusedError, code_of, is_passing
from tallow.app.peer.offer import Offer
from tallow.app.peer.outgoing import Outgoing
from tallow.app.peer.progress import Events
from tallow.app.peer.secure import SecureChannel, agree
from tallow.app.peer.server import Server
from tallow.app.peer.side import Side
from tallow.app.peer.signaling import Signaling
from tallow.app.peer.state import Sent
from tallow.app.peer.transfer import Options, goodbye, left, outcome_of, record_failure
from tallow.app.peer.ways import method_of
from tallow.monitoring import correlation
from tallow.monitoring.metrics import Metrics

RESENT_MOST = 20
"""Chunks sent again after one interruption that are counted: what was in flight, and no more."""


class Sender(Side):
    """One transfer, from a link to its end.

    Args:
        sent: what is remembered of it.
        preparing: the files being made ready.
    """

    def __init__(
        self,
        server: Server,
        sent: Sent,
        preparing: asyncio.Task[Offer],
        options: Options,
        metrics: Metrics,
        events: Events,
    ) -> None:
        super().__init__(
            "sender",
            server,
            sent.link,
            sent,
            options,
            metrics,
            events,
            flowing=lambda: self._flowing,
        )
        self._sent = sent
        self._preparing = preparing
        self._resumed = sent.manifest is not None
        self._method: Method = "relay"
        self._flowing: Method | None = None
        self._paired = self._resumed

    async def _end(self, error: BaseException | None) -> None:
        outcome = outcome_of(error)
        self._events.finished(outcome, error, self._progress.seconds)
        if error is not None:
            record_failure(error, self._metrics)
        resumable = error is not None and is_passing(error)
        if self._paired and not resumable:
            self._record(outcome)
        await self._seat.leave(outcome if self._paired and not resumable else None)
        await self._telemetry.last()
        self._preparing.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await self._preparing
        if not resumable:
            self._sent.forget()

    def _record(self, outcome: str) -> None:
        offer = self._offered()
        size = self._progress.moved if offer is None or self._resumed else offer.manifest.size
        files = offer.files if offer is not None else []
        self._metrics.record_transfer(outcome, self._method, size, self._progress.seconds, files=files)

    def _offered(self) -> Offer | None:
        done = self._preparing.done() and not self._preparing.cancelled()
        return self._preparing.result() if done and self._preparing.exception() is None else None

    async def _until_done(self) -> None:
        """Try until the receiver has confirmed all, or nothing can help any more."""
        done = False
        while not done:
            signaling = await self._seat.take()
            with correlation.bind(self._seat.correlation_id):
                done = await self._once(signaling)

    async def _once(self, signaling: Signaling) -> bool:
        """One try: whether it has done it. What another try may mend is waited out."""
        try:
            await self._transfer(signaling, await self._ready(signaling))
        except (PeerError, ChannelError, TimeoutError) as error:
            if isinstance(error, ChannelClosedError):
                await goodbye(signaling)
            if not is_passing(error) or isinstance(error, RefusedError):
                raise
            await self._pause(error, signaling)
            return False
        return True

    async def _pause(self, error: BaseException, signaling: Signaling) -> None:
        if signaling.lost.is_set() or not signaling.here.is_set():
            self._retries.failed(error)
            return  # to be waited for elsewhere
        wait = self._retries.failed(error)
        if wait is None:
            raise error
        self._events("interrupted", reason=str(error), retry_in=round(wait, 1))
        await asyncio.sleep(wait)

    async def _ready(self, signaling: Signaling) -> Offer:
        """Wait for the receiver and for the files."""
        if not signaling.here.is_set():
            left(signaling)
            self._events("waiting", side="receiver")
            self._retries.waited()
        waiting = asyncio.create_task(signaling.other_side())
        try:
            # A file that cannot be read must show now, not when the receiver comes.
            await asyncio.wait({waiting, self._preparing}, return_when=asyncio.FIRST_COMPLETED)
            if not self._preparing.done():
                await waiting
                await asyncio.wait({self._preparing})
            problem = self._preparing.exception()
            if problem is not None:
                if self._resumed and signaling.here.is_set():
                    await self._tell(signaling, problem)
                raise problem
            await waiting
        finally:
            waiting.cancel()
        return self._preparing.result()

    async def _tell(self, signaling: Signaling, problem: BaseException) -> None:
        """Let a receiver that waits for the rest know why it does not come."""
        with suppress(ChannelError, ProtocolError, PeerError):
            channel = await self._opener.open(signaling)
            secure = await agree(channel, "sender", self._link, self._metrics)
            await secure.abort(code_of(problem))

    async def _transfer(self, signaling: Signaling, offer: Offer) -> None:
        """One connection, from its opening to the receiver's last word."""
        if self._sent.manifest is None:
            self._sent.manifest = offer.manifest
            self._sent.save()
        self._paired = True
        channel = await self._opener.open(signaling)
        self._method = method_of(channel)
        try:
            secure = await agree(channel, "sender", self._link, self._metrics)
            self._events("connected", method=self._method, path=getattr(channel, "path", None))
            await self._carry(secure, signaling, offer)
        finally:
            self._flowing = None
            await _closed(channel)

    async def _carry(self, secure: SecureChannel, signaling: Signaling, offer: Offer) -> None:
        progress = self._progress
        progress.total(offer.manifest)
        before = progress.done if progress.begun else 0
        outgoing = Outgoing(secure, offer, self._metrics, progress)
        try:
            accept = await outgoing.offer()
            await signaling.started(self._method)
            for _ in range(min(RESENT_MOST, math.ceil((before - progress.done) / secure.chunk))):
                self._metrics.record_retry("chunk", "success")
            progress.begin()
            self._retries.succeeded()
            self._retries.operation = "transfer"
            self._flowing = self._method
            await outgoing.send(accept)
        except asyncio.CancelledError:
            await secure.abort(CancelledByPeerError.code)
            raise
        except ChannelError:
            raise
        except Exception as error:
            await secure.abort(code_of(error))
            raise
        await self._opener.done(secure.channel)


async def _closed(channel: Channel) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(2):
            await channel.close()
