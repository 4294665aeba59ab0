"""WebRTC is loaded while a peer waits, if its options allow WebRTC and TCP does not connect before."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, sys
from tallow.app.peer.connection.channel_openings import RECEIVER_LOADS_AFTER_S, ChannelOpenings
from tallow.app.peer.connection.webrtc_loader import WEBRTC_MODULE
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions

link = Link("https://tallow.example", "a" * 16, bytes(16))
openings = ChannelOpenings(None, link, "{role}", TransferOptions({options}), loopback=True)

async def main():
    assert WEBRTC_MODULE not in sys.modules
    openings.preload()
    if {connects}:
        await asyncio.sleep(0.01)
        openings.connected()
    await asyncio.sleep(2 * RECEIVER_LOADS_AFTER_S)

asyncio.run(main())  # waits for threads
print(WEBRTC_MODULE in sys.modules)
if {connects}:
    asyncio.run(openings._webrtc.module())  # a later attempt needs it
    assert WEBRTC_MODULE in sys.modules
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "options", "connects", "loaded"),
    [
        ("sender", "", False, "True"),
        ("receiver", "", False, "True"),
        ("receiver", "", True, "False"),
        ("sender", "tallow_relay=True", False, "False"),
        ("sender", "transports=('tcp',)", False, "False"),
    ],
    ids=["sender", "receiver", "connected receiver", "relay only", "TCP only"],
)
def test_webrtc_is_loaded_in_the_background_if_it_may_be_used(
    role: str, options: str, connects: bool, loaded: str
) -> None:
    program = PROGRAM.format(role=role, options=options, connects=connects)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == loaded
