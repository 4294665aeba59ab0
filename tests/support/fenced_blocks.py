"""The shell blocks of a Markdown document, and why some of them are not run."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_BLOCK = re.compile(
    r"(?:^[ ]*<!-- not run: (?P<reason>.+?) -->\n)?^(?P<indent>[ ]*)```sh\n(?P<text>.*?)^[ ]*```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block of commands.

    Attributes:
        place: ``FILE:LINE``.
        reason: why it is not run, from the comment above it; empty if it is run.
    """

    place: str
    text: str
    reason: str = ""


def blocks(document: str) -> list[Block]:
    """The blocks of a document, given by its path in the repository."""
    content = (ROOT / document).read_text(encoding="utf-8")
    return [
        Block(
            f"{document}:{content.count(chr(10), 0, found.start('text')) + 1}",
            textwrap.dedent(found["text"]),
            found["reason"] or "",
        )
        for found in _BLOCK.finditer(content)
    ]
