"""Flow control of a data channel: window of the sender, buffer of the receiver."""

from __future__ import annotations

import pytest

from tallow.app.channels.flow_control import ACK_EVERY, MAX_WINDOW, MIN_WINDOW, ReceiveBuffer, SendWindow


def test_a_full_window_blocks_until_it_is_acknowledged() -> None:
    window = SendWindow()
    window.sent(MIN_WINDOW)
    assert not window.fits(1)
    window.acknowledge(100)
    assert (window.fits(100), window.fits(101)) == (True, False)


def test_fewer_bytes_than_one_acknowledgement_never_block() -> None:
    window = SendWindow()
    window.sent(ACK_EVERY - 1)
    assert window.fits(MAX_WINDOW)


def test_more_acknowledged_than_sent_gives_no_credit() -> None:
    window = SendWindow()
    window.acknowledge(1 << 40)
    window.sent(MIN_WINDOW)
    assert not window.fits(1)


@pytest.mark.parametrize(("round_trip_s", "size"), [(0.0, MIN_WINDOW), (0.1, 1_600_000), (10.0, MAX_WINDOW)])
def test_the_window_grows_with_the_round_trip_within_its_limits(round_trip_s: float, size: int) -> None:
    window = SendWindow()
    window.adapt(round_trip_s)
    window.sent(ACK_EVERY)
    assert (window.fits(size - ACK_EVERY), window.fits(size - ACK_EVERY + 1)) == (True, False)


def test_messages_are_acknowledged_in_batches() -> None:
    buffer = ReceiveBuffer()
    for _ in range(3):
        assert buffer.put(bytes(ACK_EVERY // 2))
    assert [buffer.take()[1] for _ in range(3)] == [0, ACK_EVERY, 0]
    assert not buffer


def test_a_message_beyond_the_largest_window_is_refused() -> None:
    buffer = ReceiveBuffer()
    assert buffer.put(bytes(MAX_WINDOW))
    assert not buffer.put(b"x")
    assert len(buffer.take()[0]) == MAX_WINDOW
    assert buffer.put(b"x")
