"""An application of Celery whose one task logs and fails. ``ORDER`` says when we configure logging."""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_postrun, worker_ready

from tallow.monitoring.logging import configure

SECRET = "alice@example.org"
app = Celery("shop", broker="memory://", backend="cache+memory://")


def configure_logging(**_given: Any) -> None:
    """Configure from a signal, whose arguments are Celery's."""
    configure()


if os.environ["ORDER"] == "before":
    configure()
elif os.environ["ORDER"] == "between":
    setup_logging.connect(configure_logging, weak=False)
else:
    worker_ready.connect(configure_logging, weak=False)


def fail(who: str) -> None:
    """Log a line and fail."""
    logging.getLogger("shop").warning("working for %s", who)
    raise ValueError(f"boom for {who} password=hunter2secret")


def start(**_given: Any) -> None:
    """Send the task once the worker is ready, and end it if it takes too long."""
    task.delay(SECRET)
    deadline = threading.Timer(20, os.kill, (os.getpid(), signal.SIGTERM))
    deadline.daemon = True
    deadline.start()


def end(**_given: Any) -> None:
    """End the worker shortly after the task, when its failure is logged."""
    timer = threading.Timer(
        1, os.kill, (os.getppid() if os.environ["POOL"] == "prefork" else os.getpid(), 15)
    )
    timer.daemon = True
    timer.start()


task = app.task(fail)
worker_ready.connect(start, weak=False)
task_postrun.connect(end, weak=False)
