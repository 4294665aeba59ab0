"""Text of labels, annotations, mails and logs cannot control the terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from tallow.cli import main
from tallow.stack.clients.alertmanager import Alert, Silence
from tallow.stack.clients.matchers import Matcher
from tallow.stack.commands import query, silence
from tallow.stack.commands.options import command_error
from tallow.stack.commands.output.alerts import show_alerts
from tallow.stack.commands.output.terminal import printable, printable_json, printable_lines
from tallow.stack.engines.errors import StackError
from tallow.stack.engines.state.state_dir import StackOptions, StateDir

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOSTILE = [
    "\x1b[2J\x1b[H",
    "\x1b]0;title\x07",
    "\x1b]8;;http://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",
    "\x9b31m",
    "\x90q\x9c",
    "over\rwritten",
    "back\b\b\b\bspaced",
    "\x0b\x0c\x00\x7f",
    "\u202egnp.exe",
    "\u2066\u2069\u200e\u200f",
    "line\u2028separator\u2029",
    "\udc80surrogate",
    "\U000e0041tag",
    "[bold red]markup[/] [link=http://evil.example]x[/link]",
]


def is_harmless(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def run(home: StateDir, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--home", str(home.root)])
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def home(tmp_path: Path) -> StateDir:
    made = StateDir(tmp_path / "home")
    made.make()
    made.write_options(StackOptions())
    return made


@pytest.mark.parametrize("text", HOSTILE)
def test_printable_text_is_one_line(text: str) -> None:
    shown = printable(f"before{text}after")
    assert is_harmless(shown)
    assert "\n" not in shown
    assert shown.startswith("before")
    assert shown.endswith("after")


@pytest.mark.parametrize("text", HOSTILE)
def test_printable_json_has_the_same_meaning(text: str) -> None:
    line = json.dumps({"message": text}, ensure_ascii=False)
    shown = printable_json(line)
    assert is_harmless(shown)
    assert json.loads(shown) == json.loads(line)


def test_printable_lines_keep_line_breaks() -> None:
    assert printable_lines("one\r\n\ttwo\x1b[2J\nthree\rfour") == "one\n        two\\x1b[2J\nthree\\rfour"


@pytest.mark.parametrize("text", HOSTILE)
def test_mails_cannot_control_the_terminal(home: StateDir, text: str) -> None:
    new = home.data / "mailbox" / "new"
    new.mkdir(parents=True)
    raw = text.encode("utf-8", "surrogateescape" if "\udc80" in text else "strict")
    head = raw.replace(b"\r", b"").replace(b"\n", b"")
    (new / "1").write_bytes(
        b"From: a" + head + b"@b\nX-Tallow-Recipients: c" + head + b"\nSubject: s" + head
        + b"\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nbody " + raw + b"\n"
    )  # fmt: skip
    for arguments in (["inbox"], ["inbox", "1"], ["inbox", "--json"], ["inbox", "1", "--json"]):
        assert is_harmless(run(home, *arguments))


@pytest.mark.parametrize("text", HOSTILE)
def test_log_lines_cannot_control_the_terminal(home: StateDir, text: str) -> None:
    lines = [
        json.dumps({"timestamp": "2026-01-01T00:00:00Z", "level": "info", "message": text, "field": text}),
        json.dumps({"ts": "x", "level": text, "msg": text, text: text}, ensure_ascii=False),
        f"no JSON {text}",
    ]
    content = "\n".join(lines).encode("utf-8", "surrogatepass" if "\udc80" in text else "strict")
    (home.logs / "tallow.log").write_bytes(content + b"\n")
    for arguments in (["logs", "tallow"], ["logs", "tallow", "--json"]):
        shown = run(home, *arguments)
        assert shown
        assert is_harmless(shown)


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("width", [40, 200])
def test_alerts_cannot_control_the_terminal(text: str, width: int) -> None:
    labels = dict.fromkeys(("alertname", "severity", "job", "instance", "mountpoint", "metric"), text)
    annotations = {"summary": text, "runbook_url": text, "description": text}
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=False)
    for state in ("firing", "silenced", "inhibited"):
        show_alerts(
            console,
            [Alert(labels, annotations, state, NOW, ("default",), (text,))],
            has_watchdog=True,
        )
    assert is_harmless(out.getvalue())
    if text.startswith("["):
        assert "[bold red]" in out.getvalue().replace("\n", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_silences_and_query_results_cannot_control_the_terminal(text: str) -> None:
    matchers = (Matcher("instance", text),)
    assert is_harmless(silence._line(Silence("0" * 36, matchers, "active", NOW, NOW, text, text)))
    lines = query._lines("vector", [{"metric": {"__name__": text, text: text}, "value": [0, text]}])
    assert is_harmless("\n".join(map(printable_lines, lines)))


@pytest.mark.parametrize("text", HOSTILE)
def test_errors_cannot_control_the_terminal(text: str) -> None:
    error = command_error(StackError(f"prometheus answers 400: {text}"))
    assert isinstance(error, click.ClickException)
    assert is_harmless(error.format_message())


def test_the_inbox_as_json(home: StateDir) -> None:
    new = home.data / "mailbox" / "new"
    new.mkdir(parents=True)
    assert run(home, "inbox", "--json") == "[]\n"
    for number in (1, 2, 3):
        (new / str(number)).write_text(f"From: a@b\nTo: c@d\nSubject: message {number}\n\nHello.\n")
    found = json.loads(run(home, "inbox", "--json", "-n", "2"))
    assert [(mail["number"], mail["subject"]) for mail in found] == [(2, "message 2"), (3, "message 3")]
    (whole,) = [json.loads(run(home, "inbox", "1", "--json"))]
    assert datetime.fromisoformat(whole.pop("at")).tzinfo is not None
    assert whole == {
        "number": 1,
        "id": "1",
        "from": "a@b",
        "to": "c@d",
        "subject": "message 1",
        "text": "Hello.\n",
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: =?unknown?q?x?=\nContent-Type: text/plain; charset=nonsense\n\nHello.\n",
        b"Subject: =?utf-8?b?%%%?=\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n%%%\n",
        b"From: <<<>>\nTo: ,,,:;\nContent-Type: multipart/mixed; boundary=x\n\n--x\n",
        b"Content-Type: image/png\n\nx",
        b"Subject: \xe4\xf6\n\n\xe4\xf6\n",
    ],
)
def test_an_unparsable_mail_hides_no_other(home: StateDir, content: bytes) -> None:
    new = home.data / "mailbox" / "new"
    new.mkdir(parents=True)
    (new / "1").write_bytes(content)
    (new / "2").write_text("From: a@b\nTo: c@d\nSubject: message 2\n\nHello.\n")
    assert "message 2" in run(home, "inbox")
    assert is_harmless(run(home, "inbox", "1"))
    assert len(json.loads(run(home, "inbox", "--json"))) == 2
