"""Speed of the page: between two browsers, and between a browser and the command line.

Two Chromium, each with a profile on disk, send a file of random bytes. The comparison is the same transfer
between two commands; over WebRTC their direct TCP connections are broken. ``TALLOW_BENCH_PAGE_BYTES`` sets
the file's size (default: 60 MB). A page's time runs from the click on "Accept" to the end, the check of the
hash included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from benchmarks.devtools import DevToolsTab, devtools_tab
from benchmarks.paired_measurement import Row, summed
from support.web_app.files import make_file, wait_for_download
from support.web_app.server import serving_page
from support.web_app.transfers import PRIMARY, STATE, command_line, start_send

SIZE: Final = int(os.environ.get("TALLOW_BENCH_PAGE_BYTES", "60000000"))
ROUNDS: Final = 3
PATHS: Final = {"relay": "over the relay", "direct": "over WebRTC"}
"""Values of the setting ``relay_preference``."""

_EMPTY_STORAGE: Final = """(async () => {
  const folder = await navigator.storage.getDirectory();
  for await (const name of folder.keys()) await folder.removeEntry(name, {recursive: true});
})()"""


@dataclass(frozen=True)
class Bench:
    """A server, two browsers and the file.

    Attributes:
        folder: for what peers write.
        path: a key of :data:`PATHS`.
        saves: wait until the browser has saved a received file into its downloads.
    """

    url: str
    sender: DevToolsTab
    receiver: DevToolsTab
    source: Path
    folder: Path
    path: str = "relay"
    saves: bool = True

    def prepare(self, tab: DevToolsTab) -> None:
        """Open the page with a setting for the path, without what it received before."""
        tab.open(self.url)
        tab.run(_EMPTY_STORAGE)
        chosen = json.dumps(json.dumps({"relay_preference": self.path}))
        tab.run(f"void localStorage.setItem('tallow.settings', {chosen})")
        tab.open(self.url)


@contextmanager
def two_browsers(folder: Path, downloads: Path | None) -> Iterator[tuple[DevToolsTab, DevToolsTab]]:
    """Two browsers with profiles on disk: private windows would keep received files in memory."""
    with (
        devtools_tab(folder / "sender", None) as sender,
        devtools_tab(folder / "receiver", downloads) as receiver,
    ):
        yield sender, receiver


def rows() -> list[Row]:
    """The table's rows on the page."""
    made = []
    with tempfile.TemporaryDirectory(prefix="tallow-bench-", ignore_cleanup_errors=True) as scratch:
        folder = Path(scratch)
        source, downloads = make_file(folder / "source.bin", SIZE), folder / "downloads"
        downloads.mkdir()
        with (
            serving_page(folder / "server", ROOMS_PER_MINUTE="600") as server,
            two_browsers(folder, downloads) as (sender, receiver),
        ):
            for path in PATHS:
                made += measured_rows(Bench(server.url, sender, receiver, source, folder, path))
    return made


def measured_rows(bench: Bench) -> list[Row]:
    """Rounds of each kind of transfer, in an order that changes."""
    kinds: dict[str, Callable[[Bench], float]] = {
        "page to page": page_to_page,
        "page to command line": page_to_command,
        "command line to page": command_to_page,
        "": command_to_command,
    }
    speeds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for turn in range(ROUNDS):
        for kind in [*kinds][turn:] + [*kinds][:turn]:
            speeds[kind].append(SIZE / 1e6 / kinds[kind](bench))
    theirs = speeds.pop("")
    return [
        summed(
            f"speed, {kind}, {PATHS[bench.path]}",
            "command line to command line",
            list(zip(ours, theirs, strict=True)),
            1,
            None,
            "MB/s",
            1.0,
        )
        for kind, ours in speeds.items()
    ]


def page_to_page(bench: Bench) -> float:
    for tab in (bench.sender, bench.receiver):
        bench.prepare(tab)
    return received_by_page(bench, start_send(bench.sender, [bench.source]))


def page_to_command(bench: Bench) -> float:
    bench.prepare(bench.sender)
    link = start_send(bench.sender, [bench.source])
    seconds = received_by_command(bench, link)
    wait_for_done(bench.sender)
    return seconds


def command_to_page(bench: Bench) -> float:
    bench.prepare(bench.receiver)
    with sent_by_command(bench) as link:
        return received_by_page(bench, link)


def command_to_command(bench: Bench) -> float:
    with sent_by_command(bench) as link:
        return received_by_command(bench, link)


@contextmanager
def sent_by_command(bench: Bench) -> Iterator[str]:
    with command_line(
        *("send", "--server", bench.url, "--no-qr", *options(bench), str(bench.source)), **environment(bench)
    ) as sender:
        assert sender.stdout is not None
        yield next(found for line in sender.stdout if (found := json.loads(line).get("link")))
        check(finished(sender))


def received_by_page(bench: Bench, link: str) -> float:
    bench.receiver.open(link)
    wait_for_state(bench.receiver, "confirming")
    wait_for_state(bench.receiver, "confirming")
    started = time.perf_counter()
    bench.receiver.click(PRIMARY)
    wait_for_done(bench.receiver)
    seconds = time.perf_counter() - started
    if bench.saves:  # the page hands the file from the browser's storage to the downloads
        size = bench.source.stat().st_size
        wait_for_download(bench.receiver, bench.folder / "downloads", bench.source.name, size).unlink()
    return seconds


def received_by_command(bench: Bench, link: str) -> float:
    out = bench.folder / "out"
    command = ("receive", "--yes", *options(bench), "-o", str(out))
    with command_line(*command, stdin=link, **environment(bench)) as receiver:
        ended = check(finished(receiver))
    (out / bench.source.name).unlink()
    return float(ended["seconds"])


def options(bench: Bench) -> tuple[str, str]:
    return ("--json", "--relay" if bench.path == "relay" else "--direct")


def environment(bench: Bench) -> dict[str, str]:
    """Commands that connect by WebRTC, if not over the relay, and leave no state behind."""
    homes = {f"XDG_{name}_HOME": str(bench.folder / name) for name in ("STATE", "CONFIG")}
    return homes | {"TALLOW_FAULTS": "1", "TALLOW_PEER_FAULTS": "break_tcp=1"}


def finished(process: subprocess.Popen[str]) -> dict[str, Any]:
    """The last event of a command."""
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def check(ended: dict[str, Any]) -> dict[str, Any]:
    if ended.get("outcome") != "success":
        raise RuntimeError(f"the transfer ended with {ended}")
    return ended


def wait_for_done(tab: DevToolsTab) -> None:
    if (state := wait_for_state(tab, "done", "failed", "cancelled")) != "done":
        raise RuntimeError(f"the page's transfer ended with {state}")


def wait_for_state(tab: DevToolsTab, *states: str) -> str:
    """Wait until the tab's transfer is in one of the states. The page waits itself: asking it again and again
    would take part of its time."""
    found: str = tab.run(f"""new Promise((resolve) => {{
      const states = {json.dumps(states)};
      const check = () => {{
        if (!states.includes({STATE})) return;
        observer.disconnect();
        resolve({STATE});
      }};
      const observer = new MutationObserver(check);
      observer.observe(document.body, {{subtree: true, childList: true, attributes: true}});
      check();
    }})""")
    return found
