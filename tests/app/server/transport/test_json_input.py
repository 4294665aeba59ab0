"""Parsing of JSON from clients."""

from __future__ import annotations

import pytest

from tallow.app.bounded_json import BadJsonError
from tallow.app.server.transport.json_input import parse_json


@pytest.mark.parametrize(("data", "depth"), [("1", 0), ("[]", 1), ('{"a": [1]}', 2), ('[[1], {"b": {}}]', 3)])
def test_json_of_a_depth_is_accepted_from_that_limit_on(data: str, depth: int) -> None:
    parse_json(data, depth, 100)
    if depth:
        with pytest.raises(BadJsonError, match=rf"^nested deeper than {depth - 1} levels$"):
            parse_json(data, depth - 1, 100)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", "NaN"])
def test_data_that_is_not_json_is_refused(data: bytes | str) -> None:
    with pytest.raises(BadJsonError, match=r"^not JSON$"):
        parse_json(data, 3, 100)
