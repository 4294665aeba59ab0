"""The alert rules of a cluster: the shipped ones, without those that kube-prometheus-stack ships itself.

Differences from the rules of the native stack, beside job names and addresses:

- Every rule has the label ``namespace``. The operator adds a matcher on it to every route, and most
  expressions aggregate it away.
- The severity ``info`` is called ``notice``. The alert InfoInhibitor of kube-prometheus-stack inhibits
  every alert of severity ``info`` in a namespace without other alerts: Watchdog would never arrive.
- TargetMissing compares the number of pods with the number that is wanted. In a Prometheus that scrapes the
  whole cluster, it and FileDescriptorsLow report no job that is not Tallow's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from tallow.stack.alerts import GROUPS, RULES, Groups, Rule, Target, rule_document
from tallow.stack.alerts.rule_inputs import rule_input_missing
from tallow.stack.alerts.self_monitoring.capacity import FILE_DESCRIPTORS_OF_TALLOW_LOW
from tallow.stack.alerts.self_monitoring.targets import target_missing
from tallow.stack.deployment import Deployment
from tallow.stack.kubernetes.objects import NAMESPACE, Object, metadata

NOTICE: Final = "notice"
"""The severity of alerts for the daily digest, in a cluster."""
DESIRED_REPLICAS: Final = 'kube_deployment_spec_replicas{deployment="tallow"}'

SHIPPED_BY_KUBE_PROMETHEUS_STACK: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AlertmanagerCannotNotify": "AlertmanagerFailedToSendAlerts, AlertmanagerClusterFailedToSendAlerts",
        "AlertmanagerConfigRejected": "AlertmanagerFailedReload, PrometheusOperatorRejectedResources",
        "PrometheusConfigRejected": "PrometheusBadConfig",
        "RuleEvaluationFailing": "PrometheusRuleFailures, PrometheusMissingRuleEvaluations",
        "RemoteWriteFailing": "PrometheusRemoteStorageFailures, PrometheusRemoteWriteBehind",
        "DiskFilling": "NodeFilesystemSpaceFillingUp, NodeFilesystemAlmostOutOfSpace, "
        "NodeFilesystemFilesFillingUp, NodeFilesystemAlmostOutOfFiles, KubePersistentVolumeFillingUp",
    }
)
"""The rules that are left out: the rules of kube-prometheus-stack that take their place.

Watchdog stays, although kube-prometheus-stack has one: it proves the way of Tallow's own rules and routes.
"""

NOT_WITHOUT_NODE_EXPORTER: Final = frozenset({"DiskFilling"})
"""Left out where the Prometheus of Tallow's own does not scrape the nodes."""


def for_kube_prometheus_stack() -> Groups:
    """The rules beside those that kube-prometheus-stack ships."""
    return _cluster_edition(
        SHIPPED_BY_KUBE_PROMETHEUS_STACK.keys(),
        target_missing((), desired_replicas=DESIRED_REPLICAS, failing_jobs=False),
        FILE_DESCRIPTORS_OF_TALLOW_LOW,
    )


def for_own_prometheus(min_replicas: int) -> Groups:
    """The rules of a Prometheus that scrapes Tallow and its monitoring, and nothing else of the cluster.

    Args:
        min_replicas: the smallest number of the server's pods that is wanted.
    """
    expected = (Target("alertmanager"), Target("prometheus"))
    return _cluster_edition(
        NOT_WITHOUT_NODE_EXPORTER, target_missing(expected, desired_replicas=f"vector({min_replicas})")
    )


def prometheus_rule(groups: Groups, deployment: Deployment, labels: Mapping[str, str]) -> Object:
    """The PrometheusRule with these rules.

    Args:
        groups: the rules by group.
        deployment: the names of jobs, and the base addresses of runbooks and dashboards.
        labels: further labels, by which a Prometheus selects its rules.
    """
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": metadata("tallow", "monitoring", labels=dict(labels)),
        "spec": rule_document(groups, deployment),
    }


def _cluster_edition(without: Collection[str], *changed: Rule) -> Groups:
    """The shipped rules without some, with others in place of those of the same name."""
    instead = {rule.name: rule for rule in changed}
    left_out = {*without, "RuleInputMissing"}
    kept = [instead.get(name, rule) for name, rule in RULES.items() if name not in left_out]
    edition = {rule.name: _in_namespace(rule) for rule in (*kept, rule_input_missing(kept))}
    groups = {name: [edition.get(rule.name) for rule in rules] for name, rules in GROUPS.items()}
    return {name: tuple(filter(None, rules)) for name, rules in groups.items() if any(rules)}


def _in_namespace(rule: Rule) -> Rule:
    severity = {"severity": NOTICE} if rule.severity == "info" else {}
    return replace(rule, labels={**rule.labels, **severity, "namespace": NAMESPACE})
