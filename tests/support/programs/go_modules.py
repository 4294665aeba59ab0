"""Programs that are built from Go modules once per machine, outside the repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tallow.stack.compose import images

CACHE: Final = Path.home() / ".cache" / "tallow-go"
BUILD_TIMEOUT_S: Final = 3 * 3600
"""Kubernetes' API server takes ten minutes on two cores that are idle."""
_FLAGS: Final = "-p=1 -mod=mod -buildvcs=false"


@dataclass(frozen=True, slots=True)
class GoProgram:
    """A program of a Go module.

    Attributes:
        name: the file name of the program.
        package: the import path of its main package.
        beside: further modules with versions, ``module@version``, for requirements that cannot be resolved.
        tags: build tags.
        staging: whether the module requires its parts at ``v0.0.0``, as ``k8s.io/kubernetes`` does.
        replaces: whether it needs the replacements of its own go.mod. Those by a folder are left out.
    """

    name: str
    module: str
    version: str
    package: str
    beside: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    staging: bool = False
    replaces: bool = False


def _kube_apiserver(version: str) -> GoProgram:
    module = "k8s.io/kubernetes"
    return GoProgram("kube-apiserver", module, version, f"{module}/cmd/kube-apiserver", staging=True)


API_SERVERS: Final = {version: _kube_apiserver(version) for version in ("v1.37.2", "v1.33.13")}
"""The newest minor version and one that is four older."""
ETCD: Final = GoProgram("etcd", "go.etcd.io/etcd/server/v3", "v3.7.3", "go.etcd.io/etcd/server/v3")
OPERATOR: Final = GoProgram(
    "prometheus-operator",
    "github.com/prometheus-operator/prometheus-operator",
    "v0.93.0",
    "github.com/prometheus-operator/prometheus-operator/cmd/operator",
    beside=("cloud.google.com/go@v0.120.0",),
)
AMTOOL: Final = GoProgram(
    "amtool",
    "github.com/prometheus/alertmanager",
    "v0.35.0",
    "github.com/prometheus/alertmanager/cmd/amtool",
)
PROMTOOL: Final = GoProgram(
    "promtool",
    "github.com/prometheus/prometheus",
    "v0.313.3",
    "github.com/prometheus/prometheus/cmd/promtool",
    # Without the service discoveries, which bring the libraries of every cloud.
    tags=("netgo", "remove_all_sd"),
)
_LOKI: Final = "github.com/grafana/loki/v3"
PROMTAIL: Final = GoProgram(
    "promtail",
    _LOKI,
    f"v{images.PROMTAIL.rpartition(':')[2]}",
    f"{_LOKI}/clients/cmd/promtail",
    tags=("netgo",),
    replaces=True,
)
"""The version of the Compose file, without the journal. It takes five minutes to build."""
LOKI: Final = GoProgram(
    "loki",
    _LOKI,
    f"v{images.LOKI.rpartition(':')[2]}",
    f"{_LOKI}/cmd/loki",
    tags=("netgo",),
    replaces=True,
)
"""The version of the Compose file. Its licence (AGPL) allows to run it here; no part of it is in Tallow. It
takes twenty minutes to build."""


def go_program(program: GoProgram) -> Path:
    """Return the path of a program; the first call builds it.

    The test is skipped where Go is not installed and the program was not built before.
    """
    folder = CACHE / f"{program.name}-{program.version}"
    path = folder / "bin" / program.name
    if path.exists():
        return path
    if shutil.which("go") is None:
        pytest.skip(f"needs Go to build {program.name}")
    path.parent.mkdir(parents=True, exist_ok=True)
    (folder / "go.mod").write_text(_staging_module(program) if program.staging else _module(program))
    if not program.staging:
        go(folder, "get", f"{program.module}@{program.version}", *program.beside)
    unfinished = path.with_suffix(".part")
    flags = ("-tags", ",".join(program.tags), "-ldflags", _linker_flags(program))
    go(folder, "build", *flags, "-o", str(unfinished), program.package)
    unfinished.rename(path)
    return path


def module_folder(program: GoProgram) -> Path:
    """The folder with the source of a program's module, which Go downloads if it is missing."""
    if shutil.which("go") is None:
        pytest.skip(f"needs Go to download {program.module}")
    found = go(Path.home(), "mod", "download", "-json", f"{program.module}@{program.version}")
    return Path(json.loads(found)["Dir"])


def _module(program: GoProgram) -> str:
    text = f"module example.invalid/{program.name}\n\ngo 1.24\n"
    if not program.replaces:
        return text
    own = (module_folder(program) / "go.mod").read_text()
    return text + "".join(re.findall(r"^replace \S+ => [^.\s]\S* \S+\n", own, re.MULTILINE))


def _staging_module(program: GoProgram) -> str:
    """A go.mod that replaces each part of Kubernetes by its published version: v1.37.2 has v0.37.2."""
    text = (module_folder(program) / "go.mod").read_text()
    parts = re.findall(r"^\s*(k8s\.io/\S+) v0\.0\.0$", text, re.MULTILINE)
    published = program.version.replace("v1.", "v0.", 1)
    replaced = "".join(f"replace {part} => {part} {published}\n" for part in parts)
    language = re.search(r"^go \S+$", text, re.MULTILINE)
    assert language is not None
    required = f"require {program.module} {program.version}\n"
    return f"module example.invalid/{program.name}\n\n{language[0]}\n\n{required}\n{replaced}"


def _linker_flags(program: GoProgram) -> str:
    if not program.staging:
        return "-s -w"
    major, minor = program.version.removeprefix("v").split(".")[:2]
    values = {"gitVersion": program.version, "gitMajor": major, "gitMinor": minor}
    defined = (f"-X k8s.io/component-base/version.{name}={value}" for name, value in values.items())
    return " ".join(("-s -w", *defined))


def go(folder: Path, *arguments: str) -> str:
    """Run the Go tool in a folder and return its output. Programs are static."""
    environment = os.environ | {"GOFLAGS": _FLAGS, "CGO_ENABLED": "0", "GOWORK": "off"}
    done = subprocess.run(
        ["nice", "-n", "15", "go", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_TIMEOUT_S,
    )
    assert done.returncode == 0, f"go {arguments[0]}: {done.stderr[-2000:]}"
    return done.stdout
