"""Small files are read several at a time: handing each one to a thread takes longer than reading it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from tallow.app.files.errors import FileError
from tallow.app.files.small_files import MAX_SMALL_BYTES
from tallow.app.files.source_file import SourceFile

FILES: Final = 64
"""Small files that are read together: 4 MiB at most."""


def is_small(source: SourceFile) -> bool:
    """Whether a file is read as a whole, with others."""
    return source.size <= MAX_SMALL_BYTES


def grouped(files: Iterable[int], small: Callable[[int], bool]) -> Iterator[Sequence[int]]:
    """Group the numbers of files in their order: up to :data:`FILES` small ones, and each other file alone.

    >>> list(grouped(range(4), lambda file: file != 2))
    [[0, 1], [2], [3]]
    """
    group: list[int] = []
    for file in files:
        if group and (len(group) == FILES or not small(file)):
            yield group
            group = []
        if small(file):
            group.append(file)
        else:
            yield [file]
    if group:
        yield group


def read_whole(sources: Sequence[SourceFile]) -> tuple[Sequence[bytes], FileError | None]:
    """The contents of files before the first one that cannot be read, and its error. Blocks on the disk."""
    contents: list[bytes] = []
    for source in sources:
        try:
            contents.append(source.read(0, source.size))
        except FileError as error:
            return contents, error
        finally:
            source.close()
    return contents, None
