"""The spool removes its own unfinished files and no other hidden file."""

from __future__ import annotations

import os
from pathlib import Path

from tallow.monitoring.shipping.batch import Batch
from tallow.monitoring.shipping.spool import Spool


def test_only_unfinished_files_of_the_spool_are_removed(tmp_path: Path) -> None:
    own = tmp_path / f".{1:020}-3-{'ab' * 16}.jsonl"
    foreign = tmp_path / ".history.jsonl"
    for path in (own, foreign):
        path.touch()
        os.utime(path, (0, 0))
    assert Spool(tmp_path, 1_000_000, lambda _: None).put(Batch([b"a line\n"], "cd" * 16))
    assert not own.exists()
    assert foreign.exists()
