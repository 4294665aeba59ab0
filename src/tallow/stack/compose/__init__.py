"""The Compose file of the stack, generated from its definitions in Python."""

from __future__ import annotations

from pathlib import PurePosixPath

from tallow.stack.compose.document import compose_document
from tallow.stack.compose.health import http_client_files

__all__ = ["PATH", "compose_document", "files"]

PATH = PurePosixPath("monitoring/docker-compose.monitoring.yml")


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for Compose: content by repository path."""
    folder = PATH.parent
    return {PATH: compose_document(), **{folder / name: text for name, text in http_client_files().items()}}
