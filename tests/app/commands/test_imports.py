"""A transfer loads no library that it does not use: for a small file, two commands mostly start."""

from __future__ import annotations

from pathlib import Path

from support.transfers.peers import tallow
from support.transfers.server import RunningServer

PROGRAM = """
import os, sys
from pathlib import Path
from tallow.cli import main
try:
    main()
finally:
    Path(os.environ["LOADED"]).write_text(" ".join(sys.modules))
"""
UNUSED = {
    "pydantic",  # settings of the log, of the scrubber and of the server
    "pathspec",  # --exclude and --git
    "async_upnp_client",  # --port-mapping
    "uvicorn",
    "sqlalchemy",
    "sentry_sdk",
}


async def test_a_transfer_loads_no_library_that_it_does_not_use(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    loaded = {name: tmp_path / f"{name}.txt" for name in ("send", "receive")}
    program = ("-c", PROGRAM)
    sending = ("send", str(path), "--server", server.url)
    async with tallow(*sending, home=tmp_path / "s", program=program, LOADED=str(loaded["send"])) as sender:
        link = (await sender.wait_for_event(lambda event: "link" in event))["link"]
        receiving = ("receive", "-o", str(tmp_path / "out"))
        async with tallow(
            *receiving, home=tmp_path / "r", given=link, program=program, LOADED=str(loaded["receive"])
        ) as receiver:
            assert await receiver.wait() == 0
        assert await sender.wait() == 0
    for name, file in loaded.items():
        modules = set(file.read_text().split())
        assert "cryptography" in modules
        assert not UNUSED & modules, name
