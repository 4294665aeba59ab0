"""The mount tables of DiskFilling's drill are read by node_exporter."""

from __future__ import annotations

import re
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from support.programs.debian import environment, program
from tallow.stack.drill.faults.disk import mount_tables

MOUNTS = ("drill", "drill-inodes", "drill-readonly")


@pytest.mark.parametrize("readonly", [False, True])
def test_both_tables_describe_the_same_mounts(readonly: bool) -> None:
    """proc(5): a mountinfo line has optional fields up to a hyphen, then type, source and options."""
    tables = {name: text.splitlines() for name, text in mount_tables(readonly=readonly).items()}
    assert len(tables["mounts"]) == len(tables["mountinfo"]) == len(MOUNTS)
    for name, line, other in zip(MOUNTS, tables["mounts"], tables["mountinfo"], strict=True):
        device, mountpoint, fstype, options, *_ = line.split()
        head, _, tail = other.partition(" - ")
        _, _, numbers, root, place, own_options = head.split()
        assert (device, mountpoint, fstype) == (f"/dev/{name}", f"/{name}", "ext4")
        assert options == ("ro" if readonly and name == "drill-readonly" else "rw")
        assert tail.split() == [fstype, device, options]
        assert (numbers.count(":"), root, place, own_options) == (1, "/", mountpoint, "rw")


def test_node_exporter_reports_the_disks_as_ext4_and_one_as_read_only(tmp_path: Path) -> None:
    """Each version of node_exporter reads one of the tables."""
    exporter = program("prometheus-node-exporter")
    (tmp_path / "proc" / "1").mkdir(parents=True)
    for name in MOUNTS:
        (tmp_path / name).mkdir()
    for name, text in mount_tables(readonly=True).items():
        (tmp_path / "proc" / "1" / name).write_text(text)
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
    assert values(text, "node_filesystem_readonly") == {"/drill": 0, "/drill-inodes": 0, "/drill-readonly": 1}
    for metric in ("avail_bytes", "size_bytes", "files", "files_free"):
        found = values(text, f"node_filesystem_{metric}")
        assert found.keys() == {f"/{name}" for name in MOUNTS}
        assert min(found.values()) > 0


def values(text: str, metric: str) -> dict[str, float]:
    """The values of a metric of ext4 file systems by mount point."""
    lines = re.findall(rf"^{metric}\{{(.*)\}} (\S+)$", text, re.MULTILINE)
    return {
        re.findall(r'mountpoint="([^"]*)"', labels)[0]: float(value)
        for labels, value in lines
        if 'fstype="ext4"' in labels
    }


def scraped(address: str, running: subprocess.Popen[bytes]) -> str:
    """The exporter's metrics, once it answers."""
    while running.poll() is None:
        try:
            return httpx.get(f"http://{address}/metrics").text
        except httpx.ConnectError:
            time.sleep(0.05)
    raise AssertionError(f"it ended with {running.returncode}")
