"""Room ids. The rooms of one link differ in their last character only.

A link for several receivers has one room for each of them, so that each transfer has its own members, tickets
and outcome. The last character is the number of the room, from ``a``. The link names its last room, and so
tells how many rooms it has.
"""

from __future__ import annotations

import secrets
from typing import Final

from tallow.app.wire import MAX_RECEIVERS

_ALPHABET: Final = "abcdefghijklmnopqrstuvwxyz234567"
"""Base32 (RFC 4648, section 6) in lower case."""
_COMMON: Final = 15
"""Characters that the rooms of one link have in common: 75 random bits."""


def new_room_ids(receivers: int = 1) -> list[str]:
    """Random ids for the rooms of a new link. The last one is the link's.

    Args:
        receivers: from 1 to :data:`MAX_RECEIVERS`.
    """
    common = "".join(secrets.choice(_ALPHABET) for _ in range(_COMMON))
    return [common + _ALPHABET[number] for number in range(receivers)]


def rooms_of_link(link_room: str) -> list[str]:
    """The rooms of a link, in the order in which they were numbered.

    Args:
        link_room: the room that the link names.

    >>> rooms_of_link("abcdefgh234567ac")
    ['abcdefgh234567aa', 'abcdefgh234567ab', 'abcdefgh234567ac']
    >>> rooms_of_link("abcdefgh234567a7")  # not a link for several receivers
    ['abcdefgh234567a7']
    """
    number = _ALPHABET.find(link_room[_COMMON:])
    if len(link_room) != _COMMON + 1 or not 0 <= number < MAX_RECEIVERS:
        return [link_room]
    return [link_room[:_COMMON] + last for last in _ALPHABET[: number + 1]]


def possible_rooms(room_id: str) -> list[str]:
    """The ids that rooms of the same link can have."""
    return [common_part(room_id) + last for last in _ALPHABET]


def common_part(room_id: str) -> str:
    """What the ids of all rooms of a link have in common: one process owns all of them.

    >>> common_part("abcdefgh234567ac")
    'abcdefgh234567a'
    """
    return room_id[:_COMMON]
