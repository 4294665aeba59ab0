"""Configuring and closing logging: repeated, it leaves the process as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tallow.monitoring.testing import log_endpoint

REPEATED = """
import atexit, gc, logging, os, sys, threading, warnings

os.environ["LOG_FILE"] = os.devnull
from tallow.monitoring.analytics import Analytics
from tallow.monitoring.lifecycle import error_hooks, fork, shutdown
from tallow.monitoring.logging import close, configure, logger
from tallow.monitoring.settings import MonitoringSettings

printer = logging.StreamHandler(sys.stdout)
logging.getLogger("shop").addHandler(printer)

def state():
    gc.collect()
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "exit functions": atexit._ncallbacks(),
        "hooks": (sys.excepthook, threading.excepthook, sys.unraisablehook),
        "factory": logging.getLogRecordFactory(),
        "handlers": (list(logging.root.handlers), list(logging.getLogger("shop").handlers)),
        "levels": (logging.root.level, logging.getLogger("httpx").level),
        "pipelines": len(shutdown.pipeline_names()),
        "listeners": len(error_hooks._listeners),
        "fork participants": len(fork._registered),
        "descriptors": len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0,
    }

def run():
    configure()
    logger.info("Opened")
    logging.getLogger("shop").warning("Through the pipeline")
    analytics = Analytics(MonitoringSettings.load())
    analytics.goal("opened")
    analytics.close()
    close()

run()
before = state()
for _ in range(50):
    run()
after = state()
print({name: (before[name], after[name]) for name in before if before[name] != after[name]})
"""


def test_fifty_times_configured_and_closed_leave_the_process_unchanged(tmp_path: Path) -> None:
    with log_endpoint() as endpoint:
        settings = {
            "LOG_ENDPOINT": endpoint.url,
            "LOG_SPOOL_DIR": str(tmp_path),
            "PLAUSIBLE_DOMAIN": "example.org",
            "PLAUSIBLE_HOST": endpoint.url,
        }
        done = subprocess.run(
            [sys.executable, "-c", REPEATED],
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.stdout == "{}\n"
        # A log endpoint accepts no events.
        assert done.stderr == "tallow: telemetry was lost: 51 analytics events\n"
        assert endpoint.messages.count("Opened") == 51
        assert endpoint.messages.count("Through the pipeline") == 51
