"""JSON of strangers costs what its bytes cost, whatever its shape."""

from __future__ import annotations

import json
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app import bounded_json
from tallow.app.bounded_json import BadJsonError, has_more_values, parse_bounded
from tallow.app.crypto.errors import MalformedError
from tallow.app.peer.transfer.manifest import Manifest, ManifestEntry, ResumeOffer
from tallow.app.server.transport.messages import WebSocketRefusedError, parse_relay, parse_signaling

SHAPES = {
    "lists": (b"[", b"[],", b"[]]"),
    "objects": (b"[", b"{},", b"{}]"),
    "numbers": (b"[", b"0,", b"0]"),
    "strings": (b"[", b'"",', b'""]'),
    "members": (b"{", b'"":0,', b'"":0}'),
    "nested": (b"", b"[", b""),
    "quotes": (b"[,", b'"', b""),
    "escaped quotes": (b'["', b'\\"', b""),
    "unclosed strings": (b"[,", b'"\\"', b"\\"),
    "separators": (b"", b",", b""),
}


def document(shape: str, size: int) -> bytes:
    first, repeated, last = SHAPES[shape]
    return first + repeated * (size // len(repeated)) + last


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=6), inner, max_size=5),
)


def count(value: Any) -> int:
    """Separators of a value: its lists and objects, and all their items but the first."""
    if not isinstance(value, list | dict):
        return 0
    items = list(value.values()) if isinstance(value, dict) else value
    return 1 + max(0, len(items) - 1) + sum(map(count, items))


@given(json_values)
def test_values_are_counted_exactly(value: Any) -> None:
    data = json.dumps(value).encode()
    values = count(value)
    assert not has_more_values(data, values)
    assert values == 0 or has_more_values(data, values - 1)
    assert parse_bounded(data, values) == value


@pytest.mark.parametrize("shape", SHAPES)
def test_too_many_values_are_refused_before_one_is_parsed(
    monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    parsed: list[int] = []

    class Parser:
        JSONDecodeError = ValueError

        @staticmethod
        def loads(data: bytes) -> Any:
            parsed.append(len(data))
            raise ValueError

    monkeypatch.setattr(bounded_json, "orjson", Parser)
    with pytest.raises(BadJsonError):
        parse_bounded(document(shape, 100_000), 1000)
    is_one_string = shape in {"quotes", "escaped quotes", "unclosed strings"}
    assert bool(parsed) == is_one_string


@pytest.mark.parametrize("shape", SHAPES)
def test_the_memory_for_a_manifest_does_not_depend_on_its_shape(shape: str) -> None:
    """``[[],…`` of 16 MiB took 511 MB."""
    data = document(shape, 2**20)
    tracemalloc.start()
    try:
        with pytest.raises(MalformedError):
            Manifest.decode(data)
        with pytest.raises(MalformedError):
            ResumeOffer.decode(data, Manifest((ManifestEntry("a", 1, bytes(32)),)))
        # orjson reserves twelve times the data, which it does not touch. A list of lists takes 34 times.
        assert tracemalloc.get_traced_memory()[1] < 16 * len(data)
    finally:
        tracemalloc.stop()


def test_a_large_manifest_and_answer_are_accepted() -> None:
    count = 20_000
    manifest = Manifest(tuple(ManifestEntry(f"{n},[{{", 2**40, bytes(32)) for n in range(count)))
    assert Manifest.decode(manifest.encode()) == manifest
    offer = ResumeOffer({5: 5}, frozenset(range(count)))
    assert ResumeOffer.decode(offer.encode(), manifest) == offer


@pytest.mark.parametrize("shape", SHAPES)
def test_a_signaling_message_of_many_values_is_refused(shape: str) -> None:
    text = '{"type":"candidate","data":{"x":' + document(shape, 60_000).decode() + "}}"
    for parse in (parse_signaling, parse_relay):
        with pytest.raises(WebSocketRefusedError):
            parse(text)


@pytest.mark.proof
@pytest.mark.parametrize("shape", SHAPES)
def test_the_time_grows_with_the_bytes(shape: str) -> None:
    """Eight times the bytes take at most 24 times as long: quadratic time would be 64 times."""

    def seconds(size: int) -> float:
        data = document(shape, size)
        best = float("inf")
        for _ in range(5):
            started = time.process_time()
            with pytest.raises(MalformedError):
                Manifest.decode(data)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(2**22) <= 24 * seconds(2**19) + 0.005
