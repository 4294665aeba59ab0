"""A small disk that fills up for real, and a node_exporter that sees it.

The disk is a tmpfs in a mount namespace of its own, which needs no root and ends with the exporter. The rule
leaves tmpfs out, since memory is no disk: the exporter reads a list of mounts that calls it ext4. The sizes
are those of the tmpfs.
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
from tallow.stack.drill.environment.process import ManagedProcess
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import Drill, DrillContext
from tallow.stack.engines.programs import programs

_SIZE: Final = 32 << 20
_FILLED: Final = 30 << 20
_MOUNT: Final = "drill"
MOUNT_TABLES: Final = {
    "mounts": f"/dev/{_MOUNT} /{_MOUNT} ext4 rw 0 0\n",  # what Debian 12's node_exporter 1.5 reads
    "mountinfo": f"1 0 8:1 / /{_MOUNT} rw - ext4 /dev/{_MOUNT} rw\n",  # what 1.12 reads
}
"""The files of ``/proc/1`` that call the tmpfs an ext4 file system. Source: proc(5)."""


class UnsupportedError(DrillError):
    """This machine does not let the drill happen."""


@asynccontextmanager
async def filling(scene: DrillContext) -> AsyncIterator[None]:
    """A file takes nearly all of a small disk."""
    ground = scene.environment
    folder = ground.home.data / "disk"
    program = _exporter(ground, folder)
    await program.start()
    targets = ground.home.config / "prometheus" / "targets" / "disk.yml"
    address = ground.instance_label("disk")
    write_private(
        targets,
        yaml.safe_dump([{"targets": [address], "labels": {"job": "node-exporter", "instance": address}}]),
    )
    try:
        await asyncio.sleep(1)
        if not program.is_running:
            raise UnsupportedError(f"no mount namespace here: {program.last_lines(1)}")
        await ground.wait_until_scraped(address)
        file = Path(f"/proc/{program.pid}/root{folder / _MOUNT}/file")
        scene.mark_fault_start()
        await asyncio.to_thread(file.write_bytes, bytes(_FILLED))
        yield
        await asyncio.to_thread(file.unlink)
        scene.cleanup.push_async_callback(program.stop)
    except BaseException:
        await program.stop()
        raise


def _exporter(ground: DrillEnvironment, folder: Path) -> ManagedProcess:
    unshare = shutil.which("unshare")
    if unshare is None:
        raise UnsupportedError("no mount namespace here: unshare (util-linux) is not installed")
    private_folder(folder / _MOUNT)
    for name, line in MOUNT_TABLES.items():
        write_private(folder / "proc" / "1" / name, line)
    exporter = programs.ensure(["node_exporter"])["node_exporter"]
    mount = f'mount -t tmpfs -o size={_SIZE} none "$0" && exec "$@"'
    arguments = [
        "--collector.disable-defaults",
        "--collector.filesystem",
        f"--path.procfs={folder / 'proc'}",
        f"--path.rootfs={folder}",
        f"--web.listen-address={ground.instance_label('disk')}",
    ]
    return ManagedProcess(
        [unshare, "-Urm", "sh", "-c", mount, str(folder / _MOUNT), str(exporter.path), *arguments],
        ground.home.logs / "disk.log",
        folder,
        exporter.environment,
    )


DRILLS: Final = (
    Drill(
        alert="DiskFilling",
        fault="a file fills a small disk (a tmpfs that the exporter is told is ext4)",
        inject=filling,
        instance_label=lambda ground: ground.instance_label("disk"),
    ),
)
