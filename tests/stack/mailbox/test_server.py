"""The mailbox receives mail over SMTP and stores it."""

from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from click.testing import CliRunner

from tallow.stack.commands.inbox import command
from tallow.stack.engines.state.state_dir import StackOptions, StateDir
from tallow.stack.mailbox import server
from tallow.stack.mailbox.reader import read_messages
from tallow.stack.prometheus import USER


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
    return port


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[int]:
    """Run the mailbox on a free port; yields when it answers."""
    port = free_port()
    task = asyncio.create_task(server.serve(folder, password_file(folder.parent), "127.0.0.1", port))
    try:
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                break
            await asyncio.sleep(0.01)
        yield port
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


PASSWORD = "a password of this test"


def password_file(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "password"
    path.write_text(f"{PASSWORD}\n")
    return path


def send(port: int, subject: str, text: str = "The scrape fails.") -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "tallow@localhost", "operator@localhost", subject
    message.set_content(text)
    message.add_alternative(f"<p>{text}</p>", subtype="html")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.login(USER, PASSWORD)
        client.send_message(message)


async def test_messages_are_kept_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path / "mail") as port:
        await asyncio.to_thread(send, port, "[CRITICAL] Tallow is down")
        await asyncio.to_thread(send, port, "[RESOLVED] Tälløw is down", "Over.")
    first, second = read_messages(tmp_path / "mail")
    assert (first.number, first.subject) == (1, "[CRITICAL] Tallow is down")
    assert (second.subject, second.text.strip()) == ("[RESOLVED] Tälløw is down", "Over.")
    assert second.recipients == "operator@localhost"


async def test_mail_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    async with serving(tmp_path / "mail") as port:
        await asyncio.to_thread(send, port, "private")
    assert stat.S_IMODE((tmp_path / "mail").stat().st_mode) == 0o700


async def test_mail_requires_the_password(tmp_path: Path) -> None:
    def attempt(port: int, user: str, password: str | None) -> int:
        with smtplib.SMTP("127.0.0.1", port) as client:
            client.ehlo()
            if password is not None:
                with contextlib.suppress(smtplib.SMTPAuthenticationError):
                    client.login(user, password)
            return client.mail("other@localhost")[0]

    async with serving(tmp_path / "mail") as port:
        assert await asyncio.to_thread(attempt, port, USER, None) == 530
        assert await asyncio.to_thread(attempt, port, USER, "another password") == 530
        assert await asyncio.to_thread(attempt, port, USER, "") == 530
        assert await asyncio.to_thread(attempt, port, "root", PASSWORD) == 530
        assert await asyncio.to_thread(attempt, port, USER, PASSWORD) == 250
        (tmp_path / "password").write_text("a rotated password")
        assert await asyncio.to_thread(attempt, port, USER, PASSWORD) == 530
        assert await asyncio.to_thread(attempt, port, USER, "a rotated password") == 250
        for content in ("", " \n"):
            (tmp_path / "password").write_text(content)
            assert await asyncio.to_thread(attempt, port, USER, content) == 530
        (tmp_path / "password").unlink()
        assert await asyncio.to_thread(attempt, port, USER, "") == 530
    assert read_messages(tmp_path / "mail") == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "expected"),
    [(None, "No such file or directory"), (b"", "is empty"), (b"\xff", "is not text")],
)
@pytest.mark.parametrize("module", ["tallow.stack.mailbox.server", "tallow.stack.heartbeat"])
def test_unusable_password_file_is_one_line(
    tmp_path: Path, module: str, content: bytes | None, expected: str
) -> None:
    path = tmp_path / "password"
    if content is not None:
        path.write_bytes(content)
    command = [sys.executable, "-m", module, "--port=0", f"--folder={tmp_path}", f"--password-file={path}"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert line.startswith(str(path))
    assert expected in line


async def test_a_message_too_long_is_refused(tmp_path: Path) -> None:
    async with serving(tmp_path / "mail") as port:
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            await asyncio.to_thread(send, port, "long", "x" * 76 * 20_000)
        assert refused.value.smtp_code in {452, 552}
    assert read_messages(tmp_path / "mail") == []


async def test_oldest_messages_are_deleted_above_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MAX_MESSAGES", 10)
    async with serving(tmp_path / "mail") as port:
        for number in range(12):
            await asyncio.to_thread(send, port, f"message {number}")
    subjects = [mail.subject for mail in read_messages(tmp_path / "mail")]
    assert subjects == [f"message {number}" for number in range(2, 12)]


async def test_inbox_lists_and_shows_messages(tmp_path: Path) -> None:
    home = StateDir(tmp_path)
    home.make()
    home.write_options(StackOptions())
    async with serving(home.data / "mailbox") as port:
        await asyncio.to_thread(send, port, "[CRITICAL] Tallow is down")
    listed = CliRunner().invoke(command, ["--home", str(tmp_path)])
    assert "   1  " in listed.output
    assert "[CRITICAL] Tallow is down" in listed.output
    shown = CliRunner().invoke(command, ["1", "--home", str(tmp_path)])
    assert "The scrape fails." in shown.output
    missing = CliRunner().invoke(command, ["7", "--home", str(tmp_path)])
    assert missing.stderr.endswith("Error: there is no message 7; there are 1\n")
