"""Programs of Debian's packages that lie elsewhere: a copy that finds its files.

Debian compiles the absolute path of a folder into Prometheus and Alertmanager, such as that of Alertmanager's
``default.tmpl``. Where the program was copied to another machine, or its package unpacked, this folder is
missing. An ordinary user can neither create it nor should change a program on the PATH. So a copy is made in
the folder for unpacked packages, together with the files. It is made again when the program changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path
from typing import Final

from tallow.stack.engines.programs import debian, package_folders

COPY: Final = "relocated"
_DIGEST_CHARACTERS: Final = 16


def needs_files(package: str, program: Path) -> bool:
    """Whether a program is Debian's build and the folder that it expects is missing on this machine."""
    folder = debian.compiled_folder(package)
    if folder is None or folder.is_dir():
        return False
    try:
        return str(folder).encode() in program.read_bytes()
    except OSError:  # it may be started, but not read
        return False


def relocated(package: str, program: Path, tools: Path) -> Path:
    """Return the root of a copy of a program with its files, laid out as an unpacked package.

    The files are those beside the program, as in an unpacked package, or those of Debian's newest package.

    Args:
        package: of which the program is a build.
        program: for which :func:`needs_files` is true.
        tools: the folder for unpacked packages.

    Raises:
        PackageError: there are no files, or the copy cannot be written.
    """
    folder = debian.compiled_folder(package)
    assert folder is not None
    link = tools / f"{package}.{COPY}"
    try:
        content = program.read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:_DIGEST_CHARACTERS]
        if package_folders.version(link) != digest:
            beside = program.resolve().parents[1] / folder.relative_to("/usr")
            root = None if beside.is_dir() else debian.unpack(package, tools)
            files = beside if root is None else root / folder.relative_to("/")
            with debian.locked(tools):
                _copy(package, program, files, link, digest)
    except OSError as error:
        raise debian.PackageError(f"{program} cannot be copied to {tools}: {error.strerror}") from None
    return link


def _copy(package: str, program: Path, files: Path, link: Path, digest: str) -> None:
    draft = link.with_name(f"{link.name}.half")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(draft)
    debian.place_program(package, program, files, draft)
    package_folders.activate(draft, link, digest)
    package_folders.remove_unused(link)
