"""E-mail addresses (RFC 5321, RFC 6531)."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from tallow.monitoring.privacy.spans import Span
from tallow.monitoring.privacy.words import words

_LOCAL: Final = re.compile(r"[\w.!#$&'*+^`{|}~-]{1,64}")
_DOMAIN: Final = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[^\W_][\w-]{1,58}|[^\W\d_]{2,24})(?![^\W_]|-[^\W_])"
)
_LITERAL: Final = re.compile(r"\[(?:IPv6:)?[\dA-Fa-f:.]{3,45}\]")
_NO_DOMAIN: Final = words(
    "service socket timer target mount slice scope device png jpg jpeg svg webp gif prod staging local js ts"
)
_ALGORITHMS: Final = words(
    "openssh.com libssh.org ssh.com lysator.liu.se tinyssh.org openssh.org putty.org cert.org"
)
"""Domains after which SSH's algorithms and extensions are called (RFC 4251, 6)."""
_EXTENSIONS: Final = words("zlib eow keepalive hostkeys tun ping statvfs fstatvfs fsync lsetstat hardlink")
_LEADING: Final = "'`{|&*#.!"


def emails(text: str, taken: Collection[int] = ()) -> Iterator[Span]:
    """Addresses around each ``@``. Looks 64 characters back from it, so time is linear.

    Args:
        text: to be searched.
        taken: places of ``@`` that end the credentials of a URL.
    """
    at = text.find("@")
    while at >= 0:
        found = None if at in taken else _around(text, at)
        if found:
            yield found
        at = text.find("@", max(at + 1, found[1] if found else 0))


def _around(text: str, at: int) -> Span | None:
    domain = _DOMAIN.match(text, at + 1, at + 256) or _LITERAL.match(text, at + 1)
    if domain is None:
        return None
    quoted = text[at - 1 : at] == '"'
    local = (
        None
        if quoted
        else _LOCAL.match(text[at - 1 : at - 65 : -1] if at > 65 else text[at - 1 :: -1] if at else "")
    )
    if not (quoted or local) or not (domain[0][0] == "[" or _is_domain(domain[0])):
        return None
    start = at - len(local[0]) if local else max(text.rfind('"', 0, at - 1), at - 66, 0)
    while start < at - 1 and text[start] in _LEADING:
        start += 1
    if text[start:at] in {"git", "hg"} and text[domain.end() : domain.end() + 1] in ":/":
        return None
    if domain[0] in _ALGORITHMS and _is_algorithm(text[start:at]):
        return None
    return start, domain.end(), "email"


def _is_algorithm(local: str) -> bool:
    name = local.rpartition(",")[2]
    return "-" in name or any(map(str.isdigit, name)) or name in _EXTENSIONS


def _is_domain(domain: str) -> bool:
    labels, _, top = domain.rpartition(".")
    return top.lower() not in _NO_DOMAIN and any(map(str.isalpha, labels))
