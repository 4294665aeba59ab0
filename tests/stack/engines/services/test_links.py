"""Links have the port offset of their stack."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tallow.stack.alerts import Links
from tallow.stack.engines.services.definitions import SERVICES, ports
from tallow.stack.engines.services.links import base_url, message_links, move_ports

ROOT = Path(__file__).parents[4]
RUNBOOKS = {path.stem: path.read_text("utf-8") for path in (ROOT / "docs" / "runbooks").glob("*.md")}


def test_addresses_of_pages_have_the_port_offset() -> None:
    assert base_url("tallow", 0) == "http://localhost:3000"
    assert base_url("heartbeat", 10_000) == "http://localhost:19095"


def test_links_without_offset_equal_those_of_the_committed_rules() -> None:
    assert message_links(0) == Links()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_addresses_of_every_service_are_moved(service: object, host: str) -> None:
    port = service.port  # type: ignore[attr-defined]
    assert move_ports(f"curl http://{host}:{port}/x", 10_000) == f"curl http://{host}:{port + 10_000}/x"


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:8080/",
        "http://example.org:3000/",
        "localhost:30001",
        "notlocalhost:3000",
        "at 3000 ms",
    ],
)
def test_other_addresses_are_not_moved(text: str) -> None:
    assert move_ports(text, 10_000) == text


@pytest.mark.parametrize("name", RUNBOOKS)
def test_every_local_address_in_a_runbook_is_moved(name: str) -> None:
    moved = move_ports(RUNBOOKS[name], 10_000)
    found = re.findall(r"\b(?:localhost|127(?:\.\d+){3}|\[?::1\]?):(\d+)", moved)
    assert {int(port) for port in found} <= set(ports(10_000).values())
