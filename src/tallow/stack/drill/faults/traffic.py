"""Faults by clients: too many, none, and malicious ones."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from tallow.stack.drill.environment import clients
from tallow.stack.drill.environment.profile import DIGEST
from tallow.stack.drill.run.model import Drill, DrillContext, repeat_in_background

_IDLE_PAIRS: Final = 110
"""Pairs in rooms; the alert's threshold is 100."""
_GUESSES: Final = 40
_INVALID_REPORTS: Final = 4
_ADDRESSES: Final = ("127.0.0.2", "127.0.0.3", "127.0.0.4")


@asynccontextmanager
async def backlog(context: DrillContext) -> AsyncIterator[None]:
    """Many pairs join rooms and do not start their transfers."""
    async with clients.join_pairs(context.server, _IDLE_PAIRS):
        yield


@asynccontextmanager
async def idle_pairs(context: DrillContext) -> AsyncIterator[None]:
    """A few pairs join rooms and do not start their transfers."""
    async with clients.join_pairs(context.server, 3):
        yield


@asynccontextmanager
async def one_client(context: DrillContext) -> AsyncIterator[None]:
    """One client is in a room."""
    room, token = await clients.create_room(context.server)
    async with clients.join_room(context.server, room, token, "sender"):
        yield


@asynccontextmanager
async def no_clients(context: DrillContext) -> AsyncIterator[None]:
    """All clients leave; a new one removes the fault."""
    await context.setup_stack.aclose()
    yield
    await context.cleanup.enter_async_context(one_client(context))


@asynccontextmanager
async def guessed_tokens(context: DrillContext) -> AsyncIterator[None]:
    """Reports with invalid telemetry tokens are sent."""
    for _ in range(_GUESSES):
        await clients.send_report(context.server, "a guess", {})
    yield


@asynccontextmanager
async def invalid_reports(context: DrillContext) -> AsyncIterator[None]:
    """Clients in rooms report metrics that clients may not report."""

    async def send_invalid_reports() -> None:
        room, token = await clients.create_room(context.server)
        async with clients.join_room(context.server, room, token, "sender") as client:
            for _ in range(_INVALID_REPORTS):
                await clients.send_report(
                    context.server, client.join_reply["telemetry_token"], {"http_requests_total": []}
                )

    async with repeat_in_background(send_invalid_reports, 1.0):
        yield


@asynccontextmanager
async def unknown_methods(context: DrillContext) -> AsyncIterator[None]:
    """Requests with methods that the catalogue does not list are sent."""

    async def send_requests() -> None:
        for method in ("PROPFIND", "TRACE", "MKCOL", "UNLOCK"):
            await context.server.http.request(method, "/api/info")

    async with repeat_in_background(send_requests, 0.5):
        yield


async def _report_key_exchanges(context: DrillContext, status: str) -> None:
    """One client on each of a few addresses reports one key exchange."""
    rows = [{"labels": {"algorithm": "x25519_mlkem768", "status": status}, "value": 1}]
    for address in _ADDRESSES:
        room, token = await clients.create_room(context.server)
        async with clients.join_room(context.server, room, token, "sender") as client:
            answer = await clients.send_report(
                context.server,
                client.join_reply["telemetry_token"],
                {"pqc_key_exchanges_total": rows},
                address,
            )
            answer.raise_for_status()


@asynccontextmanager
async def failing_key_exchanges(context: DrillContext) -> AsyncIterator[None]:
    """Clients on three addresses report a failed key exchange each, and later a successful one."""
    await _report_key_exchanges(context, "failed")
    yield
    await _report_key_exchanges(context, "success")


DRILLS: Final = (
    Drill(
        alert="TransferQueueBacklog",
        fault=f"{_IDLE_PAIRS} pairs join their rooms and never start (real signaling sockets)",
        inject=backlog,
        also_fires=frozenset({"NoSuccessfulTransfers"}),
    ),
    Drill(
        alert="NoSuccessfulTransfers",
        fault="pairs wait in their rooms and never start (real signaling sockets)",
        inject=idle_pairs,
    ),
    Drill(
        alert="NoActiveConnections",
        fault="every client leaves and none joins",
        inject=no_clients,
        setup=one_client,
        profile=DIGEST,
    ),
    Drill(
        alert="UnauthorizedAPIAccess",
        fault=f"{_GUESSES} reports with made-up tokens, each answered 401",
        inject=guessed_tokens,
    ),
    Drill(
        alert="ClientReportsRejected",
        fault="clients in real rooms report metrics that clients may not report",
        inject=invalid_reports,
        fault_seconds=30,
    ),
    Drill(
        alert="PQCFailuresLowTraffic",
        fault="clients on three addresses report one failed key exchange each",
        inject=failing_key_exchanges,
    ),
    Drill(
        alert="LabelOverflow",
        fault="a scanner sends methods that the catalogue does not list",
        inject=unknown_methods,
        fault_seconds=60,
    ),
)
