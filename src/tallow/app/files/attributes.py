"""What is kept of a file or folder besides its content: permission bits and modification time."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Final

PERMISSIONS: Final = 0o777
"""The bits that are kept. Set-user-ID, set-group-ID and sticky bits are not: they would give rights to the
sender's program."""
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
"""Modes of what is not complete yet: nobody else may read a file that is private at the sender."""
_BLOCK: Final = 512


@dataclass(frozen=True, slots=True)
class Attributes:
    """Attributes of a file or folder.

    Attributes:
        mode: permission bits.
        modified_ns: modification time in nanoseconds since the Unix epoch.
        sparse: whether the file has holes.

    Example:
        >>> Attributes(0o4755).mode == 0o755
        True
    """

    mode: int = 0o644
    modified_ns: int = 0
    sparse: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "mode", self.mode & PERMISSIONS)

    @classmethod
    def of(cls, found: os.stat_result) -> Attributes:
        """The attributes of an existing file or folder."""
        blocks = getattr(found, "st_blocks", None)
        sparse = blocks is not None and blocks * _BLOCK < found.st_size
        return cls(found.st_mode, found.st_mtime_ns, sparse)

    def apply(self, descriptor: int) -> None:
        """Set them on an open file or folder.

        Raises:
            OSError: the file system refuses.
        """
        os.fchmod(descriptor, self.mode)
        os.utime(descriptor, ns=(self.modified_ns, self.modified_ns))


PLAIN: Final = Attributes()
"""Attributes of a file about which nothing is known."""
