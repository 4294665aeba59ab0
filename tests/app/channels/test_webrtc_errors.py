"""Which errors of background tasks are kept from the user's terminal."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any

import aioice

from tallow.app.channels.webrtc_errors import ignore_background_errors


async def own_failure() -> None:
    raise ConnectionError("of a task of this program")


async def own_task_over_a_closed_connection() -> None:
    await aioice.Connection(ice_controlling=True).send(b"x")


def of_aioice() -> Coroutine[Any, Any, None]:
    return aioice.Connection(ice_controlling=True).send(b"x")


async def reported_errors(work: Coroutine[Any, Any, None]) -> list[Any]:
    """What the loop's exception handler gets if nobody awaits a task."""
    reported: list[Any] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: reported.append(context["exception"]))
    ignore_background_errors(loop)
    ignore_background_errors(loop)  # each connection of a transfer does
    task = asyncio.create_task(work)
    await asyncio.wait({task})
    del task
    gc.collect()
    return reported


async def test_a_connection_error_of_the_librarys_own_task_is_ignored() -> None:
    assert await reported_errors(of_aioice()) == []


async def test_connection_errors_of_other_tasks_are_reported() -> None:
    for work in (own_failure, own_task_over_a_closed_connection):
        [error] = await reported_errors(work())
        assert isinstance(error, ConnectionError)


async def test_other_errors_of_the_library_are_reported() -> None:
    connection = aioice.Connection(ice_controlling=True)
    await connection.add_remote_candidate(None)
    [error] = await reported_errors(connection.add_remote_candidate(None))  # none may come after the last
    assert isinstance(error, ValueError)


async def test_errors_are_logged_as_before_without_another_handler(asyncio_errors: list[str]) -> None:
    ignore_background_errors(asyncio.get_running_loop())
    task = asyncio.create_task(own_failure())
    await asyncio.wait({task})
    del task
    gc.collect()
    [text] = asyncio_errors
    assert "never retrieved" in text
    asyncio_errors.clear()
