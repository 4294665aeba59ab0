"""The error about a taken port names the port and the program."""

from __future__ import annotations

import os
import socket

import pytest

from tallow.stack.engines.services.ports import PortTakenError, require_free


def test_a_taken_port_names_its_program_and_the_option() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        with pytest.raises(PortTakenError) as refused:
            require_free({"prometheus": port})
    first, second = str(refused.value).splitlines()
    assert first.startswith(f"port {port} (prometheus) is taken by ")
    assert first.endswith(f"(pid {os.getpid()})")
    assert "--port-offset" in second


def test_a_port_taken_on_all_addresses_is_detected() -> None:
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        with pytest.raises(PortTakenError, match="is taken by"):
            require_free({"tallow": listening.getsockname()[1]})


def test_free_ports_pass_and_invalid_ones_do_not() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        free = reserved.getsockname()[1]
    require_free({"tallow": free})
    with pytest.raises(PortTakenError, match="port 70000 cannot be used"):
        require_free({"tallow": 70_000})
