"""Whether a database can be used, before the server starts."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from tallow.app.server.storage import schema


async def inspect_database(url: str) -> str:
    """Create or upgrade the schema, and check that the database is intact.

    Args:
        url: an SQLAlchemy URL with an async driver.

    Returns:
        Why the database cannot be used, in one line; empty if it can.
    """
    engine = create_async_engine(url)
    try:
        # Another replica that starts at the same time may create a table between the check and the creation.
        return await _inspect(engine) and await _inspect(engine)
    finally:
        await engine.dispose()


async def _inspect(engine: AsyncEngine) -> str:
    try:
        async with engine.begin() as connection:
            await connection.run_sync(schema.prepare)
            if engine.dialect.name == "sqlite":
                found = str((await connection.execute(text("PRAGMA quick_check(1)"))).scalar())
                return "" if found == "ok" else f"it is damaged: {_first_line(found)}"
    except Exception as error:  # noqa: BLE001 - drivers raise their own exceptions while they connect
        return _first_line(getattr(error, "orig", None) or error)
    return ""


def _first_line(error: object) -> str:
    return next(iter(str(error).splitlines()), "") or type(error).__name__
