"""What reads like source code where a value could stand: ``req.headers.authorization``, ``get_token(``."""

from __future__ import annotations

import re
from typing import Final

_JOINED: Final = r"(?:\?\.|\.|::|->)"
_ROOTS: Final = (
    r"(?:req|request|self|this|settings|config|cfg|conf|ctx|context|os|env|process|app|user|session|data|params"
    r"|props|options|opts|args|event|payload|response|res|body|headers|cookies|state|input|form|values|var|local"
    r"|module|secrets|vars|steps|inputs|github|each|count|credentials|auth|client|Deno|Bun|import)"
)
_EXPRESSION: Final = re.compile(
    r"[ \t]{0,8}(?:\$\(|"
    r"(?:(?:await|new|yield) )?"
    rf"(?:[A-Za-z_$]{{3,60}}\d{{0,3}}(?=[(?])|[A-Za-z_$]{{1,60}}\d{{0,3}}(?={_JOINED}))"
    rf"(?:{_JOINED}[A-Za-z_$][\w$]{{0,60}}){{0,8}}!?(?:\(|\?\.)"
    rf"|[&$]?{_ROOTS}(?:{_JOINED}[A-Za-z_$]{{1,60}}){{1,8}}(?=[\s!?;:,)\]}}\[]|$))"
)


def is_expression(text: str, position: int) -> bool:
    """Whether an expression begins at a place: a call, or a usual object and names behind dots."""
    head = text[position : position + 64]
    if "(" not in head and "." not in head and ">" not in head and ":" not in head:
        return False
    return _EXPRESSION.match(text, position) is not None
