"""The mapped port of one side of a transfer, from the attempt to connect to its removal."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from tallow.app.channels.tcp.addresses import Endpoint
from tallow.app.channels.tcp.port_mapping.errors import PortMappingError
from tallow.app.channels.tcp.port_mapping.local_network import find_local_network
from tallow.app.channels.tcp.port_mapping.router import LEASE_S, RefusedError, Router, UnreachableError

MAPPING_S: Final = 6.0
"""Seconds that the router may take, the search for it included. Other ways to connect do not wait for it."""
REMOVAL_S: Final = 1.0
"""Seconds that the removal of a mapping may take. A signal ends a command within two seconds."""
RENEWAL_S: Final = LEASE_S / 2
PORTS: Final = 20_000, 60_000
"""External ports that are asked for: other ones may be the router's own."""
TRIES: Final = 3
"""External ports that are tried if others have mapped them."""
TOO_LATE: Final = "the router did not answer in time"

OnResult = Callable[[str | None], None]
"""Gets the result of the first mapping of a transfer: None, or why no port was mapped."""


class RouterSearch:
    """The search for the router: one for all transfers of a command.

    Args:
        bind: this machine's address; by default that of the default route.
    """

    def __init__(self, bind: str | None = None) -> None:
        self._bind = bind
        self._search: asyncio.Task[Router] | None = None

    def start(self) -> asyncio.Task[Router]:
        """Search in the background, unless a router was found or is being searched."""
        search = self._search
        if search is None or (search.done() and (search.cancelled() or search.exception())):
            self._search = search = asyncio.create_task(self._find(), name="router search")
            search.add_done_callback(_retrieve_exception)
        return search

    async def router(self) -> Router:
        """The router.

        Raises:
            PortMappingError: there is none.
        """
        return await asyncio.shield(self.start())

    def forget(self) -> None:
        """Search anew next time: a transfer may begin hours after the search."""
        self._search = None

    async def _find(self) -> Router:
        network = await asyncio.to_thread(find_local_network, self._bind)
        if network is None:
            raise PortMappingError("this machine has no IPv4 router")
        return await Router.find(network)


class PortMapper:
    """Maps the port on which one side of a transfer listens.

    A mapping stays as long as it is used. Whatever happens to this program, the router removes it after
    :data:`LEASE_S` seconds.
    """

    def __init__(self, search: RouterSearch, on_result: OnResult) -> None:
        self._search = search
        self._on_result: OnResult | None = on_result
        self._mapping: asyncio.Task[Endpoint | None] | None = None
        self._mapped: tuple[Router, int] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._removing: set[asyncio.Task[None]] = set()

    def start(self, port: int) -> asyncio.Task[Endpoint | None]:
        """Map a port for an attempt to connect. The task's result is None if that fails; it raises nothing.

        The mapping of an earlier attempt is removed.
        """
        self.end(connected=True, in_use=False)
        self._mapping = asyncio.create_task(self._map_in_time(port), name="port mapping")
        return self._mapping

    def end(self, *, connected: bool, in_use: bool) -> None:
        """The attempt is over.

        Args:
            connected: TCP has connected the two sides. Otherwise a mapping that is not there yet comes too
                late, and has failed.
            in_use: the transfer's connection came in through the listener: the mapping stays.
        """
        if self._mapping is not None and not self._mapping.done():
            self._mapping.cancel()
            if not connected:
                self._report(TOO_LATE)
        if not in_use:
            self._remove()

    async def close(self) -> None:
        """Remove the mapping. Takes at most :data:`REMOVAL_S` seconds."""
        self.end(connected=True, in_use=False)
        if self._removing:
            await asyncio.wait(set(self._removing))

    async def _map_in_time(self, port: int) -> Endpoint | None:
        try:
            async with asyncio.timeout(MAPPING_S):
                endpoint = await self._map(port)
        except PortMappingError as error:
            self._report(str(error))
            self._remove()
            return None
        except TimeoutError:
            self._report(TOO_LATE)
            self._remove()
            return None
        self._report(None)
        return endpoint

    async def _map(self, port: int) -> Endpoint:
        try:
            return await self._map_on(await self._search.router(), port)
        except UnreachableError:
            self._search.forget()
            return await self._map_on(await self._search.router(), port)

    async def _map_on(self, router: Router, port: int) -> Endpoint:
        address = await router.external_address()
        for tries_left in range(TRIES - 1, -1, -1):
            external_port = PORTS[0] + secrets.randbelow(PORTS[1] - PORTS[0])
            self._mapped = router, external_port  # also if the answer is lost
            try:
                await router.add(external_port, port)
                break
            except RefusedError as error:
                self._mapped = None
                if not (error.is_conflict and tries_left):
                    raise
        self._renewing = asyncio.create_task(_renew(router, external_port, port), name="port mapping renewal")
        return Endpoint(address, external_port)

    def _remove(self) -> None:
        if self._renewing is not None:
            self._renewing.cancel()
        mapped, self._mapped, self._renewing = self._mapped, None, None
        if mapped is not None:
            removing = asyncio.create_task(_remove_mapping(*mapped), name="port mapping removal")
            self._removing.add(removing)
            removing.add_done_callback(self._removing.discard)

    def _report(self, problem: str | None) -> None:
        """Report the result of the transfer's first mapping; later ones resume it and are not counted."""
        on_result, self._on_result = self._on_result, None
        if on_result is not None:
            on_result(problem)


async def _renew(router: Router, external_port: int, port: int) -> None:
    while True:
        await asyncio.sleep(RENEWAL_S)
        with suppress(PortMappingError):
            await router.add(external_port, port)


async def _remove_mapping(router: Router, external_port: int) -> None:
    with suppress(PortMappingError, TimeoutError):
        async with asyncio.timeout(REMOVAL_S):
            await router.remove(external_port)


def _retrieve_exception(search: asyncio.Task[Router]) -> None:
    """Without this asyncio logs the error of a search that nobody awaited."""
    if not search.cancelled():
        search.exception()
