"""``python -m benchmarks load``: measure the capacity of the server, and write docs/capacity.md.

--work rooms,sockets,relay,probes      parts to measure; all by default
--systems w1,w2,w4,instances,wormhole  by default all; ``before`` needs --baseline
--baseline SRC                         folder ``src`` of an older version, measured beside the current one
--json                                 print the figures as JSON
--write                                store them in benchmarks/results/capacity.json and write the page
--page                                 write the page from the stored figures, without measuring
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import page, probes, relay, rooms, sockets, wormhole_load
from benchmarks.load.measurement import Measurement
from benchmarks.load.server import LoadedServer, instances, raise_descriptor_limit, tallow

WORKS = ("rooms", "sockets", "relay", "probes")
SYSTEMS = ("w1", "w2", "w4", "instances", "wormhole")
CONNECTIONS = (1, 4, 16, 64)
ROOM_SECONDS = 3.0
PROBED_PAIRS = (0, 50, 100, 200)
RELAYED: Sequence[tuple[int, int, int]] = [
    (pairs, size, total)
    for size, total in ((4 * relay.KIB, 100_000_000), (256 * relay.KIB, 600_000_000))
    for pairs in (1, 10, 50)
]
"""Pairs, bytes of a message, bytes in all."""


@dataclass(frozen=True)
class Result:
    """One measurement: the kind of work, the system, and the figures."""

    work: str
    system: str
    figures: Measurement


def of_tallow(server: LoadedServer, work: str) -> Iterator[Measurement]:
    """The measurements of one kind of work on a running server."""
    if work == "rooms":
        yield from rooms.curve(server, CONNECTIONS, ROOM_SECONDS)
    elif work == "sockets":
        yield from sockets.measured(server)
    elif work == "relay":
        for pairs, size, total in RELAYED:
            yield relay.measured(server, pairs, size, total)
    else:
        for pairs in PROBED_PAIRS:
            yield probes.measured(server, pairs)


def of_wormhole(work: str) -> Iterator[Measurement]:
    """The measurements of the work that magic-wormhole's servers do as well."""
    if work == "sockets":
        yield from wormhole_load.idle_sockets()
    elif work == "relay":
        for pairs, size, total in RELAYED:
            yield wormhole_load.relayed(pairs, size, total)


@contextmanager
def nothing() -> Iterator[None]:
    """No server of Tallow."""
    yield None


def run(works: Sequence[str], systems: Sequence[str], baseline: Path | None) -> list[Result]:
    """Measure each kind of work on each system, one system after the other."""
    started: dict[str, Callable[[], object]] = {
        "w1": lambda: tallow(1),
        "w2": lambda: tallow(2),
        "w4": lambda: tallow(4),
        "instances": instances,
        "before": lambda: tallow(1, baseline),
        "before2": lambda: tallow(2, baseline),
    }
    results = []
    for work in works:
        for system in systems:
            print(f"… {work} {system}", file=sys.stderr, flush=True)
            if system == "wormhole":
                found = list(of_wormhole(work))
            else:
                with started[system]() as server:  # type: ignore[attr-defined]
                    found = list(of_tallow(server, work))
            results += [Result(work, system, figures) for figures in found]
    return results


def main(arguments: Sequence[str]) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser("python -m benchmarks load", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--work", default=",".join(WORKS))
    parser.add_argument("--systems", default=",".join(SYSTEMS))
    parser.add_argument("--baseline", type=Path)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--page", action="store_true")
    options = parser.parse_args(arguments)
    if options.page:
        page.write(page.stored())
        return
    works, systems = options.work.split(","), options.systems.split(",")
    known = (*SYSTEMS, *(("before", "before2") if options.baseline else ()))
    for given, accepted in ((works, WORKS), (systems, known)):
        if unknown := set(given) - set(accepted):
            parser.error(f"unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(accepted)}")
    raise_descriptor_limit()
    results = [
        {"work": each.work, "system": each.system, "figures": each.figures}
        for each in run(works, systems, options.baseline)
    ]
    if options.json:
        print(json.dumps(results, indent=1))
    else:
        print(page.tables(results))
    if options.write:
        page.write(page.store(results))
