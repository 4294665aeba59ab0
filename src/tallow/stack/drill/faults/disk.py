"""Small disks: one fills up, one has no inode left, one becomes read-only. A node_exporter reports them.

The disks are tmpfs in a mount namespace of its own; they need no root and end with the exporter. The rule
ignores tmpfs, so the exporter reads a mount table that calls them ext4. The sizes are those of the tmpfs;
whether a disk is read-only comes from the mount table.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import yaml

from tallow.monitoring.lifecycle.private_files import private_folder, write_private
from tallow.stack.drill.environment.server import DrillError
from tallow.stack.drill.environment.stack import DrillEnvironment
from tallow.stack.drill.run.model import Drill, DrillContext, wait_until
from tallow.stack.engines.processes.environment import inherited_environment
from tallow.stack.engines.processes.managed_process import ManagedProcess
from tallow.stack.engines.programs import programs

_DISK_BYTES: Final = 32 << 20
_FILE_BYTES: Final = 30 << 20
_INODES: Final = 64
_MOUNT: Final = "drill"
_INODE_MOUNT: Final = "drill-inodes"
_READONLY_MOUNT: Final = "drill-readonly"
_MOUNTS: Final = (_MOUNT, _INODE_MOUNT, _READONLY_MOUNT)


def mount_tables(*, readonly: bool = False) -> dict[str, str]:
    """The files of ``/proc/1`` that call each tmpfs an ext4 file system. Source: proc(5).

    Debian 12's node_exporter 1.5 reads ``mounts``, node_exporter 1.12 reads ``mountinfo``. There the kernel
    writes that a file system became read-only after an error into the options behind the hyphen, those of the
    file system, and leaves those of the mount as they were.
    """
    access = {name: "ro" if readonly and name == _READONLY_MOUNT else "rw" for name in _MOUNTS}
    return {
        "mounts": "".join(f"/dev/{name} /{name} ext4 {access[name]} 0 0\n" for name in _MOUNTS),
        "mountinfo": "".join(
            f"{number} 0 8:{number} / /{name} rw - ext4 /dev/{name} {access[name]}\n"
            for number, name in enumerate(_MOUNTS, 1)
        ),
    }


class UnsupportedError(DrillError):
    """This machine cannot run the drill."""


@asynccontextmanager
async def filling_disk(context: DrillContext) -> AsyncIterator[None]:
    """A file takes nearly all space of one disk, files all inodes of another, and a third is read-only."""
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
        root = Path(f"/proc/{process.pid}/root{folder}")
        file = root / _MOUNT / "file"
        context.mark_fault_start()
        await asyncio.to_thread(file.write_bytes, bytes(_FILE_BYTES))
        await asyncio.to_thread(_use_inodes, root / _INODE_MOUNT)
        _write_tables(folder, readonly=True)
        yield
        await asyncio.to_thread(file.unlink)
        await asyncio.to_thread(shutil.rmtree, root / _INODE_MOUNT / "files")
        _write_tables(folder)
        context.cleanup.push_async_callback(process.stop)
    except BaseException:
        await process.stop()
        raise


def _use_inodes(disk: Path) -> None:
    """Make empty files until no inode is left."""
    files = disk / "files"
    files.mkdir()
    with contextlib.suppress(OSError):
        for number in range(2 * _INODES):
            (files / str(number)).touch()


def _write_tables(folder: Path, *, readonly: bool = False) -> None:
    for name, text in mount_tables(readonly=readonly).items():
        write_private(folder / "proc" / "1" / name, text)


async def every_disk_is_reported(context: DrillContext) -> list[str]:
    """The alert fires for each of the three disks."""

    async def reported() -> set[str]:
        return {
            alert["labels"]["mountpoint"]
            for alert in await context.environment.alerts()
            if alert["labels"]["alertname"] == "DiskFilling" and alert["state"] == "firing"
        }

    async def are_all_reported() -> bool:
        return {f"/{name}" for name in _MOUNTS} <= await reported()

    await wait_until(
        are_all_reported, 60, "DiskFilling did not fire for all of the space, inodes and remount"
    )
    return []


def _exporter(environment: DrillEnvironment, folder: Path) -> ManagedProcess:
    unshare = shutil.which("unshare")
    if unshare is None:
        raise UnsupportedError("no mount namespace here: unshare (util-linux) is not installed")
    for name in _MOUNTS:
        private_folder(folder / name)
    _write_tables(folder)
    exporter = programs.ensure(["node_exporter"])["node_exporter"]
    options = {_INODE_MOUNT: f"nr_inodes={_INODES}"}
    mount = " && ".join(
        f'mount -t tmpfs -o {options.get(name, f"size={_DISK_BYTES}")} none "$0/{name}"' for name in _MOUNTS
    )
    arguments = [
        "--collector.disable-defaults",
        "--collector.filesystem",
        f"--path.procfs={folder / 'proc'}",
        f"--path.rootfs={folder}",
        f"--web.listen-address={environment.instance_label('disk')}",
    ]
    return ManagedProcess(
        [unshare, "-Urm", "sh", "-c", f'{mount} && exec "$@"', str(folder), str(exporter.path), *arguments],
        folder,
        environment.home.logs / "disk.log",
        inherited_environment() | dict(exporter.environment),
    )


DRILLS: Final = (
    Drill(
        alert="DiskFilling",
        fault="a file fills a small disk, files take all inodes of another, and a third becomes read-only "
        "(tmpfs that the exporter reads as ext4)",
        inject=filling_disk,
        check=every_disk_is_reported,
        instance_label=lambda environment: environment.instance_label("disk"),
    ),
)
