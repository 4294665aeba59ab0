"""The scrubber's corpus: texts and records with marked private parts, and harmless look-alikes.

A line is one sample. ``⟦…⟧`` encloses text that must be removed, ``«…»`` is a random value, ``⏎`` is a line
break. A line that begins with ``record`` is a JSON record; ``"⟦#…⟧"`` in it is a private number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from support.privacy.samples import Samples

FOLDER: Final = Path(__file__).parents[2] / "monitoring" / "privacy" / "corpus"
_VALUE: Final = re.compile(r"«([\w,]+)»")
_MARKED: Final = re.compile(r"⟦([^⟦⟧]*)⟧")
_PIECE: Final = re.compile(r"\w+")


@dataclass(frozen=True)
class Sample:
    """One text or record.

    Attributes:
        theme: the name of the file it is from.
        line: the line in that file.
        value: the scrubber's input.
        private: pieces that must not be in the output.
        kept: pieces that must be in the output.
    """

    theme: str
    line: str
    value: Any
    private: tuple[str, ...]
    kept: tuple[str, ...]

    def leaks(self, scrubbed: Any) -> list[str]:
        """Private pieces that the output still contains."""
        left = shown(scrubbed)
        rest = "\0".join(self.kept)
        return [piece for piece in self.private if piece in left and piece not in rest]

    def losses(self, scrubbed: Any) -> list[str]:
        """Harmless pieces that the output lacks."""
        left = shown(scrubbed)
        return [piece for piece in self.kept if piece not in left]


def shown(value: Any) -> str:
    """A value as it appears in a log."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)


def lines(group: str) -> Iterator[tuple[str, str]]:
    """The lines of ``private`` or ``harmless``, each with its theme."""
    for path in sorted((FOLDER / group).glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield path.stem, line


def samples(group: str, seed: int) -> list[Sample]:
    """All samples of a group with values generated from ``seed``."""
    source = Samples(seed)
    return [sample(theme, line, source) for theme, line in lines(group)]


def sample(theme: str, line: str, source: Samples) -> Sample:
    """The sample of one line, with values filled in."""
    marked = _VALUE.sub(lambda found: source.make(found[1]), line)
    private: list[str] = []
    if line.startswith("record "):
        record = json.loads(marked.removeprefix("record "))
        kept = tuple(piece for text in _texts(record) for piece in _kept(text, private))
        return Sample(theme, line, _filled(record), tuple(private), kept)
    marked = marked.replace("⏎", "\n")
    kept = tuple(_kept(marked, private))
    return Sample(theme, line, _MARKED.sub(r"\1", marked), tuple(private), kept)


def _kept(marked: str, private: list[str]) -> list[str]:
    """The pieces of a text outside the marks; those inside are appended to ``private``."""
    for part in _MARKED.findall(marked):
        pieces = [piece for piece in _PIECE.findall(part) if len(piece) >= 5]
        private += pieces or [part.removeprefix("#")]
    return [part.strip() for part in _MARKED.sub("\0", marked).split("\0") if len(part.strip()) > 1]


def _texts(record: Any) -> Iterator[str]:
    if isinstance(record, str):
        yield record
    elif isinstance(record, dict):
        for name, item in record.items():
            yield name
            yield from _texts(item)
    elif isinstance(record, list):
        for item in record:
            yield from _texts(item)


def _filled(record: Any) -> Any:
    if isinstance(record, str):
        if record.startswith("⟦#"):
            number = float(record[2:-1])
            return int(number) if "." not in record else number
        return _MARKED.sub(r"\1", record)
    if isinstance(record, dict):
        return {_filled(name): _filled(item) for name, item in record.items()}
    if isinstance(record, list):
        return [_filled(item) for item in record]
    return record
