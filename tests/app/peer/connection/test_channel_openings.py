"""WebRTC is loaded while a peer waits, if its options allow WebRTC."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from tallow.app.peer.connection.channel_openings import WEBRTC_MODULE, ChannelOpenings
from tallow.app.peer.link import Link
from tallow.app.peer.options import TransferOptions

link = Link("https://tallow.example", "a" * 16, bytes(16))
openings = ChannelOpenings(None, link, "sender", TransferOptions({options}), loopback=True)
assert WEBRTC_MODULE not in sys.modules
openings.preload()
for thread in threading.enumerate():
    if thread.name == "import webrtc":
        thread.join()
print(WEBRTC_MODULE in sys.modules)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "loaded"),
    [("", "True"), ("tallow_relay=True", "False"), ("transports=('tcp',)", "False")],
    ids=["all paths", "relay only", "TCP only"],
)
def test_webrtc_is_loaded_in_the_background_if_it_may_be_used(options: str, loaded: str) -> None:
    program = PROGRAM.format(options=options)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == loaded
