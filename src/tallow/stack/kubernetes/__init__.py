"""The deployment in a Kubernetes cluster: Kustomize files, made from the definitions of the native stack."""

from __future__ import annotations

from pathlib import PurePosixPath

from tallow.stack.kubernetes import kustomize
from tallow.stack.kubernetes.page import page

__all__ = ["files"]


def files() -> dict[PurePosixPath, str]:
    """What ``tallow generate`` writes for the cluster: content by repository path."""
    return {**kustomize.files(), kustomize.FOLDER / "README.md": page()}
