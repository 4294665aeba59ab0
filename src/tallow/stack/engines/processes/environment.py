"""The environment variables that a child process inherits."""

from __future__ import annotations

import os
from collections.abc import Collection
from typing import Final

_CERTIFICATES: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")
BASE_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", *_CERTIFICATES)
"""What every program needs. Settings and secrets of the operator are not among them."""
_PROXIES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
PROXY_VARIABLES: Final = (*_PROXIES, *(name.lower() for name in _PROXIES))
NETWORK_VARIABLES: Final = (*PROXY_VARIABLES, *_CERTIFICATES)
"""What decides how a program reaches other machines, and which certificates it trusts."""


def inherited_environment(names: Collection[str] = BASE_VARIABLES) -> dict[str, str]:
    """The named environment variables of this process, as far as they are set."""
    return {name: value for name, value in os.environ.items() if name in names}
