"""A real Bugsink accepts the library's reports, groups them as the SDK's, and stores nothing private."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.error_reports import ADDRESS, CONTENT, OWNERS, PRIVATE
from support.programs.bugsink import Bugsink, bugsink

pytestmark = pytest.mark.proof

TESTS = Path(__file__).parents[1]
EVENTS = 8
"""Two of each: unhandled, captured and then unhandled, logged."""


def report(kind: str, dsn: str) -> None:
    program = [sys.executable, str(TESTS / "support" / "error_reports.py"), kind, dsn]
    subprocess.run(program, env=os.environ | {"PYTHONPATH": str(TESTS)}, check=True, timeout=120)


def events(site: Bugsink, project: str) -> list[dict[str, Any]]:
    found = site.rows("SELECT data FROM events_event WHERE project_id = ?", site.project_ids[project])
    return [json.loads(data) for (data,) in found]


def wait_for_events(site: Bugsink, project: str) -> None:
    deadline = time.monotonic() + 60
    while len(events(site, project)) < EVENTS and time.monotonic() < deadline:
        time.sleep(0.2)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bugsink]:
    """A Bugsink with the library's reports in one project; those of the plain SDK come later."""
    with bugsink(tmp_path_factory.mktemp("bugsink"), "library", "plain") as running:
        report("library", running.dsns["library"])
        wait_for_events(running, "library")
        yield running


def groups(site: Bugsink, project: str) -> list[tuple[str, ...]]:
    return sorted(
        site.rows(
            "SELECT calculated_type, last_frame_function, digested_event_count FROM issues_issue"
            " WHERE project_id = ?",
            site.project_ids[project],
        )
    )


def test_all_events_are_accepted_and_hold_nothing_private(site: Bugsink) -> None:
    assert len(events(site, "library")) == EVENTS
    content = site.content()
    assert b"QuotaError" in content
    assert [text for text in PRIVATE if text.encode() in content] == []


def test_unhandled_errors_are_marked(site: Bugsink) -> None:
    marks = [
        (event["exception"]["values"][-1]["type"], event["exception"]["values"][-1]["mechanism"]["handled"])
        for event in events(site, "library")
    ]
    assert sorted(marks) == sorted(
        [("QuotaError", False), ("KeyError", True), ("ValueError", False), ("ValueError", True)] * 2
    )


def test_issues_group_as_without_the_library(site: Bugsink) -> None:
    report("plain", site.dsns["plain"])
    wait_for_events(site, "plain")
    assert groups(site, "plain") == groups(site, "library")
    content = site.content()
    # The search finds what the plain SDK sends. It removes cookies itself.
    assert all(text.encode() in content for text in (*OWNERS, CONTENT, ADDRESS))
