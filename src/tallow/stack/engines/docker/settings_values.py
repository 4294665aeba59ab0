"""The settings of services in containers, which cannot read the files that the operator's settings name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tallow.monitoring.settings.errors import BadSettingError
from tallow.monitoring.settings.small_file import UnreadableFileError, read_small_file
from tallow.monitoring.settings.variable_source import MAX_SECRET_BYTES

_SUFFIX: Final = "_FILE"
_NO_SECRETS: Final = frozenset({"LOG_FILE", "TALLOW_LOG_FILE", "TALLOW_ENV_FILE"})
"""Variables that name a file which is not a secret."""


def inline_files(values: Mapping[str, str]) -> dict[str, str]:
    """Settings with the content of each file that ``NAME_FILE`` names as ``NAME``.

    Raises:
        BadSettingError: a file cannot be read; one line.
    """
    return dict(_inline(name, value) for name, value in values.items())


def _inline(name: str, value: str) -> tuple[str, str]:
    if not name.endswith(_SUFFIX) or name in _NO_SECRETS:
        return name, value
    try:
        return name.removesuffix(_SUFFIX), read_small_file(Path(value), MAX_SECRET_BYTES).strip()
    except FileNotFoundError:
        raise BadSettingError(
            f"{name} is {value!r}, which does not exist; accepted: the path of a file"
        ) from None
    except UnreadableFileError as error:
        raise BadSettingError(f"{name}: {error}") from None
