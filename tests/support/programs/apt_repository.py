"""A Debian repository in a folder; apt is configured to use only that repository."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest

_CONTROL = """\
Package: {name}
Version: {version}
Architecture: all
Maintainer: Tallow tests <tests@example.org>
Description: {name}
"""


class Repository:
    """A flat repository whose packages each hold one script.

    Args:
        folder: an empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def use(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Make this the only repository that apt knows, in this process and in its children."""
        sources, config = self.folder / "sources.list", self.folder / "apt.conf"
        sources.write_text(f"deb [trusted=yes] file:{self.folder} ./\n")
        config.write_text(f'Dir::Etc::sourcelist "{sources}";\nDir::Etc::sourceparts "-";\n')
        monkeypatch.setenv("APT_CONFIG", str(config))

    def add(self, name: str, version: str) -> None:
        """Add a package. Its program ``/usr/bin/NAME --version`` prints the version."""
        tree = self.folder / f"{name}-{version}"
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN" / "control").write_text(_CONTROL.format(name=name, version=version))
        (tree / "usr" / "bin").mkdir(parents=True)
        script = tree / "usr" / "bin" / name
        script.write_text(
            f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{name}, version {version}"; else read line; fi\n'
        )
        script.chmod(0o755)
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", tree, self.folder / f"{name}_{version}_all.deb"],
            check=True,
            capture_output=True,
        )
        self._index()

    def remove_archives(self) -> None:
        """Delete every archive, so that downloads fail."""
        for archive in self.folder.glob("*.deb"):
            archive.unlink()

    def _index(self) -> None:
        entries = []
        for archive in sorted(self.folder.glob("*.deb")):
            control = subprocess.run(
                ["dpkg-deb", "--field", archive], check=True, capture_output=True, text=True
            ).stdout
            content = archive.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
            entries.append(f"{control}Filename: ./{archive.name}\nSize: {len(content)}\nSHA256: {digest}\n")
        (self.folder / "Packages").write_text("\n".join(entries))
