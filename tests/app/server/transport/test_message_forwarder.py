"""The forwarder copies every message, however its frames are cut."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from tallow.app.server.transport import message_forwarder
from tallow.app.server.transport.frames import FrameBounds, binary_header, frame_at
from tallow.app.server.transport.message_forwarder import MessageForwarder, MessageTooLargeError

LIMIT = 70_000
MESSAGES = st.lists(
    st.one_of(
        st.binary(max_size=300), st.sampled_from([bytes(125), bytes(126), bytes(65_535), bytes(65_536)])
    )
)


def client_frame(data: bytes, opcode: Opcode = Opcode.BINARY, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=True)


def fragments(message: bytes, count: int) -> bytes:
    """The frames of a message that is cut into some parts."""
    size = len(message) // count + 1
    parts = [message[start : start + size] for start in range(0, max(1, len(message)), size)]
    return b"".join(
        client_frame(part, Opcode.CONT if index else Opcode.BINARY, fin=index == len(parts) - 1)
        for index, part in enumerate(parts)
    )


def read_messages(frames: bytes) -> list[bytes]:
    """The messages that a client reads."""
    client = ClientProtocol(parse_uri("ws://x/"), state=State.OPEN, max_size=None)
    client.receive_data(frames)
    assert client.parser_exc is None
    return [bytes(event.data) for event in client.events_received() if isinstance(event, Frame)]


@settings(max_examples=60, deadline=None)
@given(messages=MESSAGES, counts=st.lists(st.integers(1, 4), min_size=1), cuts=st.integers(1, 5000))
def test_messages_arrive_whole_and_in_order(messages: list[bytes], counts: list[int], cuts: int) -> None:
    sent = b"".join(fragments(message, counts[at % len(counts)]) for at, message in enumerate(messages))
    written: list[bytes] = []
    sizes: list[int] = []

    def write(parts: list[bytes], size: int) -> None:
        written.extend(parts)
        sizes.append(size)

    forwarder = MessageForwarder(LIMIT, write)
    buffer, position = bytearray(), 0
    for start in range(0, len(sent), cuts):
        buffer += sent[start : start + cuts]
        position = forwarder.forward(buffer, position)
    assert position == len(sent)
    assert read_messages(b"".join(written)) == messages
    assert sum(sizes) == sum(map(len, messages))


@pytest.mark.parametrize(
    "frame",
    [
        client_frame(b"text", Opcode.TEXT),
        client_frame(b"", Opcode.PING),
        client_frame(b"\x03\xe8", Opcode.CLOSE),
        client_frame(b"part", Opcode.CONT),
        b"\xc2" + client_frame(b"reserved bit")[1:],
        Frame(Opcode.BINARY, b"not masked").serialize(mask=False),
        client_frame(bytes(LIMIT + 1)),
    ],
    ids=["text", "ping", "close", "continuation", "reserved bit", "not masked", "too long"],
)
def test_a_frame_for_the_parser_is_not_taken(frame: bytes) -> None:
    written: list[list[bytes]] = []
    forwarder = MessageForwarder(LIMIT, lambda parts, _: written.append(parts))
    first = client_frame(b"message")
    assert forwarder.forward(first + frame, 0) == len(first)
    assert [read_messages(b"".join(parts)) for parts in written] == [[b"message"]]


def test_a_control_frame_between_fragments_is_not_taken() -> None:
    written: list[bytes] = []
    forwarder = MessageForwarder(LIMIT, lambda parts, _: written.extend(parts))
    begin, ping = client_frame(b"be", fin=False), client_frame(b"", Opcode.PING)
    assert forwarder.forward(begin + ping, 0) == len(begin)
    assert forwarder.forward(client_frame(b"gin", Opcode.CONT), 0) == len(client_frame(b"gin"))
    assert read_messages(b"".join(written)) == [b"begin"]


def test_fragments_are_bounded_in_bytes_and_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    half = LIMIT // 2 + 1
    frames = client_frame(bytes(half), fin=False) + client_frame(bytes(half), Opcode.CONT)
    with pytest.raises(MessageTooLargeError):
        MessageForwarder(LIMIT, lambda parts, _: written.extend(parts)).forward(frames, 0)
    monkeypatch.setattr(message_forwarder, "MAX_FRAGMENTS", 3)
    empty = client_frame(b"", fin=False) + client_frame(b"", Opcode.CONT, fin=False) * 3
    with pytest.raises(MessageTooLargeError):
        MessageForwarder(LIMIT, lambda parts, _: written.extend(parts)).forward(empty, 0)
    assert written == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_found_only_when_it_is_complete(size: int) -> None:
    frame = client_frame(bytes(size))
    assert frame_at(frame, 0, LIMIT) == FrameBounds(0x82, len(frame) - size, len(frame))
    for shorter in {0, 1, 2, 5, len(frame) - 1}:
        assert frame_at(frame[:shorter], 0, LIMIT) is None
    assert Frame(Opcode.BINARY, bytes(size)).serialize(mask=False).startswith(binary_header(size))
