"""The peer's signaling client: no message of a server breaks it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from json import dumps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.crypto.errors import WrongSecretError
from tallow.app.crypto.sealed_signals import SignalSealer
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.connection_attempt import ChannelRefusedError, ConnectionAttempt
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import (
    MAX_CONFIRMATION_S,
    parse_joined,
    parse_message,
)
from tallow.app.peer.errors import ServerRefusedError
from tallow.app.peer.link import Link
from tallow.app.wire import ForwardedType

LINK = Link("https://tallow.example", "abcdefgh234567ac", bytes(16))
JOINED: dict[str, Any] = {
    "room": "abcdefgh234567ab",
    "rejoin_key": "key",
    "telemetry_token": "token",
    "relay_ticket": "ticket",
    "correlation_id": "id",
    "ice_servers": [{"urls": "stun:example.org"}],
    "confirmation_limit": 300,
}

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["peer", "error", "confirmation", "offer", "answer", "candidate", "joined"]) | json
messages = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds,
        "event": st.sampled_from(["joined", "left", "lost"]) | json,
        "state": st.sampled_from(["pending", "given"]) | json,
        "outcome": json,
        "code": json,
        "data": st.fixed_dictionaries(
            {}, optional={"attempt": json, "channel": st.just("relay") | json, "sealed": json}
        )
        | json,
    },
)


SECRET = bytes(range(16))
SENDER = SignalSealer(SECRET, "sender")
RECEIVER = SignalSealer(SECRET, "receiver")


def client(
    offered: ClosableQueue[ConnectionAttempt] | None = None,
    sealer: SignalSealer = RECEIVER,
    *,
    link_proven: bool = True,
) -> SignalingClient:
    queue = offered or ClosableQueue()
    # No socket: these tests only hand messages to it.
    return SignalingClient(None, sealer, queue, link_proven=link_proven)  # type: ignore[arg-type]


@given(st.lists(messages, max_size=4))
def test_no_message_of_a_server_breaks_the_client(received: list[dict[str, Any]]) -> None:
    offered: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    signaling = client(offered)
    for message in received:
        signaling.handle(message)
    offered.fail(EOFError())
    assert not signaling.lost.is_set()
    assert not (signaling.peer.present.is_set() and signaling.peer.absent.is_set())
    assert signaling.error is None or isinstance(signaling.error, ServerRefusedError)
    assert remaining(offered) == []  # the server cannot seal an offer


def remaining(queue: ClosableQueue[ConnectionAttempt]) -> list[ConnectionAttempt]:
    """The items of a closed queue. Reading it never waits."""
    items = []
    with suppress(EOFError):
        while True:
            reading = queue.get()
            try:
                reading.send(None)
            except StopIteration as done:
                items.append(done.value)
    return items


@given(json)
def test_only_an_object_is_a_message(value: Any) -> None:
    message = parse_message(dumps(value))
    assert isinstance(message, dict)
    assert isinstance(value, dict) or message == {}


@pytest.mark.parametrize("text", ["", "{", "\ud800", b"\xff"])
def test_what_is_not_json_is_an_empty_message(text: str | bytes) -> None:
    assert parse_message(text) == {}


@given(st.dictionaries(st.sampled_from(list(JOINED)), json))
def test_an_answer_to_the_join_is_valid_or_refused(changes: dict[str, Any]) -> None:
    try:
        joined = parse_joined(JOINED | changes, LINK)
    except ValueError:
        assert changes  # the unchanged answer is valid
        return
    assert joined.confirmation_limit is None or 1 <= joined.confirmation_limit <= MAX_CONFIRMATION_S
    assert all(isinstance(server["urls"], list) for server in joined.ice_servers)


@pytest.mark.parametrize("name", sorted(JOINED.keys() - {"confirmation_limit"}))
def test_an_incomplete_answer_to_the_join_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="incomplete"):
        parse_joined({key: value for key, value in JOINED.items() if key != name}, LINK)


@pytest.mark.parametrize("room", ["abcdefgh234567aa", "abcdefgh234567ab", "abcdefgh234567ac"])
def test_the_server_may_choose_any_room_of_the_link(room: str) -> None:
    assert parse_joined(JOINED | {"room": room}, LINK).room == room


@pytest.mark.parametrize("room", ["abcdefgh234567ad", "bbcdefgh234567aa", "", "../../etc/passwd", None, 7])
def test_a_room_of_another_link_is_refused(room: object) -> None:
    with pytest.raises(ValueError, match="another room"):
        parse_joined(JOINED | {"room": room}, LINK)


def signal(
    name: str,
    data: dict[str, object] | None = None,
    *,
    kind: ForwardedType = "offer",
    sealer: SignalSealer = SENDER,
    channel: str = "relay",
) -> dict[str, Any]:
    sealed = sealer.seal(kind, name, channel, data or {})
    return {"type": kind, "data": {"attempt": name, "channel": channel, "sealed": sealed}}


async def test_a_new_attempt_ends_the_one_before() -> None:
    offered: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    signaling = client(offered)
    signaling.handle(signal("one"))
    signaling.handle(signal("two", {"n": 2}))
    signaling.handle(signal("one", {"late": True}, kind="candidate"))
    first, second = await offered.get(), await offered.get()
    assert (first.name, second.name) == ("one", "two")
    assert await second.exchange("relay").receive() == ("offer", {"n": 2})
    await first.exchange("relay").receive()
    with pytest.raises(ChannelClosedError, match="another attempt"):
        await first.exchange("relay").receive()


async def test_one_attempt_has_several_types_of_channels() -> None:
    offered: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    signaling = client(offered)
    signaling.handle(signal("one", {"n": 1}, channel="tcp"))
    signaling.handle(signal("one", {"n": 2}, channel="relay"))
    signaling.handle(signal("one", {"n": 3}, channel="tcp", kind="candidate"))
    attempt = await offered.get()
    assert [await attempt.offered.get(), await attempt.offered.get()] == ["tcp", "relay"]
    assert await attempt.exchange("tcp").receive() == ("offer", {"n": 1})
    assert await attempt.exchange("tcp").receive() == ("candidate", {"n": 3})
    assert await attempt.exchange("relay").receive() == ("offer", {"n": 2})


async def test_a_refusal_has_an_error_of_its_own() -> None:
    signaling = client(sealer=SENDER)
    attempt = signaling.start_attempt()
    refusal = signal(attempt.name, {"refused": True}, kind="answer", sealer=RECEIVER, channel="webrtc")
    signaling.handle(refusal)
    with pytest.raises(ChannelRefusedError):
        await attempt.exchange("webrtc").receive()


def _another_kind(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"type": "candidate"}


def _another_attempt(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"data": message["data"] | {"attempt": "other"}}


def _another_channel(message: dict[str, Any]) -> dict[str, Any]:
    return message | {"data": message["data"] | {"channel": "tcp"}}


def _changed(message: dict[str, Any]) -> dict[str, Any]:
    sealed = message["data"]["sealed"]
    flipped = sealed[:20] + ("B" if sealed[20] == "A" else "A") + sealed[21:]
    return message | {"data": message["data"] | {"sealed": flipped}}


def _of_another_link(message: dict[str, Any]) -> dict[str, Any]:
    return signal(message["data"]["attempt"], sealer=SignalSealer(bytes(16), "sender"))


def _returned_to_its_sender(message: dict[str, Any]) -> dict[str, Any]:
    return signal(message["data"]["attempt"], sealer=RECEIVER)


@pytest.mark.parametrize(
    "tampering",
    [_another_kind, _another_attempt, _another_channel, _changed, _of_another_link, _returned_to_its_sender],
)
def test_a_signal_that_the_other_side_did_not_seal_is_ignored(
    tampering: Callable[[dict[str, Any]], dict[str, Any]],
) -> None:
    offered: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    signaling = client(offered)
    signaling.handle(tampering(signal("one")))
    offered.fail(EOFError())
    assert remaining(offered) == []


async def test_with_another_link_than_the_other_side_the_attempt_fails() -> None:
    signaling = client(sealer=SignalSealer(bytes(16), "sender"), link_proven=False)
    attempt = signaling.start_attempt()
    signaling.handle(signal(attempt.name, kind="answer", sealer=RECEIVER, channel="tcp"))
    with pytest.raises(WrongSecretError):
        await attempt.exchange("tcp").receive()


async def test_an_unreadable_signal_after_a_readable_one_ends_nothing() -> None:
    signaling = client(sealer=SENDER, link_proven=False)
    attempt = signaling.start_attempt()
    signaling.handle(signal(attempt.name, {"n": 1}, kind="answer", sealer=RECEIVER, channel="tcp"))
    signaling.handle(_changed(signal(attempt.name, {"n": 2}, kind="answer", sealer=RECEIVER, channel="tcp")))
    signaling.handle(signal(attempt.name, {"n": 3}, kind="answer", sealer=RECEIVER, channel="tcp"))
    received = [await attempt.exchange("tcp").receive() for _ in range(2)]
    assert received == [("answer", {"n": 1}), ("answer", {"n": 3})]


def test_a_sealed_signal_shows_no_address() -> None:
    message = signal("one", {"addresses": [["203.0.113.9", 4242]]})
    assert "203.0.113.9" not in dumps(message)
    assert "4242" not in message["data"]["sealed"]


async def test_the_presence_of_the_other_peer_is_tracked() -> None:
    signaling = client()
    peer = signaling.peer
    signaling.handle({"type": "peer", "event": "joined"})
    assert (peer.present.is_set(), peer.seen) == (True, True)
    signaling.handle({"type": "peer", "event": "lost"})
    assert (peer.present.is_set(), peer.absent.is_set(), peer.departed.is_set()) == (False, True, False)
    signaling.handle({"type": "peer", "event": "left", "outcome": "cancelled"})
    assert (peer.outcome, peer.departed.is_set()) == ("cancelled", True)
    signaling.handle({"type": "peer", "event": "joined"})
    assert (peer.outcome, peer.departed.is_set(), peer.absent.is_set()) == (None, False, False)


async def test_the_status_of_the_confirmation_is_tracked() -> None:
    signaling = client()
    peer = signaling.peer
    signaling.handle({"type": "confirmation", "state": "pending"})
    assert (peer.confirming.is_set(), peer.confirmed.is_set()) == (True, False)
    signaling.handle({"type": "confirmation", "state": "given"})
    assert (peer.confirming.is_set(), peer.confirmed.is_set()) == (False, True)
