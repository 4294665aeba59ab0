"""A small disk that fills up, and a node_exporter that reports it.

The disk is a tmpfs in a mount namespace of its own; it needs no root and ends with the exporter. The rule
ignores tmpfs, so the exporter reads a mount table that calls it ext4. The sizes are those of the tmpfs.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import yaml

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import Drill, DrillContext
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess
from tallow.stack.engines.programs import programs

_DISK_BYTES: Final = 32 << 20
_FILE_BYTES: Final = 30 << 20
_MOUNT: Final = "drill"
MOUNT_TABLES: Final = {
    "mounts": f"/dev/{_MOUNT} /{_MOUNT} ext4 rw 0 0\n",  # read by Debian 12's node_exporter 1.5
    "mountinfo": f"1 0 8:1 / /{_MOUNT} rw - ext4 /dev/{_MOUNT} rw\n",  # read by node_exporter 1.12
}
"""The files of ``/proc/1`` that call the tmpfs an ext4 file system. Source: proc(5)."""


class UnsupportedError(DrillError):
    """This machine cannot run the drill."""


@asynccontextmanager
async def filling_disk(context: DrillContext) -> AsyncIterator[None]:
    """A file takes nearly all space of a small disk."""
    environment = context.environment
    folder = environment.home.data / "disk"
    process = _exporter(environment, folder)
    await process.start()
    address = environment.instance_label("disk")
    target = {"targets": [address], "labels": {"job": "node-exporter", "instance": address}}
    targets_file = environment.home.config / "prometheus" / "targets" / "disk.yml"
    write_private(targets_file, yaml.safe_dump([target]))
    try:
        await asyncio.sleep(1)
        if not process.is_running:
            raise UnsupportedError(f"no mount namespace here: {process.last_lines(1)}")
        await environment.wait_until_scraped(address)
        file = Path(f"/proc/{process.pid}/root{folder / _MOUNT}/file")
        context.mark_fault_start()
        await asyncio.to_thread(file.write_bytes, bytes(_FILE_BYTES))
        yield
        await asyncio.to_thread(file.unlink)
        context.cleanup.push_async_callback(process.stop)
    except BaseException:
        await process.stop()
        raise


def _exporter(environment: DrillEnvironment, folder: Path) -> ManagedProcess:
    unshare = shutil.which("unshare")
    if unshare is None:
        raise UnsupportedError("no mount namespace here: unshare (util-linux) is not installed")
    private_folder(folder / _MOUNT)
    for name, line in MOUNT_TABLES.items():
        write_private(folder / "proc" / "1" / name, line)
    exporter = programs.ensure(["node_exporter"])["node_exporter"]
    mount = f'mount -t tmpfs -o size={_DISK_BYTES} none "$0" && exec "$@"'
    arguments = [
        "--collector.disable-defaults",
        "--collector.filesystem",
        f"--path.procfs={folder / 'proc'}",
        f"--path.rootfs={folder}",
        f"--web.listen-address={environment.instance_label('disk')}",
    ]
    return ManagedProcess(
        [unshare, "-Urm", "sh", "-c", mount, str(folder / _MOUNT), str(exporter.path), *arguments],
        folder,
        environment.home.logs / "disk.log",
        inherited_environment() | dict(exporter.environment),
    )


DRILLS: Final = (
    Drill(
        alert="DiskFilling",
        fault="a file fills a small disk (a tmpfs that the exporter reads as ext4)",
        inject=filling_disk,
        instance_label=lambda environment: environment.instance_label("disk"),
    ),
)
