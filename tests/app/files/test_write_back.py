"""Writing a large file back while it arrives: what is on the disk leaves the memory, the rest stays."""

from __future__ import annotations

import ctypes
import mmap
import os
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

from tallow.app.files.destination import DestinationFolder
from tallow.app.files.write_back import KEPT, UNDER_WAY, WINDOW, WriteBack
from tallow.app.wire import MAX_PAYLOAD_BYTES

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "posix_fadvise"), reason="this system cannot be told"),
]
WINDOWS = (KEPT + UNDER_WAY) // WINDOW + 6


@pytest.fixture
def file(tmp_path: Path) -> Iterator[int]:
    """A new file on a disk."""
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        os.write(descriptor, bytes(mmap.PAGESIZE))
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        if in_memory(descriptor, mmap.PAGESIZE) != [False]:
            pytest.skip("this file system keeps its files in memory")
        os.ftruncate(descriptor, 0)
        yield descriptor
    finally:
        os.close(descriptor)


def in_memory(descriptor: int, size: int) -> list[bool]:
    """Whether each page of a file is in memory (mincore)."""
    with mmap.mmap(descriptor, size) as mapped:
        pages = (ctypes.c_ubyte * (size // mmap.PAGESIZE))()
        address = ctypes.addressof(ctypes.c_char.from_buffer(mapped))
        assert ctypes.CDLL(None, use_errno=True).mincore(ctypes.c_void_p(address), size, pages) == 0
        return [bool(page & 1) for page in pages]


def written_windows(file: int, first: int = 0) -> list[float]:
    """Write a file that has arrived on the disk when it is reported: the share of each window in memory."""
    block = os.urandom(WINDOW)
    for _ in range(first):
        os.write(file, block)
    os.fsync(file)
    write_back = WriteBack(first * WINDOW)
    for number in range(first, WINDOWS):
        os.write(file, block)
        write_back.advance(file, (number + 1) * WINDOW)
        os.fsync(file)
    pages = in_memory(file, WINDOWS * WINDOW)
    each = WINDOW // mmap.PAGESIZE
    return [sum(pages[at : at + each]) / each for at in range(0, len(pages), each)]


def test_the_beginning_of_a_file_and_what_was_written_last_stay_in_memory(file: int) -> None:
    shares = written_windows(file)
    kept, dropped = KEPT // WINDOW, WINDOWS - UNDER_WAY // WINDOW
    # The median: the kernel may drop a window itself.
    assert median(shares[:kept]) > 0.9
    assert max(shares[kept:dropped]) < 0.1
    assert median(shares[dropped:]) > 0.9


def test_a_file_that_is_received_is_written_back(file: int, tmp_path: Path) -> None:
    """The fixture tells whether the disk can."""
    block, size = os.urandom(MAX_PAYLOAD_BYTES), WINDOWS * WINDOW
    with DestinationFolder(tmp_path / "out") as destination:
        partial = destination.open_partial("name", size, bytes(32), b"key")
        received = os.open(partial.path, os.O_RDWR)
        try:
            for _ in range(size // len(block)):
                partial.write(block)
                if partial.received % WINDOW == 0:
                    os.fsync(received)
            pages = in_memory(received, size)
        finally:
            os.close(received)
            partial.close()
    assert not any(pages[KEPT // mmap.PAGESIZE : (KEPT + WINDOW) // mmap.PAGESIZE])
    assert all(pages[: WINDOW // mmap.PAGESIZE])


def test_a_resumed_file_is_followed_from_its_position(file: int) -> None:
    shares = written_windows(file, first=WINDOWS - 8)
    assert max(shares[WINDOWS - 8 : WINDOWS - UNDER_WAY // WINDOW]) < 0.1


def test_a_closed_descriptor_is_ignored(tmp_path: Path) -> None:
    with (tmp_path / "file").open("wb") as opened:
        descriptor = opened.fileno()
    WriteBack().advance(descriptor, WINDOW)
    assert (tmp_path / "file").read_bytes() == b""
