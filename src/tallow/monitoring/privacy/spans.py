"""Where private values stand in a text, and the text without them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Span(NamedTuple):
    """``text[start:end]`` is private, and of this kind."""

    start: int
    end: int
    kind: str


def merged(spans: list[Span]) -> list[Span]:
    """Spans in order, overlapping ones joined under the kind of the longest."""
    result: list[Span] = []
    for span in sorted(spans):
        if result and span.start < result[-1].end:
            last = result[-1]
            kind = span.kind if span.end - span.start > last.end - last.start else last.kind
            result[-1] = Span(last.start, max(last.end, span.end), kind)
        else:
            result.append(span)
    return result


def replaced(text: str, spans: list[Span], name: Callable[[str, str], str]) -> str:
    """The text with each span given over to ``name(kind, private)``."""
    pieces: list[str] = []
    position = 0
    for start, end, kind in spans:
        pieces += (text[position:start], name(kind, text[start:end]))
        position = end
    return "".join(pieces) + text[position:]
