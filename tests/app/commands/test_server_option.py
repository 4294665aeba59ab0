"""The server that `send`, `receive` and `demo` use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.transfers.peers import PeerProcess, tallow
from support.transfers.server import RunningServer
from tallow.app.peer.link import Link
from tallow.stack.engines.services.definitions import ports
from tallow.stack.engines.state.locks import locked
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.engines.supervisor import state_files

pytestmark = pytest.mark.slow


@contextmanager
def stack_of(server: RunningServer, folder: Path) -> Iterator[Path]:
    """A stack whose Tallow is ``server``: its folder as `tallow up` leaves it, and its supervisor's lock.

    The other programs of a stack would say nothing about addresses."""
    home = StateDir(folder)
    home.make()
    home.write_options(StackOptions(port_offset=int(server.url.rpartition(":")[2]) - ports(0)["tallow"]))
    state_files.write_status(home, state_files.SupervisorStatus(pid=1))
    with locked(home, "supervisor"):
        yield folder


async def refused(program: PeerProcess) -> tuple[str, int]:
    """The message and the exit status of a command that must fail."""
    return (await program.wait_for_event("error"))["message"], await program.wait()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "notes.txt"
    file.write_text("hello")
    return file


async def test_home_selects_the_server_of_a_stack(server: RunningServer, path: Path, tmp_path: Path) -> None:
    with stack_of(server, tmp_path / "stack") as home:
        sending = ("send", "--relay", "--home", str(home), str(path))
        async with tallow(*sending, home=tmp_path / "s") as sender:
            link = Link.parse((await sender.wait_for_event("link"))["link"])
            assert link.server == server.url
            # The same stack gives the receiver the server that ROOM.SECRET leaves out.
            short = link.text.rpartition("#")[2]
            receiving = ("receive", "--home", str(home), "-o", str(tmp_path / "out"))
            async with tallow(*receiving, home=tmp_path / "r", given=short) as receiver:
                assert (await receiver.wait(), await sender.wait()) == (0, 0)
    assert (tmp_path / "out" / path.name).read_text() == "hello"


@pytest.mark.parametrize("by", ["TALLOW_HOME", "default"])
async def test_the_running_stack_is_found(server: RunningServer, path: Path, tmp_path: Path, by: str) -> None:
    own = tmp_path / "s"
    folder = tmp_path / "stack" if by == "TALLOW_HOME" else own / "state" / "tallow"
    variables = {"TALLOW_HOME": str(folder)} if by == "TALLOW_HOME" else {}
    with stack_of(server, folder):
        async with tallow("send", str(path), home=own, **variables) as sender:
            assert (await sender.wait_for_event("link"))["link"].startswith(server.url)


async def test_the_demo_finds_the_running_stack(server: RunningServer, tmp_path: Path) -> None:
    with stack_of(server, tmp_path / "stack") as home:
        making = ("demo", "--home", str(home), "--transfers", "1", "--size", "10kB")
        async with tallow(*making, home=tmp_path / "d") as demo:
            assert await demo.wait() == 0
            assert demo.events[-1]["outcomes"] == {"success": 1}


async def test_a_named_server_has_priority(server: RunningServer, path: Path, tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9"
    with stack_of(server, tmp_path / "stack") as home:
        variables = {"TALLOW_HOME": str(home), "TALLOW_SERVER": nowhere}
        async with tallow("send", str(path), home=tmp_path / "s", **variables) as by_variable:
            assert nowhere in (await refused(by_variable))[0]
        insisting = ("send", "--home", str(home), str(path))
        async with tallow(*insisting, home=tmp_path / "s", **variables) as by_option:
            assert (await by_option.wait_for_event("link"))["link"].startswith(server.url)


async def test_a_stopped_stack_is_named(path: Path, tmp_path: Path) -> None:
    stopped = StateDir(tmp_path / "stopped")
    stopped.make()
    stopped.write_options(StackOptions())
    for folder in (stopped.root, tmp_path / "nothing here"):
        async with tallow("send", "--home", str(folder), str(path), home=tmp_path / "s") as program:
            message, status = await refused(program)
            assert (f"no stack runs in {folder}" in message, status) == (True, 3)


async def test_an_unreadable_folder_is_reported_in_one_line(path: Path, tmp_path: Path) -> None:
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "run").mkdir()
    (tmp_path / "stack" / "stack.json").write_text("{")
    home = StateDir(tmp_path / "stack")
    state_files.write_status(home, state_files.SupervisorStatus(pid=1))
    with locked(home, "supervisor"):
        async with tallow("send", "--home", str(home.root), str(path), home=tmp_path / "s") as program:
            errors = await program.read_stderr()
    assert "stack.json cannot be read" in errors
    assert "Traceback" not in errors


async def test_server_and_home_exclude_each_other(path: Path, tmp_path: Path) -> None:
    both = ("--server", "http://127.0.0.1:9", "--home", str(tmp_path))
    async with tallow("send", *both, str(path), home=tmp_path / "s") as program:
        assert await program.wait() == 2
        assert "exclude each other" in await program.read_stderr()


@pytest.mark.parametrize("command", ["send", "receive", "demo"])
async def test_an_unreachable_server_is_named(tmp_path: Path, path: Path, command: str) -> None:
    nowhere = "http://127.0.0.1:9"
    link = f"{nowhere}/#aaaaaaaaaaaaaaaa.AAECAwQFBgcICQoLDA0ODw"
    arguments = {
        "send": ("send", "--server", nowhere, str(path)),
        "receive": ("receive", "-o", str(tmp_path)),
        "demo": ("demo", "--server", nowhere, "--transfers", "1"),
    }[command]
    async with tallow(*arguments, home=tmp_path / "p", given=link) as program:
        output, status = await asyncio.gather(program.read_stderr(), program.wait())
        output += str(program.events)
    assert f"the server cannot be reached at {nowhere}" in output
    assert status == 3


async def test_another_server_is_named(tmp_path: Path, path: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as other:
        address = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}"
        async with tallow("send", "--server", address, str(path), home=tmp_path / "s") as program:
            assert await refused(program) == (f"{address} is not a Tallow server", 1)
