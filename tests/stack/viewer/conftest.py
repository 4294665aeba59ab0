"""Fixtures: a viewer with two small front-end files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.dashboards.viewer import PASSWORD, Viewer, serving
from tallow.stack.viewer.app import ViewerSettings, create_app
from tallow.stack.viewer.credentials import Credentials, Login
from tallow.stack.viewer.dashboards import load_dashboards

NOWHERE = "http://127.0.0.1:9"
"""The discard port, on which nothing listens."""


@pytest.fixture
def static(tmp_path: Path) -> Path:
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Tallow</title>")
    (folder / "assets" / "main-1a2b.js").write_text("'use strict';" * 100)
    (tmp_path / "secret.txt").write_text("not a built file")
    return folder


@pytest.fixture
def viewer(static: Path) -> Viewer:
    """Start a viewer with settings; yields its address."""

    @asynccontextmanager
    async def start(prometheus: str = NOWHERE, **given: object) -> AsyncIterator[str]:
        settings = ViewerSettings(prometheus=prometheus, static=static, **given)  # type: ignore[arg-type]
        credentials = Credentials(Login("tallow", PASSWORD))
        async with serving(create_app(settings, credentials, load_dashboards())) as url:
            yield url

    return start
