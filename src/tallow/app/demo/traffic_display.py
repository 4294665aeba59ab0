"""Shows the transfers of the demo traffic on standard output, without holding them up."""

from __future__ import annotations

import sys
import time
from typing import Any

from tallow.app.demo.traffic import TrafficSummary
from tallow.app.demo.transfer import TransferResult
from tallow.app.peer.display.background_writer import BackgroundWriter, LineWriter, end_output, same_output
from tallow.app.peer.display.json_lines import encode_event


class TrafficDisplay:
    """One line for each transfer and for the summary, as text or JSON.

    Transfers are dropped, and counted, while the reader does not keep up. No method but :meth:`end` blocks.
    """

    def __init__(self, *, json_output: bool) -> None:
        self._json = json_output
        self._lines = LineWriter(sys.stdout, self._dropped)
        self._errors = self._lines.output if same_output() else BackgroundWriter(sys.stderr)

    def show_result(self, result: TransferResult) -> None:
        """Show a transfer."""
        line = encode_event("transfer", _details(result)) if self._json else _text(result).encode()
        self._lines.write(line, droppable=True)

    def show_summary(self, summary: TrafficSummary) -> None:
        """Show the summary, which is never dropped."""
        self._lines.write(encode_event("summary", summary.as_dict()) if self._json else summary.line.encode())

    def show_note(self, text: str) -> None:
        """Show a note on standard error."""
        self._errors.write(f"Note: {text}\n".encode())

    def end(self, limit: float | None) -> bool:
        """Wait for the reader as :func:`end_output` does. Returns whether standard output has failed."""
        return end_output(self._lines.output, self._errors, limit)

    def _dropped(self, transfers: int) -> bytes:
        if self._json:
            return encode_event("dropped", {"events": transfers})
        return f"{transfers:,} transfers are not shown: the output was not read".encode()


def _text(result: TransferResult) -> str:
    scenario = result.plan.scenario.replace("_", " ")
    reason = f" ({result.error})" if result.error else ""
    return (
        f"{time.strftime('%H:%M:%S')} {result.outcome:9} {result.method:5} "
        f"{result.size / 1e6:9,.2f} MB {result.seconds:7.2f} s  {scenario}{reason}"
    )


def _details(result: TransferResult) -> dict[str, Any]:
    return {
        "kind": result.plan.scenario,
        "outcome": result.outcome,
        "as_meant": result.as_expected,
        "method": result.method,
        "bytes": result.size,
        "seconds": round(result.seconds, 3),
        "error": result.error,
    }
