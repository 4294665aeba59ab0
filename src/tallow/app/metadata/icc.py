"""ICC profiles: the data that a picture's colours need, without text.

A profile may name who calibrated a screen and when, and hold comments of any length. Source: ICC.1:2022,
sections 7 and 9.
"""

from __future__ import annotations

import struct
from typing import Final

MAX_PROFILE: Final = 4 << 20
"""Bytes of a profile. The largest printer profiles have about half of it."""
TOO_LARGE: Final = f"its colour profile is larger than {MAX_PROFILE >> 20} MiB"
HEAD: Final = 128

# White and black points, primaries, curves, look-up tables, adaptation: colours are computed from these.
_COLOURS: Final = frozenset(
    b"wtpt bkpt chad rXYZ gXYZ bXYZ rTRC gTRC bTRC kTRC lumi cicp gamt pre0 pre1 pre2 "
    b"A2B0 A2B1 A2B2 A2B3 B2A0 B2A1 B2A2 B2A3 D2B0 D2B1 D2B2 D2B3 B2D0 B2D1 B2D2 B2D3".split()
)
# Types that these tags may have: a text under the name of a colour tag is rejected.
_TYPES: Final = frozenset(
    (b"XYZ ", b"curv", b"para", b"sf32", b"cicp", b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet")
)
# Header fields to keep: version, class, colour spaces, signature, flags, intent, illuminant. Date,
# manufacturer, model, creator and profile id are dropped.
_HEAD_KEPT: Final = ((8, 24), (36, 40), (44, 48), (64, 80))
# Both tags are required; these are empty.
_TEXTS: Final = {
    2: {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 4) + b"icc\0" + bytes(78),
        b"cprt": b"text" + bytes(8),
    },
    4: dict.fromkeys((b"desc", b"cprt"), b"mluc" + bytes(4) + struct.pack(">II", 0, 12)),
}


def strip_profile(profile: bytes) -> bytes:
    """A profile with the same colours and nothing else; empty if it is invalid.

    Args:
        profile: at most :data:`MAX_PROFILE` bytes.
    """
    if len(profile) < HEAD + 4 or profile[36:40] != b"acsp":
        return b""
    tags = _tags(profile)
    # Overlapping contents would make the result much larger than the profile; valid profiles have none.
    if not tags or sum(map(len, set(tags.values()))) > len(profile):
        return b""
    version = 4 if profile[8] >= 4 else 2
    contents = {**_TEXTS[version], **tags}
    head = bytearray(HEAD)
    for start, end in _HEAD_KEPT:
        head[start:end] = profile[start:end]
    table, body, placed = [], bytearray(), dict[bytes, int]()
    first = HEAD + 4 + 12 * len(contents)
    for name, content in contents.items():
        if content not in placed:  # tags often share one curve
            placed[content] = first + len(body)
            body += content + bytes(-len(content) % 4)
        table.append(struct.pack(">4sII", name, placed[content], len(content)))
    struct.pack_into(">I", head, 0, first + len(body))
    return bytes(head) + struct.pack(">I", len(table)) + b"".join(table) + bytes(body)


def _tags(profile: bytes) -> dict[bytes, bytes]:
    count = min(int.from_bytes(profile[HEAD : HEAD + 4], "big"), 100)
    found: dict[bytes, bytes] = {}
    for at in range(HEAD + 4, HEAD + 4 + 12 * count, 12):
        if at + 12 > len(profile):
            break
        name, offset, size = struct.unpack_from(">4sII", profile, at)
        if name in _COLOURS and offset + size <= len(profile) and profile[offset : offset + 4] in _TYPES:
            found[name] = profile[offset : offset + size]
    return found
