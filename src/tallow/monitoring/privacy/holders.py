"""What holds the place of a value: ``<redacted>``, ``***``, ``$TOKEN``, ``YOUR_KEY``."""

from __future__ import annotations

import re
from typing import Final

_HOLDER: Final = re.compile(
    r"\[[a-z_]+(?::[0-9a-f]+)?\]?|\*+|[xX•]{3,}|\.{2,}|…|<[^<>]{0,60}>?|\$\{\{?[^}]*\}{0,2}|\$\w+"
    r"|\{\{?[\w.\- ]*\}{0,2}|%\(?\w*\)?[sdr]|:[a-z_]+|\?+|\[(?:REDACTED|Filtered|FILTERED|MASKED|redacted)\]?"
    r"|-+|@\w*|\(null\)|\*+\w{2,4}|[A-Z]+(?:_[A-Z]+)+|(?:your|my)[-_ ][\w -]+"
    r"|\$\((?!echo|printf)[^()]{1,200}\)"  # what a shell puts there
    r"|process\.env\.\w+|os\.environ\S*"
    r"|(?:Optional|Union|list|dict|List|Dict|type)\[.*|\w+(?:\.\w+)*\([\w, .]*\)|/(?:run|etc|var)/\S*",
    re.DOTALL,
)
_HOLDING: Final = {"xx", "yo", "my", "pr", "os", "op", "un", "li", "di", "ty"}


def is_holder(text: str) -> bool:
    """Whether a text holds the place of a value: ``<redacted>``, ``***``, ``$TOKEN``, ``YOUR_KEY``."""
    if text[0].isalnum() and text[-1] not in ")]" and text[:2].lower() not in _HOLDING and not text.isupper():
        return False
    return _HOLDER.fullmatch(text) is not None
