"""Shows the events of a transfer to a person."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Final, TextIO, cast

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn
from rich.theme import Theme

from tallow.app.files.errors import printable
from tallow.app.peer.display.background_writer import LIMIT, BackgroundWriter, end_output, same_output
from tallow.app.peer.display.console_stream import ConsoleStream
from tallow.app.peer.display.figures_column import FiguresColumn
from tallow.app.peer.display.listing import format_listing

_WAITING_FOR_ALL: Final = "Waiting for the receivers … (Ctrl-C cancels)"
_THEMES: Final = {
    "light": Theme({"bar.complete": "dark_blue", "bar.finished": "dark_green", "note": "grey37"}),
    "dark": Theme({"bar.complete": "cyan", "bar.finished": "green", "note": "grey70"}),
    "auto": Theme({"bar.complete": "blue", "bar.finished": "green", "note": "dim"}),
    "plain": Theme({"note": "none"}),
}


_DROPPABLE: Final = {"progress", "file"}
"""Events that are not shown while the terminal does not keep up. The others are few."""


class Terminal:
    """Text and a progress bar on standard error; the link and received text on standard output.

    Never blocks: see :class:`BackgroundWriter`.

    Args:
        theme: auto, light, dark or plain.
        bell: ring the terminal's bell at the end.
        qr_code: show the link as a QR code on a terminal.
        asks: this side's person is asked to confirm.
        names_files: complete files are named with their paths.
        limit: bytes that may wait for a terminal that was stopped.
    """

    def __init__(
        self,
        *,
        theme: str = "auto",
        bell: bool = False,
        qr_code: bool = True,
        asks: bool = False,
        names_files: bool = True,
        limit: int = LIMIT,
    ) -> None:
        plain = theme == "plain"
        self._errors = BackgroundWriter(sys.stderr, limit)
        # One writer for one terminal: the link comes after its heading.
        self._out = self._errors if same_output() else BackgroundWriter(sys.stdout)
        self._stream = ConsoleStream(self._errors, sys.stderr)
        self._console = Console(
            file=cast("TextIO", self._stream),
            theme=_THEMES[theme],
            no_color=plain or None,
            highlight=False,
            soft_wrap=True,
            emoji=False,
        )
        self._theme = theme
        self._asks = asks
        self._names_files = names_files
        self._bell = bell
        self.shows_qr_code = qr_code and self._console.is_terminal
        self._bar: Progress | None = None
        self._tasks: dict[int | None, TaskID] = {}
        self._shows_link = self._shows_waiting = False

    def __call__(self, event: str, /, **details: Any) -> None:
        show = getattr(self, f"_on_{event}", None)
        if show is not None:
            self._stream.keeps = event not in _DROPPABLE
            show(details)
            self._stream.keeps = False

    def ask(self, question: str) -> None:
        """Show a question, or the end of its line."""
        self._errors.write(question.encode(self._stream.encoding, "backslashreplace"))

    def show_end(self, text: str, *, failed: bool) -> None:
        """Show how the transfer ended, if it did not succeed."""
        self._stream.keeps = True
        self._close_bar()
        self._console.print(f"tallow: {text}", style="red" if failed else None, markup=False)

    def wait_until_read(self) -> bool:
        """Wait until the reader of standard output has everything: True; False if it has gone. Blocks
        without a limit."""
        return self._out.flush()

    def end(self, limit: float | None = None) -> bool:
        """Wait for the readers as :func:`end_output` does. Returns whether standard output has failed."""
        self._stream.keeps = True
        self._close_bar()
        return end_output(self._out, self._errors, limit)

    def _close_bar(self) -> None:
        """Remove the progress bar, and say how much of it was not shown."""
        if self._bar is not None:
            bar, self._bar = self._bar, None
            self._tasks.clear()
            bar.stop()
        if self._stream.dropped:
            dropped, self._stream.dropped = self._stream.dropped, 0
            self._print(f"Lines not shown, because the terminal did not take them: {dropped:,}")

    def _on_text(self, details: Mapping[str, Any]) -> None:
        """A terminal gets no control characters."""
        self._close_bar()
        text = details["text"]
        visible = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in text)
        line = visible if visible.endswith("\n") else f"{visible}\n"
        self._out.write(line.encode(getattr(sys.stdout, "encoding", None) or "utf-8", "replace"))

    def _print(self, text: str) -> None:
        self._console.print(text, style="note", markup=False)

    def _on_link(self, details: Mapping[str, Any]) -> None:
        link = str(details["link"])
        self._print("Give this link to the receiver only:")
        self._out.write(f"{link}\n".encode())
        if self.shows_qr_code:
            # The compact form shows dark modules in the terminal's background colour: readable on dark ones
            # only.
            import segno  # loading it takes longer than any other part of the display

            code = segno.make(link, error="l", micro=False)
            code.terminal(out=cast("TextIO", self._stream), compact=self._theme != "light", border=2)
        self._shows_link = True
        if self._shows_waiting:
            self._print(_WAITING_FOR_ALL)

    def _on_waiting(self, details: Mapping[str, Any]) -> None:
        if "receiver" not in details:
            self._print(f"Waiting for the {details['side']} … (Ctrl-C cancels)")
        elif not self._shows_waiting:
            self._shows_waiting = True
            if self._shows_link:
                self._print(_WAITING_FOR_ALL)

    def _on_connected(self, details: Mapping[str, Any]) -> None:
        how = "directly" if details["method"] == "p2p" else "over a relay"
        self._print(f"{_receiver(details)}Connected {how}, encrypted end to end.")

    def _on_offer(self, details: Mapping[str, Any]) -> None:
        if "entries" in details:
            for line in format_listing(details["entries"], details["bytes"]):
                self._print(line)

    def _on_confirming(self, details: Mapping[str, Any]) -> None:
        if not self._asks:
            limit = _format_duration(details["seconds"])
            text = f"Waiting up to {limit} for the receiver to confirm … (Ctrl-C cancels)"
            self._print(_receiver(details) + text)

    def _start_bar(self, total: int, receiver: int | None) -> None:
        if self._console.is_terminal and self._bar is None:
            self._bar = Progress(
                TextColumn("{task.fields[name]}", markup=False),
                BarColumn(),
                DownloadColumn(),
                FiguresColumn(),
                console=self._console,
            )
            self._bar.start()
        if self._bar is not None and receiver not in self._tasks:
            self._tasks[receiver] = self._bar.add_task(
                "", total=total, name="", figures="", at=self._bar.get_time()
            )

    def _on_progress(self, details: Mapping[str, Any]) -> None:
        receiver = details.get("receiver")
        self._start_bar(details["total"], receiver)
        if self._bar is None:
            return
        speed, left = f"{details['bytes_per_second'] / 1e6:.1f} MB/s", details["remaining_seconds"]
        self._bar.update(
            self._tasks[receiver],
            completed=details["bytes"],
            name=_receiver(details) + printable(str(details["name"])[-40:]),
            figures=speed if left is None else f"{speed} {_format_duration(left)} left",
            at=self._bar.get_time(),
        )

    def _on_file(self, details: Mapping[str, Any]) -> None:
        if "path" in details and self._names_files:
            self._print(f"Received {printable(str(details['path']))}")

    def _on_interrupted(self, details: Mapping[str, Any]) -> None:
        text = f"Interrupted: {details['reason']}. Trying again in {details['retry_in']} s."
        self._print(_receiver(details) + text)

    def _on_receiver_finished(self, details: Mapping[str, Any]) -> None:
        text = "has received everything" if details["outcome"] == "success" else str(details["outcome"])
        reason = f": {details['message']}" if "message" in details else ""
        self._print(_receiver(details) + text + reason)

    def _on_warning(self, details: Mapping[str, Any]) -> None:
        self._console.print(f"Note: {details['message']}", style="yellow", markup=False)

    def _on_finished(self, details: Mapping[str, Any]) -> None:
        self._close_bar()
        if details["outcome"] == "success":
            many = f"{details['files']} files, " if details["files"] != 1 else ""
            took = _format_duration(details["seconds"])
            self._print(f"Done: {many}{details['bytes']:,} bytes in {took}, verified.")
        if self._bell:
            self._console.bell()


def _receiver(details: Mapping[str, Any]) -> str:
    """``Receiver 2: `` for an event of one of several transfers, else empty."""
    return f"Receiver {details['receiver']}: " if "receiver" in details else ""


def _format_duration(seconds: float) -> str:
    """``42 s``, ``3:05 min``, ``1:02 h``."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"
