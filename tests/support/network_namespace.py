"""A network for a test alone: nothing of the machine's networks is in it."""

from __future__ import annotations

import contextlib
import ctypes
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import pytest

_CLONE_NEWNET: Final = 0x40000000


@contextlib.contextmanager
def own_network(commands: Sequence[str]) -> Iterator[None]:
    """A network namespace for this thread, and for threads and processes that it starts within the block.

    The test is skipped without the right to create one.

    Args:
        commands: commands of ``ip -batch`` that make its devices and addresses; loopback is up before them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as before:
        if libc.unshare(_CLONE_NEWNET):
            pytest.skip("no right to create a network namespace")
        try:
            batch = "".join(f"{command}\n" for command in ("link set lo up", *commands))
            subprocess.run(["ip", "-batch", "-"], input=batch, text=True, check=True)
            yield
        finally:
            assert libc.setns(before.fileno(), _CLONE_NEWNET) == 0
