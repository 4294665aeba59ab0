"""Real API servers of two versions accept every object of every overlay, and the page's commands work."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from support.certificates import self_signed
from support.fenced_blocks import blocks
from support.kubernetes.cluster import Cluster, kubectl, running_cluster, running_operator, wait_for
from support.kubernetes.containers import container_process, started
from support.kubernetes.controllers import report_ready
from support.kubernetes.manifests import FOLDER, OVERLAYS, built, objects, of_kind
from support.kubernetes.reconciled import (
    KUBE_PROMETHEUS_STACK,
    VERSION_OF,
    Reconciled,
    alertmanager_file,
    rule_file,
)
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


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_commands_of_the_page_install_and_check_it(overlay: str, tmp_path: Path) -> None:
    """Every block that is not marked, in order, with the operator.

    Controllers and nodes are missing: the test writes the status of Deployments, and runs the heartbeat
    checker that the last command asks.
    """
    folder = tmp_path / "kubernetes"
    shutil.copytree(FOLDER, folder)
    for name in ("tallow", "heartbeat"):
        certificate, key = self_signed(tmp_path)
        shutil.copy(certificate, folder / f"{name}.crt")
        shutil.copy(key, folder / f"{name}.key")
    page = [block for block in blocks("deploy/kubernetes/README.md") if not block.reason]
    with (
        running_cluster(tmp_path / "api", VERSION_OF[overlay]) as running,
        running_operator(running),
    ):
        running.kubectl("create", "namespace", "monitoring")
        running.apply(KUBE_PROMETHEUS_STACK.read_text())
        for block in page:
            text = block.text.replace("overlays/kube-prometheus-stack ", f"overlays/{overlay} ")
            if "rollout status" in text:
                operator_has_written(running, overlay)
                report_ready(running)
            with asked_heartbeat(text, folder, tmp_path) as command:
                output = run_in_bash(command, folder, running)
            if "reason=InvalidConfiguration" in text:
                assert "No resources found" in output
                assert "successfully rolled out" in output
            if "/status" in text:
                assert '"state":' in output
        for name, keys in (("tallow-server", server.SECRET_KEYS), ("tallow-alerting", heartbeat.SECRET_KEYS)):
            data = running.get("secret", "-n", "tallow", name)["data"]
            assert set(keys) <= data.keys()
            assert not any(base64.b64decode(value).endswith(b"\n") for value in data.values())


def operator_has_written(cluster: Cluster, overlay: str) -> None:
    """Wait until the operator has read the overlay: refused objects would have an event by then."""
    found = Reconciled(cluster, overlay)
    alertmanager_file(found)
    rule_file(found)


@contextmanager
def asked_heartbeat(text: str, folder: Path, work: Path) -> Iterator[str]:
    """The block with the address of a heartbeat checker that runs for it, if it asks one."""
    if "localhost:9095/status" not in text:
        yield text
        return
    password = (folder / "secrets" / "alerting" / "monitoring-password").read_text()
    place = work / "heartbeat"
    place.mkdir()
    found = container_process("tallow-heartbeat", place, monitoring_password=password)
    with started("tallow-heartbeat", found, place) as (url, _):
        wait_for(lambda: answers(f"{url}/status"), "the heartbeat checker starts")
        yield text.replace("http://localhost:9095", url)


def answers(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(url).status_code == 401
    return False


def run_in_bash(text: str, folder: Path, cluster: Cluster) -> str:
    """Run commands as the page's reader does. They must succeed: doctor has nothing but warnings."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env={
            **os.environ,
            "PATH": f"{kubectl().parent}{os.pathsep}{os.environ['PATH']}",
            "KUBECONFIG": str(cluster.config),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
