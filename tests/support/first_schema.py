"""The tables of the database as Tallow created them before the schema had a version."""

from __future__ import annotations


def first_schema(binary: str = "BLOB") -> list[str]:
    """The statements that create them; those of rooms first.

    Args:
        binary: the database's type of bytes.
    """
    return [
        """
        CREATE TABLE rooms (
            id VARCHAR(16) NOT NULL, token_hash VARCHAR(64) NOT NULL, created FLOAT NOT NULL,
            expires FLOAT NOT NULL, correlation_id VARCHAR(32) NOT NULL, state VARCHAR(16) NOT NULL,
            PRIMARY KEY (id)
        )
        """,
        "CREATE INDEX rooms_expires ON rooms (expires)",
        """
        CREATE TABLE client_outcomes (
            kind VARCHAR(16) NOT NULL, status VARCHAR(16) NOT NULL, cell INTEGER NOT NULL,
            counted FLOAT NOT NULL, PRIMARY KEY (kind, status, cell)
        )
        """,
        f"CREATE TABLE hash_keys (name VARCHAR(32) NOT NULL, key {binary} NOT NULL, PRIMARY KEY (name))",
    ]
