"""Real API servers of two versions accept every object of every overlay, and the page's commands work."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.kubernetes.cluster import Cluster, kubectl, running_cluster
from support.kubernetes.manifests import FOLDER, OVERLAYS, built, objects, of_kind
from support.programs.go_modules import API_SERVERS
from tallow.stack.kubernetes import heartbeat, server

pytestmark = [pytest.mark.proof, pytest.mark.integration]


@pytest.fixture(scope="module", params=API_SERVERS)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of each version, with both overlays in turn."""
    with running_cluster(tmp_path_factory.mktemp("cluster") / "api", request.param) as running:
        yield running


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_accepts_every_object(cluster: Cluster, overlay: str) -> None:
    output = cluster.apply(built(overlay), "--force-conflicts")
    assert cluster.version in cluster.kubectl("version")
    applied = output.strip().splitlines()
    assert len(applied) == len(objects(overlay))
    assert all(line.endswith("serverside-applied") for line in applied), output
    assert "unchanged" not in output
    again = cluster.apply(built(overlay))
    assert len(again.strip().splitlines()) == len(applied)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_api_refuses_a_misspelt_field(cluster: Cluster, overlay: str) -> None:
    """The validation of the test above is strict, for objects of Kubernetes and of the operator."""
    for good, bad in (("livenessProbe:", "livenesProbe:"), ("groupWait:", "groupWaitt:")):
        text = built(overlay)
        assert good in text
        options = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", "-")
        refused = cluster.try_kubectl(*options, stdin=text.replace(good, bad, 1))
        assert refused.returncode != 0
        assert bad.rstrip(":") in refused.stderr


@pytest.mark.parametrize("workload", ["tallow", "tallow-heartbeat"])
def test_pods_pass_the_restricted_pod_security_standard(cluster: Cluster, workload: str) -> None:
    cluster.apply(built(OVERLAYS[0]), "--force-conflicts")
    template = of_kind("Deployment", objects(OVERLAYS[0]))[workload]["spec"]["template"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    pod["metadata"] = {**template["metadata"], "name": "trial", "namespace": "tallow"}
    options = ("create", "--dry-run=server", "--validate=strict", "-f", "-")
    accepted = cluster.try_kubectl(*options, stdin=json.dumps(pod))
    assert accepted.returncode == 0, accepted.stderr
    assert "Warning" not in accepted.stderr
    pod["spec"] = {**template["spec"], "securityContext": {}}
    refused = cluster.try_kubectl(*options, stdin=json.dumps(pod))
    assert "violates PodSecurity" in refused.stderr


def test_the_commands_of_the_page_install_it(tmp_path: Path) -> None:
    """Every block of commands in ``sh``, in order; those in ``console`` need a cluster with nodes."""
    shutil.copytree(FOLDER, tmp_path / "kubernetes")
    blocks = re.findall(r"```sh\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    assert len(blocks) == 4
    with running_cluster(tmp_path / "api", next(iter(API_SERVERS))) as running:
        path = f"{kubectl().parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)],
            cwd=tmp_path / "kubernetes",
            env={**os.environ, "PATH": path, "KUBECONFIG": str(running.config)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        for name, keys in (("tallow-server", server.SECRET_KEYS), ("tallow-alerting", heartbeat.SECRET_KEYS)):
            data = running.get("secret", "-n", "tallow", name)["data"]
            assert set(keys) <= data.keys()
            assert not any(base64.b64decode(value).endswith(b"\n") for value in data.values())
        assert running.get("deployment", "-n", "tallow", "tallow")


def test_doctor_reads_the_cluster_and_names_what_it_lacks(cluster: Cluster) -> None:
    """Nothing runs a pod here, and no secret was created: both are named, and nothing else is an error."""
    cluster.apply(built(OVERLAYS[0]), "--force-conflicts")
    done = subprocess.run(
        [sys.executable, "-m", "tallow", "doctor", "--engine", "kubernetes", "--json"],
        env=os.environ
        | {"KUBECONFIG": str(cluster.config), "PATH": f"{kubectl().parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    checks = {one["id"]: one for one in json.loads(done.stdout)["checks"]}
    errors = {name for name, one in checks.items() if one["outcome"] == "error"}
    assert errors == {"availability", "cluster-secrets"}
    assert "Deployment tallow has no pod that is ready" in str(checks["availability"])
    assert "the Secret tallow-server is missing" in str(checks["cluster-secrets"])
