"""WebRTC between two real ends on this machine: direct, through a TURN server, and without a path."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any, Literal

import pytest

from support.process_usage import resident_bytes
from support.programs.turn import coturn
from support.transfers.webrtc import connected, pair, signaling_pair
from tallow.app.channels import webrtc
from tallow.app.channels.channel import ChannelClosedError, ChannelError, ConnectionQuality
from tallow.app.channels.flow_control import MAX_WINDOW, SendWindow
from tallow.app.channels.ice import redact_addresses
from tallow.app.channels.webrtc import WebRtcChannel, connect

pytestmark = pytest.mark.slow

Kind = Literal["offer", "answer", "candidate"]
NOWHERE = {"urls": ["turn:127.0.0.1:9"], "username": "u", "credential": "c"}
PIECE = 64 * 1024


async def test_a_direct_connection_is_opened() -> None:
    async with connected() as (sender, receiver):
        for channel in (sender, receiver):
            assert (channel.method, channel.path, channel.strategy) == ("p2p", "direct", "host")
            assert 0 < channel.established_s < 10
        await sender.send(b"there")
        await receiver.send(b"and back")
        assert await receiver.receive() == b"there"
        assert await sender.receive() == b"and back"


async def test_no_address_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with connected() as (sender, receiver):
        await sender.send(b"x")
        await receiver.receive()
    assert caplog.messages == []


async def test_messages_are_delivered_whole_and_in_order() -> None:
    async with connected() as (sender, receiver):
        sizes = [1, 1000, sender.max_message, 2, PIECE, 1161, 1160, sender.max_message]
        sent = [bytes([number]) * size for number, size in enumerate(sizes)]

        async def send() -> None:
            for message in sent:
                await sender.send(message)

        sending = asyncio.create_task(send())
        assert [await receiver.receive() for _ in sent] == sent
        await sending


async def test_a_message_that_is_too_long_is_refused() -> None:
    async with connected() as (sender, receiver):
        with pytest.raises(ValueError, match="at most 262144 bytes"):
            await sender.send(bytes(sender.max_message + 1))
        assert receiver.max_message == sender.max_message


async def test_the_message_limit_is_the_other_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiortc.rtcsctptransport.LOCAL_MAX_MESSAGE_SIZE", 100_000)
    async with connected() as (sender, _):
        assert sender.max_message == 100_000
        await sender.send(bytes(100_000))


@pytest.mark.integration
@pytest.mark.parametrize("policy", ["relay", "all"])
async def test_a_turn_server_relays_the_connection(tmp_path: Path, policy: str) -> None:
    async with coturn(tmp_path) as turn, connected(*turn.servers(), policy=policy) as (sender, receiver):
        way = {"relay": ("relay", "turn"), "all": ("direct", "host")}[policy]
        assert [(channel.path, channel.strategy) for channel in (sender, receiver)] == [way] * 2
        for _ in range(8):
            await sender.send(b"x" * PIECE)
            assert await receiver.receive() == b"x" * PIECE


@pytest.mark.integration
async def test_relay_policy_announces_no_own_address(tmp_path: Path) -> None:
    one, two = signaling_pair()
    async with coturn(tmp_path) as turn:
        ends = await asyncio.gather(
            connect("sender", one, turn.servers(), policy="relay"),
            connect("receiver", two, turn.servers(), policy="relay"),
        )
        for exchange in (one, two):
            [(_, data)] = exchange.sent
            assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", str(data["sdp"]))) == {"0.0.0.0", "127.0.0.1"}
        await asyncio.gather(*(end.close() for end in ends))


async def test_descriptions_hold_one_address_per_family_and_no_other_server_is_asked() -> None:
    one, two = signaling_pair()
    ends = await asyncio.gather(connect("sender", one, []), connect("receiver", two, []))
    for exchange in (one, two):
        [(_, data)] = exchange.sent
        candidates = re.findall(r"a=candidate:.*", str(data["sdp"]))
        assert 1 <= len(candidates) <= 2
        assert all("typ host" in line for line in candidates)
    await asyncio.gather(*(end.close() for end in ends))


def test_addresses_of_other_networks_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [
        "m=application 40522 UDP/DTLS/SCTP webrtc-datachannel",
        "c=IN IP4 172.17.0.1",
        "a=candidate:1 1 udp 2130706431 172.17.0.1 40522 typ host",
        "a=candidate:2 1 udp 2130706431 192.168.7.4 40523 typ host",
        "a=candidate:3 1 udp 1694498815 203.0.113.9 40523 typ srflx raddr 192.168.7.4 rport 40523",
        "a=candidate:4 1 udp 16777215 198.51.100.3 50000 typ relay raddr 203.0.113.9 rport 40524",
        "a=ice-ufrag:abcd",
    ]
    monkeypatch.setattr("tallow.app.channels.ice._default_route_addresses", lambda: {"192.168.7.4"})
    named = redact_addresses("\r\n".join(lines))
    assert re.findall(r"\d+\.\d+\.\d+\.\d+", named) == [
        "0.0.0.0",
        "192.168.7.4",
        "203.0.113.9",
        "0.0.0.0",
        "198.51.100.3",
        "0.0.0.0",
    ]
    assert "40522" not in named
    monkeypatch.setattr("tallow.app.channels.ice._default_route_addresses", set)
    assert "172.17.0.1" in redact_addresses("\r\n".join(lines))


async def test_both_sides_have_the_same_descriptions() -> None:
    async with connected() as (sender, receiver):
        assert sender.descriptions == receiver.descriptions
        assert all(b"a=fingerprint:" in description for description in sender.descriptions)


async def test_a_man_in_the_middle_changes_the_descriptions() -> None:
    """A server that terminates the encryption towards both sides, with its own fingerprints."""
    (one, towards_one), (towards_two, two) = signaling_pair(), signaling_pair()
    ends = await asyncio.gather(
        connect("sender", one, []),
        connect("receiver", towards_one, []),
        connect("sender", towards_two, []),
        connect("receiver", two, []),
    )
    assert ends[0].descriptions != ends[3].descriptions
    await asyncio.gather(*(end.close() for end in ends))


@pytest.mark.slow
async def test_a_replaced_fingerprint_fails_the_connection() -> None:
    one, two = signaling_pair()

    async def tampered(kind: Kind, data: dict[str, object]) -> None:
        digit = re.compile(r"(a=fingerprint:\S+ )(..)")
        changed = digit.sub(lambda found: found[1] + ("00" if found[2] != "00" else "01"), str(data["sdp"]))
        await two.inbox.put((kind, {"sdp": changed}))

    one.send = tampered  # type: ignore[method-assign]
    ends = await asyncio.gather(
        connect("sender", one, [], timeout=3), connect("receiver", two, [], timeout=3), return_exceptions=True
    )
    assert type(ends[1]) is ChannelError  # not a departure: another channel may work
    if isinstance(ends[0], WebRtcChannel):  # notices only that the other side leaves
        with pytest.raises(ChannelClosedError):
            await ends[0].receive()
        await ends[0].close()


async def test_an_attempt_without_an_answer_times_out() -> None:
    one, _ = signaling_pair()
    with pytest.raises(ChannelError, match=r"^no connection within 0\.3 seconds$"):
        await connect("sender", one, [], timeout=0.3)


async def test_an_attempt_without_a_path_times_out() -> None:
    one, two = signaling_pair()

    async def forward(kind: Kind, data: dict[str, object]) -> None:
        sdp = re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+ \d+", r"\1 127.0.0.2 9", str(data["sdp"]))
        await one.other.inbox.put((kind, {"sdp": sdp}))

    async def lost(kind: Kind, data: dict[str, object]) -> None:
        sdp = re.sub(r"(a=candidate:\S+ 1 udp \d+) \S+ \d+", r"\1 127.0.0.2 9", str(data["sdp"]))
        await two.other.inbox.put((kind, {"sdp": sdp}))

    one.send, two.send = forward, lost  # type: ignore[method-assign]
    ends = await asyncio.gather(
        connect("sender", one, [], timeout=2), connect("receiver", two, [], timeout=2), return_exceptions=True
    )
    for end in ends:
        assert type(end) is ChannelError
        assert not re.search(r"\d+\.\d+\.\d+", str(end))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("servers", "why"),
    [
        ([], "no connection: the server offers no TURN server"),
        ([{"urls": ["stun:127.0.0.1:9"]}], "no connection: the server offers no TURN server"),
        ([NOWHERE], "no connection: neither the network nor a TURN server provides an address"),
    ],
)
async def test_relay_policy_without_a_turn_server_is_refused(servers: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(ChannelError, match=f"^{why}$"):
        await connect("sender", signaling_pair()[0], servers, policy="relay", timeout=30)


async def test_a_malformed_server_list_is_refused() -> None:
    for entry in ({"urls": ["http://x"]}, {"urls": ["turn:"]}, {"url": "x"}, {"urls": [7]}):
        with pytest.raises(ChannelError, match=r"^no connection: the server's list of STUN and TURN servers"):
            await connect("sender", signaling_pair()[0], [entry], timeout=1)


@pytest.mark.parametrize(
    "sdp", [None, 7, "", "v=0", "v=0\r\nm=application x", "m=audio 9 RTP/AVP 0\r\n", "a=" * 9999]
)
async def test_a_malformed_description_is_refused(sdp: object) -> None:
    for role, kind in (("receiver", "offer"), ("sender", "answer")):
        one, two = signaling_pair()
        await two.send(kind, {"sdp": sdp})  # type: ignore[arg-type]
        with pytest.raises(
            ChannelError, match=rf"^no connection: (the other side's {kind} cannot be read|no way)"
        ):
            await connect(role, one, [], timeout=30)  # type: ignore[arg-type]


async def test_an_attempt_ends_when_the_other_side_leaves() -> None:
    one, _ = signaling_pair()

    async def left() -> tuple[Kind, dict[str, object]]:
        raise ChannelClosedError("the other side has left")

    one.receive = left  # type: ignore[method-assign]
    with pytest.raises(ChannelClosedError, match="has left"):
        await connect("sender", one, [], timeout=30)


async def test_a_cancelled_attempt_leaves_no_socket() -> None:
    attempt = asyncio.create_task(connect("sender", signaling_pair()[0], [], timeout=30))
    await asyncio.sleep(0.1)
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_closing_delivers_sent_messages() -> None:
    sender, receiver = await pair()
    for number in range(3):
        await sender.send(bytes([number]) * PIECE)
    await sender.close()
    for number in range(3):
        assert await receiver.receive() == bytes([number]) * PIECE
    with pytest.raises(ChannelClosedError, match=r"^the other side has ended the connection$"):
        await receiver.receive()
    with pytest.raises(ChannelClosedError):
        await sender.send(b"more")
    await receiver.close()
    await sender.close()


async def test_both_sides_can_close_at_the_same_time() -> None:
    sender, receiver = await pair()
    await sender.send(b"last")
    await receiver.send(b"words")
    async with asyncio.timeout(50):
        await asyncio.gather(sender.close(), receiver.close())
    assert await receiver.receive() == b"last"
    assert await sender.receive() == b"words"


async def test_a_lost_connection_ends_send_and_receive() -> None:
    sender, receiver = await pair()
    waiting = asyncio.create_task(receiver.receive())
    await sender.abort("closed")
    with pytest.raises(ChannelClosedError, match=r"lost|ended"):
        await waiting
    with pytest.raises(ChannelClosedError):
        while True:
            await receiver.send(bytes(PIECE))
    await receiver.close()


@pytest.mark.slow
async def test_a_slow_reader_blocks_the_sender() -> None:
    async with connected() as (sender, receiver):
        sent = 0

        async def send() -> None:
            nonlocal sent
            for _ in range(150):
                await sender.send(b"x" * PIECE)
                sent += 1

        sending = asyncio.create_task(send())
        blocked = -1
        while blocked != sent or not sent:
            blocked, before = sent, resident_bytes()
            await asyncio.sleep(0.5)
        assert sent * PIECE <= MAX_WINDOW
        for _ in range(150):
            assert len(await receiver.receive()) == PIECE
        await sending
        assert resident_bytes() - before < 16 << 20


@pytest.mark.slow
async def test_a_peer_that_exceeds_the_window_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (sender, receiver):
        monkeypatch.setattr(SendWindow, "fits", lambda *_: True)  # a sender without flow control
        with pytest.raises(ChannelClosedError, match=r"sends more than the window allows|lost|ended"):
            while True:
                await sender.send(b"x" * PIECE)
                await asyncio.sleep(0.001)
        with pytest.raises(ChannelClosedError, match=r"^the other side sends more than the window allows$"):
            while True:
                await receiver.receive()


async def test_unknown_control_messages_are_ignored() -> None:
    async with connected() as (sender, receiver):
        for text in (
            "",
            "ack",
            "ack x",
            "ack -1",
            "ack ²",
            "pong 0 x",
            "pong a b c",
            "x" * 1000,
            "bye bye",
            "got it",
        ):
            sender._send_text(text)
        await sender.send(b"still here")
        assert await receiver.receive() == b"still here"


async def test_the_quality_of_loopback_is_high() -> None:
    async with connected() as (sender, receiver):
        for _ in range(8):
            await sender.send(b"x" * PIECE)
            await receiver.receive()
        for side in (sender, receiver):
            quality = await side.quality()
            assert 0 < quality.round_trip_s < 1
            assert 0 <= quality.loss < 0.05


@pytest.mark.slow
async def test_lost_packets_lower_the_quality(monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected() as (sender, receiver):
        assert sender._connection.sctp is not None
        ice = sender._connection.sctp.transport.transport
        send, number = ice._send, 0

        async def lossy(data: bytes) -> None:
            nonlocal number
            number += 1
            if number % 5:
                await send(data)

        monkeypatch.setattr(ice, "_send", lossy)
        for _ in range(4):
            await sender.send(b"x" * PIECE)
            await receiver.receive()
        monkeypatch.setattr(ice, "_send", send)
        assert 0.1 < (await sender.quality()).loss < 0.3


async def test_without_a_pong_the_quality_is_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webrtc, "PING_TIMEOUT_S", 0.2)
    async with connected() as (sender, receiver):
        monkeypatch.setattr(receiver, "_send_text", lambda _: None)
        assert await sender.quality() == ConnectionQuality(0.2, 1.0)
        monkeypatch.undo()
