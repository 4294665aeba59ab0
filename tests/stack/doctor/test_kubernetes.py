"""The checks of a cluster find nothing in the committed overlays, and each damage with its remedy."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from support.kubernetes.manifests import OVERLAYS, built, objects
from tallow.cli import main
from tallow.stack.doctor.kubernetes.checks import CHECKS, diagnose_kubernetes
from tallow.stack.doctor.kubernetes.cluster import Cluster, from_manifests
from tallow.stack.doctor.model import CheckResult, Problem, diagnose
from tallow.stack.engines.errors import StackError

Objects = list[dict[str, Any]]
Damage = Callable[[Objects], object]
NEEDS_A_CLUSTER = {"pods", "cluster-secrets", "operator"}
"""What manifests do not contain; checked below with the state that a cluster gives objects."""


def named(found: Objects, kind: str, name: str = "") -> dict[str, Any]:
    return next(one for one in found if one["kind"] == kind and name in one["metadata"]["name"])


def container(found: Objects, name: str = "tallow") -> dict[str, Any]:
    spec = named(found, "Deployment", name)["spec"]["template"]["spec"]
    first: dict[str, Any] = spec["containers"][0]
    return first


def remove(kind: str, name: str = "") -> Damage:
    return lambda found: found.remove(named(found, kind, name))


def routes(found: Objects) -> list[dict[str, Any]]:
    children: list[dict[str, Any]] = named(found, "AlertmanagerConfig")["spec"]["route"]["routes"]
    return children


def each_rule(change: Callable[[dict[str, Any]], object]) -> Damage:
    def damage(found: Objects) -> None:
        for group in named(found, "PrometheusRule")["spec"]["groups"]:
            for rule in group["rules"]:
                change(rule)

    return damage


@dataclass(frozen=True)
class Case:
    """A damage, the check that finds it, and parts of its message and remedy."""

    check: str
    damage: Damage
    message: str
    remedy: str = "apply the objects of deploy/kubernetes again"


CASES = {
    "root": Case(
        "pod-security",
        lambda found: named(found, "Deployment")["spec"]["template"]["spec"]["securityContext"].pop(
            "runAsNonRoot"
        ),
        "may run as root",
    ),
    "writable root file system": Case(
        "pod-security",
        lambda found: container(found)["securityContext"].update(readOnlyRootFilesystem=False),
        "can write to its root file system",
    ),
    "capabilities": Case(
        "pod-security",
        lambda found: container(found)["securityContext"].pop("capabilities"),
        "keeps capabilities",
    ),
    "privileged": Case(
        "pod-security",
        lambda found: container(found)["securityContext"].update(privileged=True),
        "is privileged",
    ),
    "no memory limit": Case(
        "pod-security",
        lambda found: container(found)["resources"]["limits"].pop("memory"),
        "has no memory limit",
    ),
    "missing probe": Case(
        "probes",
        lambda found: container(found).pop("readinessProbe"),
        "container tallow lacks readinessProbe",
    ),
    "image without a version": Case(
        "images",
        lambda found: container(found).update(image="registry.example:5000/tallow"),
        "no fixed version",
        "digest",
    ),
    "latest image": Case(
        "images",
        lambda found: container(found).update(image="tallow:latest"),
        "tallow:latest has no fixed",
        "digest",
    ),
    "single pod": Case(
        "availability",
        lambda found: named(found, "HorizontalPodAutoscaler")["spec"].update(minReplicas=1),
        "may have a single pod",
        "minReplicas",
    ),
    "no disruption budget": Case("availability", remove("PodDisruptionBudget"), "has no PodDisruptionBudget"),
    "no network policy": Case(
        "network-policies",
        lambda found: found.__setitem__(
            slice(None), [one for one in found if one["kind"] != "NetworkPolicy"]
        ),
        "no NetworkPolicy restricts who reaches Deployment tallow",
    ),
    "host without TLS": Case(
        "ingress-tls", lambda found: named(found, "Ingress")["spec"].pop("tls"), "without TLS"
    ),
    "missing rule": Case(
        "cluster-rules",
        lambda found: named(found, "PrometheusRule")["spec"]["groups"].pop(0),
        "rules of this version are missing",
    ),
    "no rules": Case("cluster-rules", remove("PrometheusRule"), "nothing alerts"),
    "no routes": Case("cluster-routes", remove("AlertmanagerConfig"), "no alert reaches anybody"),
    "missing route": Case(
        "cluster-routes", lambda found: routes(found).pop(4), "do not reach critical-alerts: "
    ),
    "digest that is not routed": Case(
        "cluster-routes",
        lambda found: routes(found).pop(1),
        "alerts that do not reach daily-digest: NoActiveConnections",
    ),
    "Watchdog not routed": Case(
        "cluster-watchdog",
        lambda found: routes(found).pop(0),
        "Watchdog is not routed to the heartbeat checker",
    ),
    "rules without a namespace": Case(
        "namespace-matcher",
        each_rule(lambda rule: rule["labels"].pop("namespace")),
        "the operator's matcher drops alerts",
        "alertmanagerConfigMatcherStrategy",
    ),
    "service monitor for another service": Case(
        "service-monitor",
        lambda found: named(found, "ServiceMonitor")["spec"]["selector"]["matchLabels"].update(app="x"),
        "no ServiceMonitor selects a Service of Deployment tallow",
    ),
    "service monitor for another port": Case(
        "service-monitor",
        lambda found: named(found, "ServiceMonitor")["spec"]["endpoints"][0].update(port="metrics"),
        "it is not scraped",
    ),
    "dashboard without label": Case(
        "dashboards",
        lambda found: named(found, "ConfigMap", "tallow-errors")["metadata"]["labels"].pop(
            "grafana_dashboard"
        ),
        "Grafana does not get tallow-errors",
    ),
    "missing dashboard": Case(
        "dashboards", remove("ConfigMap", "tallow-overview"), "Grafana does not get tallow-overview"
    ),
}


def fresh() -> Objects:
    return copy.deepcopy(objects("kube-prometheus-stack"))


def result_of(check: str, cluster: Cluster) -> CheckResult:
    [result] = diagnose("kubernetes", [one for one in CHECKS if one.id == check], cluster).results
    return result


def problems_of(check: str, cluster: Cluster) -> list[Problem]:
    result = result_of(check, cluster)
    assert not result.skipped, result.skipped
    return list(result.problems)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_committed_overlay_has_nothing_but_values_to_set(overlay: str) -> None:
    diagnosis = diagnose_kubernetes(from_manifests(built(overlay)))
    assert diagnosis.problems(["error"]) == []
    warned = [one for one in diagnosis.results if one.outcome == "warning"]
    assert [one.id for one in warned] == ["cluster-settings"]
    assert "ALERT_EMAIL_DEFAULT still has the value operations@example.org" in [
        problem.message for problem in warned[0].problems
    ]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_damage_is_named_with_its_remedy(case: Case) -> None:
    found = fresh()
    assert problems_of(case.check, Cluster(found)) == []
    case.damage(found)
    after = problems_of(case.check, Cluster(found))
    assert [one for one in after if case.message in one.message and case.remedy in one.remedy], after


def test_every_check_has_a_damage_that_it_finds() -> None:
    damaged = {case.check for case in CASES.values()}
    assert damaged | NEEDS_A_CLUSTER | {"cluster-settings"} == {check.id for check in CHECKS}


SECRETS = {
    "tallow-server": {"database-url", "redis-url", "cluster-secret", "metrics-token"},
    "tallow-alerting": {"monitoring-user", "monitoring-password", "smtp-password"},
    "tallow-tls": {"tls.crt", "tls.key"},
    "tallow-heartbeat-tls": {"tls.crt", "tls.key"},
    "tallow-remote-write": {"username", "password"},
}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_secrets_of_the_page_are_all_that_is_read(overlay: str) -> None:
    assert problems_of("cluster-secrets", Cluster(objects(overlay), SECRETS)) == []


def test_a_missing_secret_is_named_with_what_reads_it() -> None:
    found = fresh()
    assert result_of("cluster-secrets", Cluster(found)).skipped
    rest = {name: keys for name, keys in SECRETS.items() if name != "tallow-server"}
    [problem] = problems_of("cluster-secrets", Cluster(found, rest))
    assert problem.message == (
        "the Secret tallow-server is missing, which Deployment tallow, ServiceMonitor tallow reads"
    )
    assert "kubectl create secret generic tallow-server" in problem.remedy


@pytest.mark.parametrize(
    ("secret", "key", "reader"),
    [
        pytest.param("tallow-server", "database-url", "Deployment tallow", id="file of a pod"),
        pytest.param("tallow-server", "metrics-token", "ServiceMonitor tallow", id="ServiceMonitor"),
        pytest.param("tallow-alerting", "smtp-password", "AlertmanagerConfig tallow", id="routes"),
        pytest.param("tallow-tls", "tls.key", "Ingress tallow", id="certificate"),
        pytest.param("tallow-remote-write", "password", "Prometheus tallow", id="remote write"),
    ],
)
def test_a_missing_key_is_named_with_what_reads_it(secret: str, key: str, reader: str) -> None:
    found = copy.deepcopy(objects("remote-write"))
    [problem] = problems_of("cluster-secrets", Cluster(found, {**SECRETS, secret: SECRETS[secret] - {key}}))
    assert problem.message.startswith(f"the Secret {secret} lacks the key {key}, which ")
    assert reader in problem.message


@pytest.mark.parametrize(
    ("source", "read"),
    [
        pytest.param({"secret": {"secretName": "own", "items": [{"key": "k"}]}}, True, id="items"),
        pytest.param({"secret": {"secretName": "own", "optional": True}}, False, id="optional"),
        pytest.param(
            {"projected": {"sources": [{"secret": {"name": "own", "items": [{"key": "k"}]}}]}},
            True,
            id="projected",
        ),
    ],
)
def test_each_kind_of_volume_is_read(source: dict[str, Any], read: bool) -> None:
    pod = {"containers": [{"name": "a"}], "volumes": [{"name": "v", **source}]}
    workload = {"kind": "Deployment", "metadata": {"name": "x"}, "spec": {"template": {"spec": pod}}}
    missing = problems_of("cluster-secrets", Cluster([workload], {}))
    lacking = problems_of("cluster-secrets", Cluster([workload], {"own": set()}))
    assert [one.message for one in missing] == ["the Secret own is missing, which Deployment x reads"] * read
    expected = "the Secret own lacks the key k, which Deployment x reads"
    assert [one.message for one in lacking] == [expected] * read


def test_settings_are_those_that_the_pods_read() -> None:
    """Kustomize names the ConfigMap by its content, and the one of earlier settings stays in the cluster."""
    found = fresh()
    current = named(found, "ConfigMap", "tallow-settings")
    earlier = copy.deepcopy(current)
    earlier["metadata"]["name"] = "tallow-settings-zzzzzzzzzz"
    current["data"] = {"INGRESS_HOST": "files.example.net"}
    found.append(earlier)
    assert problems_of("cluster-settings", Cluster(found)) == []
    found.remove(current)
    messages = [one.message for one in problems_of("cluster-settings", Cluster(found))]
    assert messages == [f"the ConfigMap {current['metadata']['name']} is missing, which the pods read"]


def test_the_operator_chooses_the_probes_of_what_it_makes() -> None:
    pod = {"containers": [{"name": "config-reloader"}]}
    labels = {"app.kubernetes.io/managed-by": "prometheus-operator"}
    made = {"kind": "StatefulSet", "spec": {"template": {"spec": pod}}}
    of_operator = made | {"metadata": {"name": "prometheus-tallow", "labels": labels}}
    assert problems_of("probes", Cluster([of_operator])) == []
    assert len(problems_of("probes", Cluster([made | {"metadata": {"name": "own"}}]))) == 1


def test_what_the_operator_refuses_is_named() -> None:
    event = {
        "kind": "Event",
        "reason": "InvalidConfiguration",
        "message": "key smtp-password\n not found",
        "involvedObject": {"kind": "AlertmanagerConfig", "name": "tallow"},
    }
    assert result_of("operator", Cluster([event])).skipped
    [problem] = problems_of("operator", Cluster([event, {**event, "reason": "Other"}], live=True))
    assert problem.message == (
        "the operator leaves out AlertmanagerConfig tallow: key smtp-password not found"
    )


def pod(**status: Any) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {"name": "tallow-1"},
        "status": {"containerStatuses": [{"name": "tallow", **status}]},
    }


@pytest.mark.parametrize(
    ("status", "message"),
    [
        pytest.param(
            {"state": {"waiting": {"reason": "ImagePullBackOff"}}}, "waits: ImagePullBackOff", id="image"
        ),
        pytest.param({"state": {"running": {}}, "restartCount": 9}, "was restarted 9 times", id="restarts"),
    ],
)
def test_pods_that_do_not_run_are_named(status: dict[str, Any], message: str) -> None:
    [problem] = problems_of("pods", Cluster([pod(**status)], live=True))
    assert message in problem.message
    assert problem.remedy == "kubectl logs --previous tallow-1 -c tallow"


def test_a_pod_that_runs_is_no_problem() -> None:
    assert problems_of("pods", Cluster([pod(state={"running": {}}, restartCount=1)], live=True)) == []


@pytest.mark.parametrize("ready", [0, 2])
def test_a_workload_without_a_ready_pod_is_named(ready: int) -> None:
    found = fresh()
    for one in found:
        if one["kind"] in {"Deployment", "StatefulSet"}:
            one["status"] = {"readyReplicas": ready}
    messages = [one.message for one in problems_of("availability", Cluster(found, live=True))]
    assert ("Deployment tallow has no pod that is ready" in messages) == (ready == 0)


def test_without_objects_of_a_kind_checks_say_what_is_missing() -> None:
    found = [one for one in fresh() if one["kind"] == "Deployment"]
    for check in ("cluster-watchdog", "ingress-tls", "namespace-matcher"):
        assert result_of(check, Cluster(found)).skipped.startswith("there is no ")
    assert result_of("cluster-settings", Cluster([])).skipped.startswith("no workload reads")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("a: [", "are no YAML", id="not YAML"),
        pytest.param("", "contain no object", id="empty"),
        pytest.param("just a text", "it has no kind", id="text"),
        pytest.param("{items: []}", "it has no kind", id="no kind"),
    ],
)
def test_what_are_no_manifests_is_one_line(text: str, reason: str) -> None:
    with pytest.raises(StackError, match=reason):
        from_manifests(text)


def test_a_list_of_kubectl_is_read_as_its_objects() -> None:
    assert len(from_manifests(json.dumps({"kind": "List", "items": fresh()})).objects) == len(fresh())


def test_the_command_reads_manifests_from_standard_input() -> None:
    found = fresh()
    arguments = ["doctor", "--engine", "kubernetes", "--manifests", "-", "--json"]
    healthy = CliRunner().invoke(main, arguments, input=yaml.safe_dump_all(found))
    assert healthy.exit_code == 0, healthy.output
    assert json.loads(healthy.output)["engine"] == "kubernetes"
    found.remove(named(found, "PodDisruptionBudget"))
    assert CliRunner().invoke(main, arguments, input=yaml.safe_dump_all(found)).exit_code == 1
    nothing = CliRunner().invoke(main, arguments, input="")
    assert (nothing.exit_code, len(nothing.output.splitlines())) == (1, 1)
