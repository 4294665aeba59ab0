"""Large logs are rotated while programs write to them."""

from __future__ import annotations

import stat
from pathlib import Path

from tallow.stack.engines.logs.rotation import KEPT, rotate, rotate_all


def test_a_program_keeps_writing_to_its_rotated_log(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"before\n")
        rotate(log)
        writer.write(b"after\n")
    assert log.read_bytes() == b"after\n"
    assert (tmp_path / "x.log.1").read_bytes() == b"before\n"
    assert stat.S_IMODE((tmp_path / "x.log.1").stat().st_mode) == 0o600


def test_only_the_newest_rotated_files_are_kept(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    for number in range(KEPT + 3):
        log.write_text(str(number))
        rotate(log)
    kept = {path.name: path.read_text() for path in tmp_path.iterdir() if path.name != "x.log"}
    assert kept == {f"x.log.{age}": str(KEPT + 3 - age) for age in range(1, KEPT + 1)}


def test_only_large_logs_are_rotated(tmp_path: Path) -> None:
    (tmp_path / "small.log").write_text("x" * 10)
    (tmp_path / "large.log").write_text("x" * 11)
    (tmp_path / "mine.log").write_text("x" * 11)
    rotate_all(tmp_path, ["small", "large", "not-there-yet"], max_bytes=10)
    assert (tmp_path / "small.log").stat().st_size == 10
    assert (tmp_path / "large.log").stat().st_size == 0
    assert (tmp_path / "mine.log").stat().st_size == 11, "the operator's own file is not the stack's to empty"
