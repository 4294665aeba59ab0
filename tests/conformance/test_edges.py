"""Mounts, hosts, static files, preflights, HEAD and 405 of each framework have a template or ``other``.

No path becomes a label value, and made-up paths, methods and WebSockets add no series.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from conformance.servers import ROOT, environment

pytestmark = pytest.mark.integration

EDGES = sorted(
    path.stem.removesuffix("_app") for path in (Path(__file__).parent / "apps/edges").glob("*_app.py")
)
LIMIT_S = 240
"""Less than the limit of a test, which would leave the process running."""
MAX_NEW_SERIES = 40
"""Series of 300 random paths below each prefix: some for each prefix, none for each path."""


async def probe(name: str, env: str) -> dict[str, Any]:
    """What ``probe.py`` finds in an application."""
    python = await asyncio.to_thread(environment, env)
    paths = os.pathsep.join(str(ROOT / part) for part in ("src", "tests"))
    process = await asyncio.create_subprocess_exec(
        python,
        *("-m", "conformance.probe", name),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": paths, "LOG_LEVEL": "fatal"},
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            output, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    found = [line[7:] for line in output.decode().splitlines() if line.startswith("RESULT ")]
    assert found, errors.decode()[-2000:]
    result: dict[str, Any] = json.loads(found[0])
    return result


@pytest.mark.parametrize("env", ["frameworks", pytest.param("frameworks-oldest", marks=pytest.mark.proof)])
@pytest.mark.parametrize("name", EDGES)
async def test_each_case_has_its_route_and_no_path_is_a_label(name: str, env: str) -> None:
    result = await probe(name, env)
    assert len(result["results"]) >= 8
    wrong = {case: found for case, (found, expected) in result["results"].items() if found not in expected}
    assert wrong == {}
    assert not result["leak"]
    assert result["new"] <= MAX_NEW_SERIES
