"""The option ``--port-mapping`` where it cannot be used: one line each."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.transfers.peers import tallow
from support.transfers.server import RunningServer
from tallow.app.commands.options.common_options import CommonOptions, transfer_options
from tallow.app.peer.preferences import Preferences
from tallow.cli import main


def last_line(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(main, arguments)
    return done.exit_code, done.output.splitlines()[-1]


def test_without_the_extra_a_line_names_it(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "async_upnp_client", None)
    for command in (("send", str(path)), ("receive", "--yes")):
        status, line = last_line(*command, "--port-mapping")
        assert status == 1
        assert line == "Error: --port-mapping needs async-upnp-client: install tallow[port-mapping]"


@pytest.mark.parametrize("other", ["--direct", "--bind=192.0.2.7", "--port-mapping"])
def test_the_relay_excludes_what_is_for_direct_connections(other: str, path: Path) -> None:
    status, line = last_line("send", "--relay", other, str(path))
    assert status == 2
    assert line == f"Error: --relay and {other.partition('=')[0]} exclude each other"


def test_the_setting_for_the_relay_excludes_it() -> None:
    common = CommonOptions(
        relay=False, direct=False, bind=None, port_mapping=True, json=False, no_telemetry=True, ca=None
    )
    with pytest.raises(Exception, match="the setting relay_preference is relay"):
        transfer_options(common, Preferences({"relay_preference": "relay"}))
    assert transfer_options(common, Preferences()).router is not None


@pytest.mark.slow
async def test_with_a_server_on_this_machine_no_port_is_mapped_and_a_line_says_so(
    server: RunningServer, path: Path, tmp_path: Path
) -> None:
    sending = ("send", "--server", server.url, "--port-mapping", str(path))
    async with tallow(*sending, home=tmp_path / "s") as sender:
        link = (await sender.wait_for_event("link"))["link"]
        async with tallow(
            "receive", "-o", str(tmp_path / "out"), home=tmp_path / "r", given=link
        ) as receiver:
            await sender.wait()
            await receiver.wait()
    warnings = [event["message"] for event in sender.events if event["event"] == "warning"]
    assert warnings == ["no port is mapped on the router: the server is on this machine"]
    assert (sender.process.returncode, receiver.process.returncode) == (0, 0)
    for status in ("success", "failed"):
        assert server.value("nat_traversal_total", strategy="port_mapping", status=status) == 0
