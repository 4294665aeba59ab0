"""The objects that the checks look at: of a running cluster, or of manifests that Kustomize rendered."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import yaml

from tallow.stack.engines.errors import NotRunningError, StackError

Object = Mapping[str, Any]

NAMESPACE: Final = "tallow"
TIMEOUT_S: Final = 30
KINDS: Final = (
    *("deployments", "statefulsets", "pods", "services", "ingresses", "configmaps"),
    *("poddisruptionbudgets", "horizontalpodautoscalers", "networkpolicies"),
    *("servicemonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com"),
    "alertmanagerconfigs.monitoring.coreos.com",
    *("prometheuses.monitoring.coreos.com", "alertmanagers.monitoring.coreos.com", "events"),
)
"""What is read from a cluster. Of secrets only the names and the names of their keys are kept."""
_NAMES_AND_KEYS: Final = (
    '{{range .items}}{{.metadata.name}}{{range $key, $value := .data}} {{$key}}{{end}}{{"\\n"}}{{end}}'
)
"""A template of kubectl: a line for each secret, with its name and its keys."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """The objects of one namespace.

    Attributes:
        secrets: the keys of each of its secrets; None if they are not known, as with manifests.
        live: whether the objects have the state of a running cluster.
    """

    objects: Sequence[Object]
    secrets: Mapping[str, Collection[str]] | None = None
    live: bool = False

    def of_kind(self, *kinds: str) -> list[Object]:
        """The objects of some kinds."""
        return [one for one in self.objects if one.get("kind") in kinds]

    def workloads(self) -> list[Object]:
        """Deployments and stateful sets."""
        return self.of_kind("Deployment", "StatefulSet")

    def containers(self) -> Iterator[tuple[Object, Object]]:
        """Each container of each workload, after its workload. Containers that end before others start are
        left out."""
        for workload in self.workloads():
            for container in pod_spec(workload).get("containers") or ():
                yield workload, container


def name_of(found: Object) -> str:
    """``Kind NAME`` of an object."""
    return f"{found.get('kind', '')} {found.get('metadata', {}).get('name', '')}"


def pod_spec(workload: Object) -> Object:
    """The specification of a workload's pods."""
    spec: Object = workload.get("spec", {}).get("template", {}).get("spec", {})
    return spec


def pod_labels(workload: Object) -> Mapping[str, str]:
    """The labels of a workload's pods."""
    labels: Mapping[str, str] = (
        workload.get("spec", {}).get("template", {}).get("metadata", {}).get("labels", {})
    )
    return labels


def selects(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Whether a label selector with ``matchLabels`` only selects labels. An empty one selects everything."""
    wanted = (selector or {}).get("matchLabels") or {}
    return all(labels.get(name) == value for name, value in wanted.items())


def from_manifests(text: str) -> Cluster:
    """The objects of rendered manifests: YAML documents, or the JSON list of ``kubectl get``.

    Raises:
        StackError: the text is neither; one line.
    """
    try:
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise StackError(f"the manifests are no YAML: {reason[:300]}") from None
    found = [one for document in documents for one in _items(document)]
    if not found:
        raise StackError("the manifests contain no object; give what `kubectl kustomize OVERLAY` prints")
    return Cluster(found)


def from_cluster(namespace: str) -> Cluster:
    """The objects of a namespace, by ``kubectl`` with the user's own access.

    Raises:
        NotRunningError: there is no ``kubectl``, or no cluster answers; one line.
    """
    listed = json.loads(_kubectl("get", ",".join(KINDS), "--namespace", namespace, "--output", "json"))
    keys = _kubectl("get", "secrets", "--namespace", namespace, "--output", f"go-template={_NAMES_AND_KEYS}")
    if not any(one["kind"] != "Event" for one in listed["items"]):
        raise NotRunningError(f"the namespace {namespace} has no objects; name another with --namespace")
    words = [line.split() for line in keys.splitlines()]
    return Cluster(listed["items"], {name: frozenset(rest) for name, *rest in words}, live=True)


class _Loader(yaml.SafeLoader):
    """Reads a bare ``=``, which Kustomize writes, as text."""


def _text(loader: _Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


_Loader.add_constructor("tag:yaml.org,2002:value", _text)


def _items(document: Any) -> list[Object]:
    if not isinstance(document, Mapping) or "kind" not in document:
        raise StackError("the manifests contain something that is no object of Kubernetes: it has no kind")
    if document["kind"] == "List" or document.get("items") is not None:
        return list(document["items"])
    return [document]


def _kubectl(*arguments: str) -> str:
    program = shutil.which("kubectl")
    if program is None:
        raise NotRunningError("kubectl is not on the PATH; give rendered manifests with --manifests instead")
    try:
        done = subprocess.run(
            [program, *arguments],
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise NotRunningError(f"the cluster does not answer within {TIMEOUT_S} s") from None
    if done.returncode:
        raise NotRunningError(f"kubectl fails: {' '.join(done.stderr.split())[:300]}")
    return done.stdout
