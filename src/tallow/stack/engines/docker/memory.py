"""The memory that containers use."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from tallow.stack.engines.docker.client import docker
from tallow.stack.engines.docker.containers import Container
from tallow.stack.engines.errors import StackError

_USED: Final = re.compile(r"^(\w+) ([\d.]+)([KMGT]?i?B)\b")
_UNITS: Final[Mapping[str, int]] = {
    unit + suffix: base**power
    for suffix, base in (("B", 1000), ("iB", 1024))
    for power, unit in enumerate(("", "K", "M", "G", "T"))
}


def memory_used(found: Mapping[str, Container]) -> dict[str, int]:
    """The bytes that each running service uses; the engine takes two seconds to answer.

    Args:
        found: the containers by service.

    Returns:
        Bytes by service. Services that the engine says nothing about are missing.
    """
    running = {one.id: service for service, one in found.items() if one.is_running}
    if not running:
        return {}
    command = ("stats", "--no-stream", "--format", "{{.ID}} {{.MemUsage}}")
    try:
        output = docker(*command, *running)
    except StackError:  # a container has ended meanwhile; the states show it
        return {}
    sizes = (_USED.match(line) for line in output.splitlines())
    return {
        running[one[1][:12]]: round(float(one[2]) * _UNITS[one[3]])
        for one in sizes
        if one and one[1][:12] in running and one[3] in _UNITS
    }
