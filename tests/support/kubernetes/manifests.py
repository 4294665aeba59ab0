"""The objects of the overlays, as Kustomize builds them."""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from support.kubernetes.cluster import kubectl

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "deploy" / "kubernetes"
OVERLAYS: Final = ("kube-prometheus-stack", "remote-write")

Object = dict[str, Any]


class _Loader(yaml.CSafeLoader):
    """Reads a bare ``=``, which Kustomize writes, as text."""


def _scalar(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:value", _scalar)


@cache
def built(overlay: str) -> str:
    """The text that Kustomize builds of a committed overlay."""
    return build(FOLDER / "overlays" / overlay)


def build(folder: Path) -> str:
    """The text that Kustomize builds of a folder."""
    done = subprocess.run(
        [kubectl(), "kustomize", folder], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@cache
def objects(overlay: str) -> list[Object]:
    """The objects of a committed overlay."""
    return parse(built(overlay))


def parse(text: str) -> list[Object]:
    """The objects of a text."""
    return [document for document in yaml.load_all(text, _Loader) if document]


def of_kind(kind: str, found: list[Object]) -> dict[str, Object]:
    """The objects of a kind by name."""
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def overlay_with(
    folder: Path, overlay: str, settings: dict[str, str], components: tuple[str, ...] = ()
) -> list[Object]:
    """A copy of an overlay with other settings and with components, as an installation makes one."""
    shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
    copy = folder / "overlays" / overlay
    lines = (copy / "settings.env").read_text().splitlines()
    names = [line.partition("=")[0] for line in lines]
    changed = [
        f"{name}={settings[name]}" if name in settings else line
        for name, line in zip(names, lines, strict=True)
    ]
    assert settings.keys() <= set(names)
    (copy / "settings.env").write_text("\n".join(changed) + "\n")
    kustomization = yaml.safe_load((copy / "kustomization.yaml").read_text())
    kustomization["components"] = [f"../../components/{name}" for name in components]
    (copy / "kustomization.yaml").write_text(yaml.safe_dump(kustomization, sort_keys=False))
    return parse(build(copy))
