"""Fixtures of the commands' tests."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.transfers.server import RunningServer, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server") as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file to send."""
    file = tmp_path / "notes.txt"
    file.write_bytes(os.urandom(300_000))
    return file
