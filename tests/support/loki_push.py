"""Requests to Loki's push API as Promtail sends them: protocol buffers, compressed with Snappy.

Sources: ``pkg/push/push.proto`` of Grafana Loki; Snappy's "format_description.txt" (block format).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from support.loki_entries import Entry

_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def entries_of_protobuf(body: bytes) -> Iterator[tuple[Entry, int]]:
    """The entries of a request, each with its nanoseconds since the epoch."""
    for number, stream in _fields(_uncompressed(body)):
        assert number == 1, "a push request has streams only"
        parts = list(_fields(stream))
        [labels] = [value.decode() for field, value in parts if field == 1]
        for entry in (value for field, value in parts if field == 2):
            yield _entry(entry, dict(_LABEL.findall(labels)))


def _entry(data: bytes, labels: dict[str, str]) -> tuple[Entry, int]:
    line, moment, metadata = "", 0, {}
    for number, value in _fields(data):
        if number == 1:
            units = {field: int.from_bytes(part, "little") for field, part in _fields(value)}
            moment = units.get(1, 0) * 10**9 + units.get(2, 0)
        elif number == 2:
            line = value.decode()
        elif number == 3:
            pair = {field: part.decode() for field, part in _fields(value)}
            metadata[pair[1]] = pair.get(2, "")
    return Entry(line, labels, metadata), moment


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and content of each field; a number's content is its bytes, the lowest first."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        value, at = _varint(data, at)
        if key & 7 == 2:
            yield key >> 3, data[at : at + value]
            at += value
        else:
            assert key & 7 == 0, "the messages have numbers and texts only"
            yield key >> 3, value.to_bytes(8, "little")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _uncompressed(data: bytes) -> bytes:
    """What a block of Snappy contains: literals, and copies of what came before them."""
    size, at = _varint(data, 0)
    found = bytearray()
    while at < len(data):
        tag, at = data[at], at + 1
        kind, length = tag & 3, tag >> 2
        if kind == 0:
            if length >= 60:
                more = length - 59
                length, at = int.from_bytes(data[at : at + more], "little"), at + more
            found += data[at : at + length + 1]
            at += length + 1
            continue
        width = (0, 1, 2, 4)[kind]
        offset = int.from_bytes(data[at : at + width], "little")
        at += width
        if kind == 1:
            offset, length = offset + (tag >> 5 << 8), (length & 7) + 3
        for _ in range(length + 1):
            found.append(found[-offset])
    assert len(found) == size
    return bytes(found)
