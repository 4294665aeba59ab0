"""The transport in forked processes: no event is sent twice, and no connection is shared."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tallow.monitoring.testing import FakeSentry

FORK = """
import os
import sentry_sdk
from tallow.monitoring import sentry
from tallow.monitoring.sentry import event_scrubbing

event_scrubbing.scrub = lambda value: value
sentry.init_monitoring()
sentry_sdk.capture_message("sent before the fork")
sentry.flush(10)
for _ in range(3):
    sentry_sdk.capture_message("queued at the fork")
child = os.fork()
if child == 0:
    sentry_sdk.capture_message("from the child")
    sentry.flush(10)
    os._exit(0)
sentry_sdk.capture_message("from the parent")
sentry.flush(10)
assert os.waitpid(child, 0)[1] == 0
sentry.close(10)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_parent_and_child_send_each_event_once(server: FakeSentry) -> None:
    server.fail(delay_s=0.1)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK],
        env=os.environ | {"SENTRY_DSN": server.dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert server.rejections == []
    assert sorted(event["message"] for event in server.payloads("event")) == [
        "from the child",
        "from the parent",
        *["queued at the fork"] * 3,
        "sent before the fork",
    ]
