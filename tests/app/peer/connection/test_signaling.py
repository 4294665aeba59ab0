"""Signaling as a peer reads it: whatever a server sends, it is taken or left, and nothing breaks."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallow.app.channels.channel import ChannelClosedError
from tallow.app.peer.connection.closable_queue import ClosableQueue
from tallow.app.peer.connection.signaling import ChannelRefusedError, ConnectionAttempt, SignalingClient

json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
kinds = st.sampled_from(["peer", "error", "offer", "answer", "candidate", "joined"]) | json
messages = st.fixed_dictionaries(
    {},
    optional={
        "type": kinds,
        "event": json,
        "outcome": json,
        "code": json,
        "data": st.fixed_dictionaries(
            {}, optional={"attempt": json, "channel": st.just("relay") | json, "data": json, "refused": json}
        )
        | json,
    },
)


def signaling() -> SignalingClient:
    return SignalingClient(None, ClosableQueue())  # type: ignore[arg-type]  # it is not sent anything


@given(st.lists(messages, max_size=4))
def test_no_message_breaks_it(several: list[dict[str, Any]]) -> None:
    reading = signaling()
    for message in several:
        reading._take(message)


def offer(name: str, **more: Any) -> dict[str, Any]:
    return {"type": "offer", "data": {"attempt": name, "channel": "relay", "data": {}} | more}


async def test_a_new_attempt_ends_the_one_before() -> None:
    attempts: ClosableQueue[ConnectionAttempt] = ClosableQueue()
    reading = SignalingClient(None, attempts)  # type: ignore[arg-type]
    reading._take(offer("one"))
    reading._take(offer("two", data={"n": 2}))
    reading._take(offer("one", data={"late": True}))
    first, second = await attempts.get(), await attempts.get()
    assert (first.name, second.name) == ("one", "two")
    assert await second.receive() == ("offer", {"n": 2})
    await first.receive()
    with pytest.raises(ChannelClosedError, match="another attempt"):
        await first.receive()


async def test_a_refused_way_is_told_apart() -> None:
    reading = signaling()
    attempt = reading.attempt("webrtc")
    data = {"attempt": attempt.name, "channel": "webrtc", "refused": True}
    reading._take({"type": "answer", "data": data})
    with pytest.raises(ChannelRefusedError):
        await attempt.receive()


async def test_news_of_the_other_side() -> None:
    reading = signaling()
    reading._take({"type": "peer", "event": "joined"})
    assert reading.peer_present.is_set()
    reading._take({"type": "peer", "event": "lost"})
    assert not reading.peer_present.is_set()
    assert not reading.peer_departed.is_set()
    reading._take({"type": "peer", "event": "left", "outcome": "cancelled"})
    assert reading.peer_outcome == "cancelled"
    assert reading.peer_departed.is_set()
