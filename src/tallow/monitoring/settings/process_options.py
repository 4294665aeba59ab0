"""How the settings of this process are read, and what its telemetry is named after.

The first open :class:`~tallow.monitoring.Monitoring` that has options decides for the parts that exist once a
process: logging, scrubber, Sentry and analytics. This module loads nothing heavy.
"""

from __future__ import annotations

import re
import threading
import weakref
from collections.abc import Callable
from typing import Final, NamedTuple

PREFIX: Final = "TALLOW_"
"""Prefix of the library's variables, unless an application chooses another."""
DEFAULT_SERVICE: Final = "app"
UNKNOWN_VERSION: Final = "unknown"

_PREFIX: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_SERVICE: Final = re.compile(r"[\w.-]{1,64}")
_VERSION: Final = re.compile(r"(?!\.{1,2}$)[^\s/\\]{1,100}")


class ProcessOptions(NamedTuple):
    """Options of an application that apply to the process.

    Attributes:
        env_prefix: prefix of the variables that are read first.
        service: the application's name; it takes precedence over ``SERVICE_NAME``.
        version: the application's version; it takes precedence over ``RELEASE``.
    """

    env_prefix: str = PREFIX
    service: str | None = None
    version: str | None = None


def check_options(options: ProcessOptions) -> ProcessOptions:
    """Return valid options.

    Raises:
        ValueError: one line with the argument and what is accepted.
    """
    for name, value, pattern, accepted in (
        ("env_prefix", options.env_prefix, _PREFIX, "letters, digits and _, first a letter, such as SHOP_"),
        ("service", options.service, _SERVICE, "1 to 64 letters, digits, . _ -"),
        ("version", options.version, _VERSION, "1 to 100 characters without space or slash"),
    ):
        if value is not None and not (isinstance(value, str) and pattern.fullmatch(value)):
            raise ValueError(f"{name} is {value!r}; accepted: {accepted}")
    return options._replace(env_prefix=options.env_prefix.upper())


_claims: Final[weakref.WeakKeyDictionary[object, ProcessOptions]] = weakref.WeakKeyDictionary()
_changed: Final[list[Callable[[], object]]] = []
_fallback: Final[dict[str, str]] = {}
_lock: Final = threading.RLock()


def on_change(listener: Callable[[], object]) -> None:
    """Call ``listener`` whenever the options of the process change."""
    _changed.append(listener)


def claim(owner: object, options: ProcessOptions) -> bool:
    """Let an application decide for the process until :func:`release`, or until it is dropped.

    Returns:
        Whether its options are those of the process. They are not while an earlier application is open.
    """
    with _lock:
        before = current_options()
        _claims[owner] = options
        _notify(before)
        return current_options() == options


def release(owner: object) -> None:
    """End the claim of an application. An owner without a claim is ignored."""
    with _lock:
        before = current_options()
        _claims.pop(owner, None)
        _notify(before)


def current_options() -> ProcessOptions:
    """Return the options of the process."""
    with _lock:
        return next(iter(_claims.values()), ProcessOptions())


def set_program(service: str, version: str) -> None:
    """Name the telemetry of this process after a program, if neither a setting nor an application does."""
    if _fallback != {"service": service, "version": version}:
        _fallback.update(service=service, version=version)
        for listener in _changed:
            listener()


def service_name(setting: str | None, options: ProcessOptions | None = None) -> str:
    """Return the name of the service.

    Args:
        setting: the setting ``SERVICE_NAME``.
        options: of an application; by default of the process.
    """
    chosen = options or current_options()
    return chosen.service or setting or _fallback.get("service") or DEFAULT_SERVICE


def service_version(setting: str | None = None, options: ProcessOptions | None = None) -> str | None:
    """Return the version of the service; None if it is unknown.

    Args:
        setting: the setting ``RELEASE``.
        options: of an application; by default of the process.
    """
    chosen = options or current_options()
    return chosen.version or setting or _fallback.get("version")


def service_release(name: str | None, release: str | None) -> str:
    """Return the release for an error tracker, ``NAME@VERSION``; empty if the version is unknown.

    Args:
        name: the setting ``SERVICE_NAME``.
        release: the setting ``RELEASE``, which is used unchanged.
    """
    version = service_version(release)
    if version is None or "@" in version or (version == release and not current_options().version):
        return version or ""
    return f"{service_name(name)}@{version}"


def reset() -> None:
    """Forget all applications and the program. For tests."""
    with _lock:
        before = current_options()
        _claims.clear()
        _fallback.clear()
        _notify(before)


def _notify(before: ProcessOptions) -> None:
    if current_options() != before:
        for listener in _changed:
            listener()
