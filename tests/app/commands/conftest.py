"""Fixtures of the commands' tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.transfers.server import RunningServer, serving


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[RunningServer]:
    (tmp_path / "server").mkdir()
    async with serving(tmp_path / "server") as running:
        yield running
