"""What is kept of a file or folder besides its content: permission bits and modification time."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

PERMISSIONS: Final = 0o777
"""The bits that are kept. Set-user-ID, set-group-ID and sticky bits are not: they would give rights to the
sender's program."""
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700
"""Modes of what is not complete yet: nobody else may read a file that is private at the sender."""
_BLOCK: Final = 512
NOT_SUPPORTED: Final = frozenset(
    {errno.EPERM, errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EOVERFLOW}
)
"""Errors of a file system that has no permissions, no such times or no symbolic links."""


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

    def apply(self, descriptor: int) -> bool:
        """Set them on an open file or folder.

        Returns:
            False if the file system cannot keep all of them, as FAT cannot.

        Raises:
            OSError: the disk failed.
        """
        times = self.modified_ns, self.modified_ns
        kept = [
            _is_kept(lambda: os.fchmod(descriptor, self.mode)),
            _is_kept(lambda: os.utime(descriptor, ns=times)),
        ]
        return all(kept)


def _is_kept(setting: Callable[[], None]) -> bool:
    try:
        setting()
    except OverflowError:
        return False
    except OSError as error:
        if error.errno not in NOT_SUPPORTED:
            raise
        return False
    return True


PLAIN: Final = Attributes()
"""Attributes of a file about which nothing is known."""
