"""Every workload has probes, resources, a disruption budget, a network policy and a security context."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest

from support.kubernetes.containers import container, container_process, pod
from support.kubernetes.manifests import OVERLAYS, Object, objects, of_kind
from tallow.stack import thresholds
from tallow.stack.kubernetes.server import MIN_REPLICAS

WORKLOADS = ("tallow", "tallow-heartbeat")
NOT_SCALED = {"tallow-heartbeat": "its timer is one process's; two would notify twice"}
"""The workloads without an autoscaler: the reason."""
KUBERNETES_VERSIONS = ("1.33", "1.37")
UNITS = {"Mi": 2**20, "Gi": 2**30}


def matches(selector: Object, labels: Object) -> bool:
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_workloads_of_an_overlay_are_the_tested_ones(overlay: str) -> None:
    kinds = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod")
    assert [one["metadata"]["name"] for one in objects(overlay) if one["kind"] in kinds] == list(WORKLOADS)


@pytest.mark.slow
@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_objects_follow_the_schemas_of_kubernetes(version: str) -> None:
    """Both overlays have the base; ``remote-write`` has all further kinds, too."""
    builtin = [one for one in objects("remote-write") if "monitoring.coreos.com" not in one["apiVersion"]]
    assert len(builtin) > 15
    for one in builtin:
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_probes_wait_longer_than_a_second(workload: str, probe: str) -> None:
    found = container(workload)[probe]
    assert found["timeoutSeconds"] >= 3
    ports = [port["name"] for port in container(workload)["ports"]]
    assert found["httpGet"]["port"] in ports


@pytest.mark.parametrize("workload", WORKLOADS)
def test_requests_and_limits(workload: str) -> None:
    resources = container(workload)["resources"]
    for amount in ("cpu", "memory", "ephemeral-storage"):
        assert resources["requests"][amount]
        assert resources["limits"][amount]


def test_the_memory_limit_is_above_the_threshold_of_high_memory_usage() -> None:
    limit = container("tallow")["resources"]["limits"]["memory"]
    assert int(limit[:-2]) * UNITS[limit[-2:]] > thresholds.RESIDENT_MEMORY_BYTES * 1.2


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("workload", WORKLOADS)
@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "NetworkPolicy"])
def test_a_budget_and_a_policy_select_the_pods(workload: str, kind: str, overlay: str) -> None:
    labels = pod(workload)["metadata"]["labels"]
    key = "selector" if kind == "PodDisruptionBudget" else "podSelector"
    names = [
        name
        for name, one in of_kind(kind, objects(overlay)).items()
        if one["spec"][key] and matches(one["spec"][key], labels)
    ]
    assert workload in names


@pytest.mark.parametrize("workload", WORKLOADS)
def test_an_autoscaler_keeps_at_least_two_pods(workload: str) -> None:
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]: one["spec"]
        for one in of_kind("HorizontalPodAutoscaler", objects(OVERLAYS[0])).values()
    }
    if workload in NOT_SCALED:
        assert workload not in scaled
        return
    assert scaled[workload]["minReplicas"] == MIN_REPLICAS >= 2
    deployment = of_kind("Deployment", objects(OVERLAYS[0]))[workload]
    assert "replicas" not in deployment["spec"], "a file with a number undoes the autoscaler"


def test_everything_else_is_refused() -> None:
    policy = of_kind("NetworkPolicy", objects(OVERLAYS[0]))["tallow-default-deny"]["spec"]
    assert policy["podSelector"] == {}
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert not policy.get("ingress")
    assert not policy.get("egress")


@pytest.mark.parametrize("workload", WORKLOADS)
def test_security_contexts(workload: str) -> None:
    spec = pod(workload)["spec"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] >= 1000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not spec["automountServiceAccountToken"]
    security = container(workload)["securityContext"]
    assert security["readOnlyRootFilesystem"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}


@pytest.mark.parametrize("workload", WORKLOADS)
def test_no_service_adds_variables_with_the_prefix_of_settings(workload: str) -> None:
    assert pod(workload)["spec"]["enableServiceLinks"] is False


@pytest.mark.parametrize("workload", WORKLOADS)
def test_secrets_are_files_that_the_group_can_read(workload: str) -> None:
    spec = pod(workload)["spec"]
    secrets = [volume["secret"] for volume in spec["volumes"] if "secret" in volume]
    assert secrets
    for secret in secrets:
        assert secret["defaultMode"] == 0o440
    assert spec["securityContext"]["fsGroup"] == spec["securityContext"]["runAsGroup"]
    assert "secretKeyRef" not in json.dumps(spec)


@pytest.mark.slow
@pytest.mark.parametrize("workload", WORKLOADS)
def test_the_command_accepts_the_settings_of_the_container(workload: str, tmp_path: Path) -> None:
    process = container_process(workload, tmp_path)
    done = subprocess.run(
        [*process.command, "--check-settings"],
        env=process.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
