"""The peer's signaling client: no message of a server breaks it."""

from __future__ import annotations

from contextlib import suppress
from json import dumps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.connection_attempt import ChannelRefusedError, ConnectionAttempt
from tallow.app.peer.connection.signaling import SignalingClient
from tallow.app.peer.connection.signaling_messages import (
    CHANNEL_TYPES,
    MAX_CONFIRMATION_S,
    parse_joined,
    parse_message,
)
from tallow.app.peer.errors import ServerRefusedError

JOINED: dict[str, Any] = {
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
            {}, optional={"attempt": json, "channel": st.just("relay") | json, "data": json, "refused": json}
        )
        | json,
    },
)


def client(offered: ClosableQueue[ConnectionAttempt] | None = None) -> SignalingClient:
    # No socket: these tests only hand messages to it.
    return SignalingClient(None, offered or ClosableQueue())  # type: ignore[arg-type]


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
    assert all(attempt.channel_type in CHANNEL_TYPES for attempt in remaining(offered))


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
        joined = parse_joined(JOINED | changes)
    except ValueError:
        assert changes  # the unchanged answer is valid
        return
    assert joined.confirmation_limit is None or 1 <= joined.confirmation_limit <= MAX_CONFIRMATION_S
    assert all(isinstance(server["urls"], list) for server in joined.ice_servers)


@pytest.mark.parametrize("name", sorted(JOINED.keys() - {"confirmation_limit"}))
def test_an_incomplete_answer_to_the_join_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="incomplete"):
        parse_joined({key: value for key, value in JOINED.items() if key != name})


def offer(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "offer", "data": {"attempt": name, "channel": "relay", "data": {}} | more}


async def test_a_new_attempt_ends_the_one_before() -> None:
    offered: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    signaling = client(offered)
    signaling.handle(offer("one"))
    signaling.handle(offer("two", data={"n": 2}))
    signaling.handle(offer("one", data={"late": True}))
    first, second = await offered.get(), await offered.get()
    assert (first.name, second.name) == ("one", "two")
    assert await second.receive() == ("offer", {"n": 2})
    await first.receive()
    with pytest.raises(ChannelClosedError, match="another attempt"):
        await first.receive()


async def test_a_refusal_has_an_error_of_its_own() -> None:
    signaling = client()
    attempt = signaling.start_attempt("webrtc")
    data = {"attempt": attempt.name, "channel": "webrtc", "refused": True}
    signaling.handle({"type": "answer", "data": data})
    with pytest.raises(ChannelRefusedError):
        await attempt.receive()


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
