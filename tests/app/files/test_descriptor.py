"""A descriptor that is closed while a thread uses it: the thread never reaches another file."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.process_usage import open_descriptors
from support.transfers.source_files import collect_files
from tallow.app.files.descriptor import Descriptor
from tallow.app.files.destination import DestinationFolder
from tallow.app.files.errors import FileError, StoppedError

DATA = b"received bytes"
SHA256 = hashlib.sha256(DATA).digest()


@contextmanager
def stalled(monkeypatch: pytest.MonkeyPatch, call: str, work: Callable[[], object]) -> Iterator[list[object]]:
    """Run ``work`` in a thread whose system call stalls until the end of the block, as on a slow disk.

    Yields the list that gets its result or exception.
    """
    entered, go_on, results = threading.Event(), threading.Event(), list[object]()
    real = getattr(os, call)

    def slow(*arguments: object) -> object:
        if threading.current_thread() is thread:
            entered.set()
            go_on.wait()
        return real(*arguments)

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    thread = threading.Thread(target=run)
    monkeypatch.setattr(os, call, slow)
    thread.start()
    entered.wait()
    try:
        yield results
    finally:
        go_on.set()
        thread.join()


def test_it_is_closed_after_its_last_use() -> None:
    before = open_descriptors()
    descriptor = Descriptor(os.open("/dev/null", os.O_RDONLY))
    with descriptor.use() as outer, descriptor.use() as inner:
        descriptor.close()
        descriptor.close()
        assert os.read(outer, 1) == os.read(inner, 1) == b""
    assert open_descriptors() == before
    with pytest.raises(OSError, match="Bad file descriptor"), descriptor.use():
        pass


def test_without_a_number_it_is_closed() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"), Descriptor().use():
        pass


def test_a_receiver_that_stops_during_a_write_keeps_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = open_descriptors()
    with DestinationFolder(tmp_path / "in") as destination:
        partial = destination.open_partial("x", len(DATA), SHA256, b"key")
        with stalled(monkeypatch, "write", lambda: partial.write(DATA)) as results:
            partial.close()
            # Would get the number of the closed file, and its bytes.
            others = [(tmp_path / str(number)).open("wb") for number in range(8)]
        for other in others:
            other.close()
        assert results == [None]
        assert [(tmp_path / str(number)).read_bytes() for number in range(8)] == [b""] * 8
        assert partial.path.read_bytes() == DATA
        with pytest.raises(FileError, match=r"^cannot write x: the file was closed$"):
            partial.write(b"")
    assert open_descriptors() == before


def test_a_source_that_is_closed_during_a_read_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x").write_bytes(DATA)
    before = open_descriptors()
    [source] = collect_files([tmp_path / "x"])
    with stalled(monkeypatch, "pread", lambda: source.read(0, 100)) as results:
        source.close()
    assert results == [DATA]
    assert open_descriptors() == before


def test_hashing_a_kept_file_can_be_stopped_and_keeps_it(tmp_path: Path) -> None:
    with DestinationFolder(tmp_path) as destination:
        partial = destination.open_partial("x", len(DATA), SHA256, b"key")
        partial.write(DATA)
        partial.close()
        before = open_descriptors()
        with pytest.raises(StoppedError):
            destination.open_partial("x", len(DATA), SHA256, b"key", lambda: True)
        assert open_descriptors() == before
        assert destination.open_partial("x", len(DATA), SHA256, b"key").finish().read_bytes() == DATA
