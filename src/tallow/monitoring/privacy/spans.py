"""Where private values stand in a text, and the text without them."""

from __future__ import annotations

from collections.abc import Callable

Span = tuple[int, int, str]
"""Start, end and kind: ``text[start:end]`` is private. A plain tuple, because many are made."""


def merged(spans: list[Span]) -> list[Span]:
    """Spans in order, overlapping ones joined under the kind of the longest."""
    if len(spans) < 2:
        return spans
    result: list[Span] = []
    for start, end, kind in sorted(spans):
        if result and start < result[-1][1]:
            first, last, known = result[-1]
            result[-1] = (first, max(last, end), kind if end - start > last - first else known)
        else:
            result.append((start, end, kind))
    return result


def replaced(text: str, spans: list[Span], name: Callable[[str, str], str]) -> str:
    """The text with each span given over to ``name(kind, private)``."""
    pieces: list[str] = []
    position = 0
    for start, end, kind in spans:
        pieces += (text[position:start], name(kind, text[start:end]))
        position = end
    pieces.append(text[position:])
    return "".join(pieces)
