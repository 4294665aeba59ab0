"""The state on disk."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tallow.stack.heartbeat.state import FILE, HeartbeatState


def test_state_is_read_as_written(tmp_path: Path) -> None:
    record = HeartbeatState("missing", 2.0, 1.0, "silence", ("email",))
    record.write(tmp_path)
    assert HeartbeatState.read(tmp_path) == record
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"untold": [], "of another version": 1}'])
def test_unreadable_state_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert HeartbeatState.read(tmp_path) is None


def test_state_of_an_earlier_release_is_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(
        '{"state": "missing", "since": 2.0, "last_beat": 1.0, "reason": "silence", "untold": ["email"]}'
    )
    assert HeartbeatState.read(tmp_path) == HeartbeatState("missing", 2.0, 1.0, "silence", ("email",))


def test_missing_state_is_none(tmp_path: Path) -> None:
    assert HeartbeatState.read(tmp_path) is None
