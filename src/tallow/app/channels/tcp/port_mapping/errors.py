"""The error of a port that was not mapped."""

from __future__ import annotations


class PortMappingError(Exception):
    """No port was mapped. The text completes "no port was mapped on the router: …" and names no address."""
