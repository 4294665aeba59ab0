"""A log call with six context fields: building the record, scrubbing it (only ours), writing it as JSON.

Measures the CPU time of the whole process, including the writer thread. Every call has new values. The
competitors scrub nothing and write neither logger name nor service, environment and version.
"""

from __future__ import annotations

import logging
import os
import random
import uuid
from pathlib import Path
from typing import Any

import loguru
import orjson
import structlog
from pythonjsonlogger.orjson import OrjsonFormatter

from benchmarks.paired_measurement import Row, paired
from tallow.monitoring.logging.loggers import Logger
from tallow.monitoring.logging.pipeline import Pipeline
from tallow.monitoring.logging.sinks import FileSink
from tallow.monitoring.logging.writer import Writer
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry

CALLS = 5_000
MESSAGE = "Chunk acknowledged"
NOWHERE = Path(os.devnull)

Call = dict[str, Any]


def calls() -> list[Call]:
    """Six typical fields: an id, a size, a time, a count, two words."""
    return [
        {
            "transfer_id": str(uuid.uuid4()),
            "size_bytes": random.randrange(1, 10**9),
            "duration": random.random(),
            "attempt": random.randrange(9),
            "method": random.choice(("p2p", "relay")),
            "peer": f"peer-{random.randrange(10**6)}",
        }
        for _ in range(CALLS)
    ]


def calls_with_new_words() -> list[Call]:
    """The same with new words in every call, so that the scrubber's template cache has no entry."""
    return [{**call, "method": word(5), "peer": f"{word(8)}.{word(7)}.example"} for call in calls()]


def word(size: int) -> str:
    """Random letters."""
    return "".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=size))


def rows() -> list[Row]:
    """The table's rows on logging."""
    pipeline, writer = tallow()
    log = Logger("benchmark", pipeline)

    def ours(data: list[Call]) -> None:
        for context in data:
            log.info(MESSAGE, **context)
        writer.flush()

    structured = {"structlog + orjson": with_structlog()}
    others = {"python-json-logger": with_json_logger(), "loguru": with_loguru()}
    aims: dict[str, float | None] = {"structlog + orjson": 0.85}
    work = "log call, six fields (ours scrubbed)"
    return [
        *paired(work, ours, structured | others, calls, items=CALLS, aims=aims),
        *paired(
            "the same with new words",
            ours,
            structured,
            calls_with_new_words,
            items=CALLS,
            aims={"structlog + orjson": 1.3},
        ),
    ]


def tallow() -> tuple[Pipeline, Writer]:
    metrics = Metrics(Registry())
    writer = Writer([FileSink(NOWHERE, metrics=metrics)], metrics=metrics)
    pipeline = Pipeline(metrics=metrics)
    static = {"service": "tallow", "environment": "benchmark", "version": "1.2.3"}
    pipeline.configure(level="info", static=static, writer=writer)
    return pipeline, writer


def with_structlog() -> Any:
    log = structlog.wrap_logger(
        structlog.BytesLogger(NOWHERE.open("wb")),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        cache_logger_on_first_use=True,
    ).bind()

    def theirs(data: list[Call]) -> None:
        for context in data:
            log.info(MESSAGE, **context)

    return theirs


def with_json_logger() -> Any:
    handler = logging.StreamHandler(NOWHERE.open("w"))
    handler.setFormatter(OrjsonFormatter("%(asctime)s %(levelname)s %(message)s"))
    log = logging.getLogger("benchmark")
    log.setLevel(logging.INFO)
    log.propagate = False
    log.addHandler(handler)

    def theirs(data: list[Call]) -> None:
        for context in data:
            log.info(MESSAGE, extra=context)

    return theirs


def with_loguru() -> Any:
    loguru.logger.remove()
    loguru.logger.add(NOWHERE.open("w"), serialize=True, level="INFO")

    def theirs(data: list[Call]) -> None:
        for context in data:
            loguru.logger.info(MESSAGE, **context)

    return theirs
