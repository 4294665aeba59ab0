"""The mount tables of DiskFilling's drill are read by node_exporter."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import httpx

from support.programs.debian import environment, program
from tallow.stack.drill.faults.disk import MOUNT_TABLES

EXPECTED = {"device": "/dev/drill", "fstype": "ext4", "mountpoint": "/drill"}


def test_both_tables_describe_the_same_mount() -> None:
    """proc(5): a mountinfo line has optional fields up to a hyphen, then type, source and options."""
    device, mountpoint, fstype, options, *_ = MOUNT_TABLES["mounts"].split()
    head, _, tail = MOUNT_TABLES["mountinfo"].partition(" - ")
    _, _, numbers, root, place, own_options = head.split()
    assert (device, fstype, mountpoint) == tuple(EXPECTED.values())
    assert tail.split() == [fstype, device, options]
    assert (numbers.count(":"), root, place, own_options) == (1, "/", mountpoint, options)


def test_node_exporter_reports_the_disk_as_ext4(tmp_path: Path) -> None:
    """Each version of node_exporter reads one of the tables."""
    exporter = program("prometheus-node-exporter")
    (tmp_path / "proc" / "1").mkdir(parents=True)
    (tmp_path / "drill").mkdir()
    for name, line in MOUNT_TABLES.items():
        (tmp_path / "proc" / "1" / name).write_text(line)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
    command: list[str | Path] = [
        *(exporter, "--collector.disable-defaults", "--collector.filesystem"),
        *(f"--path.procfs={tmp_path / 'proc'}", f"--path.rootfs={tmp_path}"),
        f"--web.listen-address={address}",
    ]
    with subprocess.Popen(command, env=environment(exporter), stderr=subprocess.DEVNULL) as running:
        try:
            text = scraped(address, running)
        finally:
            running.terminate()
    (series,) = [line for line in text.splitlines() if line.startswith("node_filesystem_size_bytes{")]
    for name, value in EXPECTED.items():
        assert f'{name}="{value}"' in series
    assert float(series.rpartition(" ")[2]) > 0


def scraped(address: str, running: subprocess.Popen[bytes]) -> str:
    """The exporter's metrics, once it answers."""
    while running.poll() is None:
        try:
            return httpx.get(f"http://{address}/metrics").text
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"it ended with {running.returncode}")
