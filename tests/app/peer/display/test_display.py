"""The output of a transfer, for scripts and for people."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.progress import Progress

from tallow.app.peer.display import figures_column
from tallow.app.peer.display.display import Display
from tallow.app.peer.display.figures_column import FiguresColumn
from tallow.app.peer.display.json_lines import JsonLines
from tallow.app.peer.display.terminal import Terminal
from tallow.app.peer.transfer.manifest import Manifest, ManifestEntry
from tallow.app.peer.transfer.progress import TransferProgress

LINK = "https://tallow.example/#abcdefgh234567ab.AAECAwQFBgcICQoLDA0ODw"


def shown_by(display: Display, capfd: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """What a display has written to standard output and error."""
    assert not display.end()
    return capfd.readouterr()


def test_events_are_one_json_object_per_line(capfd: pytest.CaptureFixture[str]) -> None:
    show = JsonLines()
    show("link", link=LINK, expires_in=60)
    show("file", name="two\nlines")
    first, second = shown_by(show, capfd)[0].splitlines()
    assert json.loads(first) == {"event": "link", "link": LINK, "expires_in": 60}
    assert json.loads(second) == {"event": "file", "name": "two\nlines"}


def test_only_the_link_goes_to_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    show = Terminal()
    show("link", link=LINK, expires_in=60)
    out, err = shown_by(show, capfd)
    # A server of an earlier test may still be writing its log to the same place.
    assert [line for line in out.splitlines() if not line.startswith("{")] == [LINK]
    assert "receiver only" in err
    assert "█" not in err  # no terminal, no QR code


def test_a_terminal_shows_a_qr_code(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    for qr_code in (True, False):
        show = Terminal(qr_code=qr_code)
        show("link", link=LINK, expires_in=60)
        assert ("█" in shown_by(show, capfd)[1]) == qr_code


def test_names_are_shown_without_control_characters(capfd: pytest.CaptureFixture[str]) -> None:
    show = Terminal(theme="plain")
    show("file", name="x", path="out/\x1b[2Jbad\u202egpj:smile:.exe")
    shown = shown_by(show, capfd)[1]
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert ":smile:" in shown  # not replaced by a picture


def test_waiting_for_several_receivers_is_shown_once_after_the_link(
    capfd: pytest.CaptureFixture[str],
) -> None:
    show = Terminal(theme="plain")
    for receiver in (2, 1):
        show("waiting", side="receiver", receiver=receiver)
    show("link", link=LINK, expires_in=60)
    show("waiting", side="receiver", receiver=1)
    given, waiting = shown_by(show, capfd)[1].splitlines()
    assert "Give this link" in given
    assert "Waiting for the receivers" in waiting


def test_files_that_are_not_kept_are_not_named(capfd: pytest.CaptureFixture[str]) -> None:
    """Those of a text, and those that are written to standard output."""
    show = Terminal(names_files=False)
    show("file", name="a", path="/tmp/of-the-command/a")
    progress = TransferProgress(show)
    progress.announce(Manifest((ManifestEntry("message.txt", 3, bytes(32)),), is_text=True))
    progress.file_complete("message.txt", Path("message.txt"))
    assert "Received" not in shown_by(show, capfd)[1]


def test_the_end_of_a_transfer_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    show = Terminal(theme="plain")
    show("finished", outcome="success", files=1, bytes=1234567, seconds=3725.0)
    show("finished", outcome="success", files=3, bytes=10, seconds=2.51)
    shown = shown_by(show, capfd)[1].splitlines()
    assert shown == [
        "Done: 1,234,567 bytes in 1:02 h, verified.",
        "Done: 3 files, 10 bytes in 2.5 s, verified.",
    ]


def test_progress_has_speed_and_remaining_time_at_a_bounded_rate() -> None:
    emitted: list[dict[str, object]] = []
    now = [100.0]
    progress = TransferProgress(
        lambda event, /, **details: emitted.append({"event": event, **details}), clock=lambda: now[0]
    )
    progress.announce(Manifest((ManifestEntry("a", 1_000_000, bytes(32)),)))
    progress.resume_at(200_000)
    progress.start()
    progress.set_file("a")
    for _ in range(80):
        now[0] += 0.01
        progress.add(10_000)
    events = [event for event in emitted if event["event"] == "progress"]
    assert len(events) <= 5
    assert events[-1]["bytes"] == events[-1]["total"] == 1_000_000
    assert events[-2]["bytes_per_second"] == pytest.approx(1_000_000, rel=0.05)
    assert events[-1]["remaining_seconds"] == 0
    assert progress.transferred_bytes == 800_000
    assert progress.seconds == pytest.approx(0.8)


def test_the_plain_theme_has_no_colour(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    show = Terminal(theme="plain")
    show("warning", message="careful")
    assert re.search(r"\x1b\[3\dm", shown_by(show, capfd)[1]) is None


@pytest.mark.parametrize(
    ("completed", "idle", "shown"), [(5, 4, "1.0 MB/s"), (5, 7, "no data for 7 s"), (10, 7, "1.0 MB/s")]
)
def test_a_transfer_that_stalls_has_no_speed(completed: int, idle: int, shown: str) -> None:
    now = [100.0]
    bar = Progress(FiguresColumn(), get_time=lambda: now[0], auto_refresh=False)
    bar.update(bar.add_task("", total=10, figures="1.0 MB/s", at=now[0]), completed=completed)
    now[0] += idle
    assert FiguresColumn().render(bar.tasks[0]).plain == shown


def test_the_bar_of_a_terminal_has_speed_and_remaining_time_until_it_stalls(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    report = {"bytes": 5, "total": 10, "name": "x", "bytes_per_second": 2_000_000, "remaining_seconds": 3.0}
    for limit, text in ((60.0, "2.0 MB/s 3.0 s left"), (0.0, "no data for 0 s")):
        monkeypatch.setattr(figures_column, "STALLED_S", limit)
        show = Terminal(theme="plain")
        show("progress", **report)
        assert text in shown_by(show, capfd)[1]
