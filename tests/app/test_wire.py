"""The description of the wire agrees with the server's parser and with docs/protocol.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NotRequired, get_origin, get_type_hints

import pytest
from pydantic import BaseModel

from tallow.app import wire
from tallow.app.server.limits.report_quota import QUOTAS
from tallow.app.server.transport import messages

PROTOCOL = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()


@pytest.mark.parametrize(
    ("described", "parsed"),
    [
        (wire.JoinMessage, messages.Join),
        (wire.ForwardedMessage, messages.Forward),
        (wire.StartedMessage, messages.Started),
        (wire.ConfirmationMessage, messages.Confirmation),
        (wire.LeaveMessage, messages.Leave),
        (wire.RelayMessage, messages.RelayJoin),
    ],
)
def test_the_server_parses_the_described_fields(described: Any, parsed: type[BaseModel]) -> None:
    hints = get_type_hints(described, include_extras=True)
    required = {name for name, hint in hints.items() if get_origin(hint) is not NotRequired}
    assert required == {name for name, field in parsed.model_fields.items() if field.is_required()}
    assert hints.keys() == parsed.model_fields.keys()


def test_the_protocol_document_lists_the_close_codes() -> None:
    rows = dict(re.findall(r"^\| (4\d{3}) \| (`\w+`|\u2013) \|", PROTOCOL, re.MULTILINE))
    assert {int(code) for code in rows} == set(wire.CLOSE_CODES.values())
    documented = {int(code): error.strip("`") for code, error in rows.items() if error != "\u2013"}
    assert documented.items() <= wire.CLOSE_REASONS.items()


def test_the_protocol_document_lists_the_fields_of_joined() -> None:
    [fields] = re.findall(r'^\| `\{"type": "joined", (.*?)\}`', PROTOCOL, re.MULTILINE)
    assert set(re.findall(r'"(\w+)"', fields)) == get_type_hints(wire.JoinedMessage).keys() - {"type"}


def test_every_reported_metric_has_a_quota() -> None:
    assert QUOTAS.keys() == wire.REPORTED_METRICS.keys()


@pytest.mark.parametrize("text", ["a", "%%%%", "ä", "AA=A"])
def test_invalid_base64url_raises_value_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - binascii's text is not ours
        wire.decode_base64url(text)
