"""The measurements that estimates are made from, as ``measurements.json`` holds them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Final

from pydantic import TypeAdapter

PATH: Final = PurePosixPath("src/tallow/stack/sizing/measurements.json")
"""The data file in the repository."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the figures were measured.

    Attributes:
        date: the day, as ``2026-11-29``.
        prometheus: the version of Prometheus and promtool.
        machine: architecture and cores.
        interval_seconds: the time between two scrapes of a simulated instance.
        scrapes: of each instance.
        load_average: of the machine over the last minute, when the rules had been measured.
    """

    date: str
    prometheus: str
    machine: str
    interval_seconds: float
    scrapes: int
    load_average: float


@dataclass(frozen=True, slots=True)
class Exposition:
    """One exposition of a real server: its samples, and its size with and without gzip."""

    series: int
    bytes: int
    gzip_bytes: int


@dataclass(frozen=True, slots=True)
class Block:
    """A block of two hours that promtool wrote and analysed."""

    samples: int
    series: int
    chunk_bytes: int
    index_bytes: int


@dataclass(frozen=True, slots=True)
class Process:
    """A Prometheus after it scraped a number of simulated instances.

    Attributes:
        resident_bytes: its resident memory at the end.
        cpu_seconds: of scrapes and rules together.
        remote_write_bytes: sent by remote write; 0 if there is none.
        wal_bytes, wal_samples: what the write-ahead log grew by after all series were in it.
    """

    instances: int
    series: int
    samples: int
    resident_bytes: int
    cpu_seconds: float
    remote_write_bytes: int = 0
    wal_bytes: int = 0
    wal_samples: int = 0


@dataclass(frozen=True, slots=True)
class RuleEvaluation:
    """The time that each rule group takes, in seconds, with full windows of a number of instances."""

    instances: int
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Measurements:
    """All measurements.

    Attributes:
        idle: of a server that has just started.
        busy: of a server after traffic of every kind.
        registered: the values that the server registers, by the name of the guarded label.
        series_by_name: the samples of the busy exposition by name.
        processes: without remote write, by rising number of instances.
        remote_write: the process with remote write.
        rules: by rising number of instances.
    """

    conditions: Conditions
    idle: Exposition
    busy: Exposition
    registered: Mapping[str, int]
    series_by_name: Mapping[str, int]
    block: Block
    processes: tuple[Process, ...]
    remote_write: Process
    rules: tuple[RuleEvaluation, ...]

    @classmethod
    def from_json(cls, text: str | bytes) -> Measurements:
        """Parse the data file.

        Raises:
            pydantic.ValidationError: a value is missing or has the wrong type.
        """
        return _ADAPTER.validate_json(text)

    def to_json(self) -> str:
        """The content of the data file."""
        return _ADAPTER.dump_json(self, indent=1).decode() + "\n"


_ADAPTER: Final = TypeAdapter(Measurements)


@cache
def load() -> Measurements:
    """The committed measurements.

    Example:
        >>> load().idle.series < load().busy.series
        True
    """
    return Measurements.from_json((resources.files("tallow.stack.sizing") / PATH.name).read_bytes())
