"""Leave out variables of stack frames that hold a request, or the content of a request or a file."""

from __future__ import annotations

import re
from typing import Any, Final

_REQUEST_NAMES: Final = frozenset(
    {
        *("scope", "child_scope", "environ", "request", "headers", "raw_headers", "cookies", "client"),
        *("path", "raw_path", "path_params", "full_path", "query_string", "query_params", "url", "argv"),
        *("params", "args", "files", "message", "event"),
    }
)
"""Variables that hold a request or a part of one."""

_CONTENT_WORDS: Final = frozenset(
    {
        *("body", "payload", "data", "form", "json", "raw", "content", "contents", "multipart", "upload"),
        *("chunk", "chunks", "buffer", "blob", "bytes", "bodies", "payloads", "forms"),
    }
)
"""Words in the names of variables that hold content, such as ``request_body`` and ``rawData``."""

_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")


def without_content(value: Any) -> Any:
    """Return variables without those that hold a request or content, nested ones too.

    Example:
        >>> without_content({"request_body": "private", "attempt": 2, "job": {"payload": "private", "id": 7}})
        {'attempt': 2, 'job': {'id': 7}}
    """
    if isinstance(value, dict):
        return {name: without_content(part) for name, part in value.items() if not _holds_content(str(name))}
    return [without_content(part) for part in value] if isinstance(value, list) else value


def _holds_content(name: str) -> bool:
    bare = name.strip("'\"_")  # a key of a dictionary is its repr()
    if bare.lower() in _REQUEST_NAMES:
        return True
    return any(word.lower() in _CONTENT_WORDS for word in _WORD.findall(bare[:200]))
