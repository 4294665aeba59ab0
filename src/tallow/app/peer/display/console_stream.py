"""Standard error as a text stream for libraries, which never blocks them."""

from __future__ import annotations

from typing import TextIO

from tallow.app.peer.display.background_writer import BackgroundWriter


class ConsoleStream:
    """A text stream with the methods that Rich and segno use.

    Args:
        output: writes it.
        stream: the stream whose encoding and terminal it has; None: it is closed.

    Attributes:
        keeps: write everything, also while the reader does not keep up.
        dropped: writes that were dropped.
    """

    def __init__(self, output: BackgroundWriter, stream: TextIO | None) -> None:
        self._output = output
        self._is_terminal = stream is not None and stream.isatty()
        self.encoding = getattr(stream, "encoding", None) or "utf-8"
        self.keeps = False
        self.dropped = 0

    def write(self, text: str) -> int:
        """Have a text written."""
        if self._output.is_full and not self.keeps:
            self.dropped += 1
        else:
            self._output.write(text.encode(self.encoding, "backslashreplace"))
        return len(text)

    def flush(self) -> None:
        """Does nothing: the thread writes at once."""

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._is_terminal
