"""Random ids that are made in blocks."""

from __future__ import annotations

import multiprocessing
import re
import threading
from multiprocessing.connection import Connection

from tallow.monitoring import correlation
from tallow.monitoring.random_ids import IDS_AT_ONCE, RandomIds

COUNT = 3 * IDS_AT_ONCE


def test_ids_are_hexadecimal_and_different_across_blocks() -> None:
    ids = RandomIds()
    found = [ids.next() for _ in range(COUNT)]
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in found)
    assert len(set(found)) == COUNT


def test_threads_get_different_ids() -> None:
    ids, found = RandomIds(), list[str]()
    threads = [
        threading.Thread(target=lambda: found.extend([ids.next() for _ in range(COUNT)])) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == len(found) == 8 * COUNT


def _send_ids(connection: Connection) -> None:
    connection.send([correlation.new_id() for _ in range(COUNT)])


def test_forked_processes_get_different_ids() -> None:
    correlation.new_id()  # a block is waiting
    fork = multiprocessing.get_context("fork")
    found: list[str] = []
    for _ in range(2):
        here, there = fork.Pipe(duplex=False)
        child = fork.Process(target=_send_ids, args=(there,))
        child.start()
        found += here.recv()
        child.join()
    found += [correlation.new_id() for _ in range(COUNT)]
    assert len(set(found)) == len(found) == 3 * COUNT
