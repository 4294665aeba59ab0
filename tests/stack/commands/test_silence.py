"""``tallow silence add`` rejects likely mistakes before it sends a request."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tallow.cli import main


def silence(*arguments: str, comment: str = "why") -> Result:
    return CliRunner().invoke(
        main, ["silence", "add", *arguments, "--comment", comment, "--home", "/nowhere"]
    )


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        (["service=tallow"], "this would silence every alert; name one, or give --everything"),
        (["severity=~.*"], "this would silence every alert"),
        (["instance=~.+"], "this would silence every alert"),
        (["alertname!=Watchdog"], "this would silence every alert"),
        (["instance!=web:3000"], "this would silence every alert"),
        (["Watchdog"], "this would silence Watchdog, and the heartbeat checker would notify"),
        (["category=monitoring"], "this would silence Watchdog"),
        (["alertname=ServiceDwon"], "no alert has these labels: nothing would be silenced"),
    ],
)
def test_likely_mistakes_are_rejected(matchers: list[str], expected: str) -> None:
    done = silence(*matchers)
    assert done.exit_code == 1
    # Another test of this process may have left an object whose finalizer writes a log record now.
    [line] = [line for line in done.output.splitlines() if not line.startswith("{")]
    assert line.startswith(f"Error: {expected}")


@pytest.mark.parametrize(
    "arguments",
    [["RestartLoop"], ["instance=web:3000"], ["category=performance"], ["service=tallow", "--everything"]],
)
def test_specific_silences_are_accepted(arguments: list[str]) -> None:
    done = silence(*arguments)
    assert done.output.startswith("Error: there is no stack in /nowhere")


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("soon", "'soon' is not a duration; give 30m, 2h, 1d, at most 30d"),
        ("0h", "'0h' is not a duration"),
        ("31d", "'31d' is not a duration"),
        ("99999999999999w", "is not a duration"),
    ],
)
def test_invalid_durations_are_rejected(length: str, expected: str) -> None:
    done = silence("RestartLoop", "--for", length)
    assert done.exit_code == 2
    assert expected in done.output


def test_a_blank_comment_is_rejected() -> None:
    assert "--comment must give a reason" in silence("RestartLoop", comment=" ").output


def test_matchers_are_required(tmp_path: Path) -> None:
    assert "Missing argument 'MATCHER...'" in silence().output


def test_a_user_without_a_name_can_add_a_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the user of a container that has no entry in the password database."""

    def unknown(*_: object) -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert silence("RestartLoop").output.startswith("Error: there is no stack in /nowhere")
