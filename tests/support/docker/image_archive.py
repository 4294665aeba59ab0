"""Images made of files of this machine: a tar archive with one layer, imported without a registry."""

from __future__ import annotations

import io
import os
import re
import struct
import subprocess
import tarfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from support.docker.engine import DockerEngine

PathFilter = Callable[[Path], bool]
_EFFECTIVE_REVISION_2 = 0x02000001  # VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE


@dataclass
class ImageArchive:
    """The layer of an image.

    Attributes:
        changes: lines of a Dockerfile, such as ``USER 65534``.
    """

    changes: list[str] = field(default_factory=list)
    _entries: dict[str, tuple[tarfile.TarInfo, Path | bytes]] = field(default_factory=dict)

    def folder(self, path: str, owner: int = 0, mode: int = 0o755) -> None:
        """Add a folder."""
        self._add(path, tarfile.DIRTYPE, mode, owner, b"")

    def text(self, path: str, content: str, mode: int = 0o644) -> None:
        """Add a file with a text."""
        self._add(path, tarfile.REGTYPE, mode, 0, content.encode())

    def link(self, path: str, target: str) -> None:
        """Add a symbolic link."""
        self._add(path, tarfile.SYMTYPE, 0o777, 0, b"").linkname = target

    def file(self, path: str, source: Path, mode: int = 0o644) -> None:
        """Add a file of this machine."""
        self._add(path, tarfile.REGTYPE, mode, 0, source)

    def program(
        self,
        path: str,
        source: Path,
        environment: Mapping[str, str] = os.environ,
        capability: int | None = None,
    ) -> None:
        """Add a program and the libraries that it is linked with.

        Args:
            capability: the number of one that its file carries, as `setcap NAME=+ep` gives it.
        """
        entry = self._add(path, tarfile.REGTYPE, 0o755, 0, source)
        if capability is not None:
            value = struct.pack("<5I", _EFFECTIVE_REVISION_2, 1 << capability, 0, 0, 0)
            entry.pax_headers = {"SCHILY.xattr.security.capability": value.decode("ascii")}
        self.libraries(source, environment)

    def libraries(self, program: Path, environment: Mapping[str, str] = os.environ) -> None:
        """Add the libraries of a program or library, where the program looks for them."""
        listed = subprocess.run(
            ["ldd", str(program)], env=environment, capture_output=True, text=True, check=False
        )
        for name, found in re.findall(r"^\s*(?:(\S+) => )?(/\S+) \(0x", listed.stdout, re.MULTILINE):
            self.file(f"/lib/{name.rpartition('/')[2]}" if name else found, Path(found).resolve(), 0o755)

    def tree(self, source: Path, path: str, keep: PathFilter = lambda _: True) -> None:
        """Add a folder of this machine with its files; symbolic links are followed."""
        for folder, names, files in os.walk(source, followlinks=True):
            names[:] = [name for name in names if keep(Path(folder, name))]
            for name in files:
                one = Path(folder, name)
                if keep(one) and one.exists():
                    self.file(
                        f"{path}/{one.relative_to(source)}", one, 0o755 if os.access(one, os.X_OK) else 0o644
                    )

    def load(self, engine: DockerEngine, tag: str) -> None:
        """Import the image under a name."""
        options = [part for change in self.changes for part in ("--change", change)]
        command = ["docker", "import", *options, "-", tag]
        with subprocess.Popen(
            command, env=os.environ | engine.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # the client ended; its status tells
                self._write(process.stdin)
                process.stdin.close()
            process.wait()
        assert process.returncode == 0, f"{tag} cannot be imported"

    def _add(self, path: str, kind: bytes, mode: int, owner: int, content: Path | bytes) -> tarfile.TarInfo:
        entry = tarfile.TarInfo(path.lstrip("/"))
        entry.type, entry.mode, entry.uid, entry.gid = kind, mode, owner, owner
        for parent in reversed(Path(entry.name).parents[:-1]):
            self._entries.setdefault(str(parent), (_parent(parent), b""))
        self._entries[entry.name] = (entry, content)
        return entry

    def _write(self, stream: IO[bytes]) -> None:
        with tarfile.open(fileobj=stream, mode="w|") as archive:
            for entry, content in self._entries.values():
                if isinstance(content, Path):
                    entry.size = content.stat().st_size
                    with content.open("rb") as file:
                        archive.addfile(entry, file)
                else:
                    entry.size = len(content)
                    archive.addfile(entry, io.BytesIO(content))


def _parent(path: Path) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(str(path))
    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    return entry


def with_busybox(busybox: Path, changes: Iterable[str]) -> ImageArchive:
    """An image with the shell and tools that Alpine and Prometheus's base image have."""
    image = ImageArchive(list(changes))
    for folder, mode in (
        ("/tmp", 0o1777),
        ("/var/tmp", 0o1777),
        ("/proc", 0o755),
        ("/sys", 0o755),
        ("/dev", 0o755),
    ):
        image.folder(folder, mode=mode)
    image.file("/bin/busybox", busybox, 0o755)
    applets = subprocess.run(
        [str(busybox), "--list"], capture_output=True, text=True, check=True
    ).stdout.split()
    for name in set(applets) - {"busybox"}:
        image.link(f"/bin/{name}", "busybox")
    image.text("/etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n")
    image.text("/etc/group", "root:x:0:\nnobody:x:65534:\n")
    return image
