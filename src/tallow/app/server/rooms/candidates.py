"""The strategies of the ICE candidates in a signaling message, for usage statistics. No address is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

STRATEGIES: Final = ("host", "stun", "turn")
"""From the nearest candidate to the farthest: in the own network, behind NAT, on a TURN server."""

_STRATEGY_OF_TYPE: Final = {"host": "host", "srflx": "stun", "prflx": "stun", "relay": "turn"}
_CANDIDATE_TYPE: Final = re.compile(r"\btyp (host|srflx|prflx|relay)\b")
"""RFC 8839, section 5.1: the type of a candidate."""


def candidate_strategies(data: Mapping[str, Any]) -> set[str]:
    """Return the strategies of the candidates in a description or in a candidate message.

    Args:
        data: of a forwarded message: the signal, or an object that holds it as ``data``.

    Example:
        >>> candidate_strategies({"sdp": "a=candidate:1 1 udp 2130706431 192.0.2.7 5000 typ host"})
        {'host'}
        >>> candidate_strategies({"data": {}})
        set()
    """
    signal = data.get("data", data)
    if not isinstance(signal, Mapping):
        return set()
    texts = [text for text in (signal.get("sdp"), signal.get("candidate")) if isinstance(text, str)]
    return {_STRATEGY_OF_TYPE[found] for text in texts for found in _CANDIDATE_TYPE.findall(text)}
