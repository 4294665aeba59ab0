"""``tallow silence add`` refuses what is likely a slip, before it asks anybody."""

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
    ("matchers", "said"),
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
def test_a_slip_is_refused(matchers: list[str], said: str) -> None:
    done = silence(*matchers)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {said}")
    assert len(done.output.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [["RestartLoop"], ["instance=web:3000"], ["category=performance"], ["service=tallow", "--everything"]],
)
def test_what_is_meant_goes_through(arguments: list[str]) -> None:
    done = silence(*arguments)
    assert done.output.startswith("Error: there is no stack in /nowhere")


@pytest.mark.parametrize(
    ("length", "said"),
    [
        ("soon", "'soon' is not a duration; give 30m, 2h, 1d, at most 30d"),
        ("0h", "'0h' is not a duration"),
        ("31d", "'31d' is not a duration"),
        ("99999999999999w", "is not a duration"),
    ],
)
def test_a_duration_that_makes_no_sense_is_refused(length: str, said: str) -> None:
    done = silence("RestartLoop", "--for", length)
    assert done.exit_code == 2
    assert said in done.output


def test_a_comment_says_why() -> None:
    assert "--comment must give a reason" in silence("RestartLoop", comment=" ").output


def test_nothing_to_match_is_an_error(tmp_path: Path) -> None:
    assert "Missing argument 'MATCHER...'" in silence().output


def test_a_user_without_a_name_may_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a container's user is, whom the system does not know."""

    def unknown(*_: object) -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr("getpass.getuser", unknown)
    assert silence("RestartLoop").output.startswith("Error: there is no stack in /nowhere")
