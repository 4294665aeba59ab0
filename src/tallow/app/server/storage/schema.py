"""The tables of the database, and the version of their schema.

The table ``tallow_schema_version`` has a row for each version that the database has had; the highest is the
current one. A server upgrades an older database before it serves. It refuses a newer one: it would not know
what the tables mean. Versions of Tallow before the first schema version created the same tables without a
version; their databases are upgraded, too, and keep their rooms.

To change a table, append a function to :data:`UPGRADES` that changes databases of the version before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    func,
    insert,
    inspect,
    select,
)

KEY_BYTES: Final = 32
_ADVISORY_LOCK: Final = 0x7A110
"""PostgreSQL's lock for one upgrade at a time. The number means nothing."""

metadata: Final = MetaData()
rooms: Final = Table(
    "rooms",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("token_hash", String(64), nullable=False),
    Column("created", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("correlation_id", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Index("rooms_expires", "expires"),
)
client_outcomes: Final = Table(
    "client_outcomes",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("status", String(16), primary_key=True),
    Column("cell", Integer, primary_key=True, autoincrement=False),
    Column("counted", Float, nullable=False),
)
hash_keys: Final = Table(
    "hash_keys",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("key", LargeBinary(KEY_BYTES), nullable=False),
)
schema_version: Final = Table(
    "tallow_schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
)


class SchemaError(Exception):
    """The database has a schema that this version of Tallow cannot use. The text is one line."""


def _to_version_1(connection: Connection) -> None:
    """Create the tables of a new database, and those that one without a version does not have."""
    metadata.create_all(connection)


UPGRADES: Final[tuple[Callable[[Connection], None], ...]] = (_to_version_1,)
"""The function at index ``n`` upgrades a database of version ``n`` to ``n + 1``; 0 has no version."""
CURRENT_VERSION: Final = len(UPGRADES)


def prepare(connection: Connection) -> None:
    """Create the schema or upgrade it to the current version, in the transaction of the connection.

    Raises:
        SchemaError: the database has the schema of a newer version, or tables of another program.
        SQLAlchemyError: the database cannot be read or written.
    """
    if _version(connection) < CURRENT_VERSION:
        _lock(connection)
        for upgrade in UPGRADES[_version(connection) :]:  # another process may have done it meanwhile
            upgrade(connection)
            connection.execute(insert(schema_version).values(version=_version(connection) + 1))
    _require_columns(connection)


def _version(connection: Connection) -> int:
    """The version of the database; 0: it has none.

    Raises:
        SchemaError: it is newer than this version of Tallow.
    """
    if not inspect(connection).has_table(schema_version.name):
        return 0
    version: int = connection.execute(select(func.max(schema_version.c.version))).scalar() or 0
    if version > CURRENT_VERSION:
        raise SchemaError(
            f"it has schema version {version}, which a newer Tallow wrote; this one reads versions up to "
            f"{CURRENT_VERSION}: start the newer Tallow, or restore the backup from before the upgrade"
        )
    return version


def _lock(connection: Connection) -> None:
    """Let one process at a time upgrade the schema."""
    if connection.dialect.name == "sqlite":
        # Python's driver begins a transaction before the first change of a row, not before one of a table.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(select(func.pg_advisory_xact_lock(_ADVISORY_LOCK)))


def _require_columns(connection: Connection) -> None:
    """Check that the tables have the columns that the statements use.

    Raises:
        SchemaError: one is missing.
    """
    found = inspect(connection)
    for table in metadata.sorted_tables:
        columns = {column["name"] for column in found.get_columns(table.name)}
        for column in table.columns:
            if column.name not in columns:
                raise SchemaError(
                    f"its table {table.name} has no column {column.name}, so that Tallow has not made it; "
                    "give Tallow a database of its own"
                )
