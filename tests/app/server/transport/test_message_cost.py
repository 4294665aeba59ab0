"""A signaling message costs time linear in its bytes, whatever its shape. A proof, because it is timed."""

from __future__ import annotations

import time
from contextlib import suppress

import orjson
import pytest

from tallow.app.server.transport.messages import WebSocketRefusedError, parse_signaling
from tallow.app.wire import MAX_SIGNALING_BYTES

pytestmark = pytest.mark.proof

SHAPES = {
    "arrays in arrays": ("[", "]"),
    "objects in objects": ('{"a":', "}"),
    "empty arrays": ("[],", ""),
    "empty objects": ("{},", ""),
    "numbers": ("1,", ""),
    "long numbers": ("9" * 300 + ",", ""),
    "exponents": ("1e308,", ""),
    "escapes": ("\\u00e9", ""),
    "surrogates": ("\\ud83d\\ude00", ""),
    "quotes": ('\\"', ""),
    "commas in a text": (",[{", ""),
    "equal names": ('"a":1,', ""),
    "different names": ('"%06x":1,', ""),
    "spaces": (" ", ""),
}
IN_A_TEXT = {"escapes", "surrogates", "quotes", "commas in a text"}


def message(shape: str, size: int) -> str:
    """A candidate of about so many bytes."""
    opening, closing = SHAPES[shape]
    count = size // (len(opening % 0 if "%" in opening else opening) + len(closing))
    if closing:
        data = opening * count + "1" + closing * count
    elif "names" in shape:
        data = "{" + "".join(opening % n if "%" in opening else opening for n in range(count))[:-1] + "}"
    elif shape in IN_A_TEXT:
        data = f'"{opening * count}"'
    else:
        data = f"[{opening * count}0]"
    return f'{{"type":"candidate","data":{{"x":{data}}}}}'


def cost(text: str) -> float:
    """Seconds of processor time to read a message and write it again, or to refuse it; the best of five."""
    best = 9e9
    for _ in range(5):
        started = time.process_time()
        with suppress(WebSocketRefusedError, orjson.JSONEncodeError):  # a refusal costs time, too
            orjson.dumps(parse_signaling(text).model_dump())
        best = min(best, time.process_time() - started)
    return best


@pytest.mark.parametrize("shape", SHAPES)
def test_the_cost_of_a_message_is_linear_and_small(shape: str) -> None:
    few, many = (message(shape, size) for size in (MAX_SIGNALING_BYTES // 5, MAX_SIGNALING_BYTES - 1000))
    assert cost(many) < max(10 * cost(few), 0.001)
    assert cost(many) < 0.003
