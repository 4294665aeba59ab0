"""Secrets and keys that pods, the Prometheus operator and the ingress controller read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tallow.stack.doctor.kubernetes.cluster import Cluster, Object, name_of, pod_spec
from tallow.stack.doctor.model import Check, NotApplicableError, Problem

Reference = tuple[str, str]
"""A secret and a key in it; an empty key means the secret as a whole."""

_READ_BY_OPERATOR: Final = ("ServiceMonitor", "AlertmanagerConfig", "Prometheus", "Alertmanager")
_TLS_KEYS: Final = ("tls.crt", "tls.key")


def _cluster_secrets(cluster: Cluster) -> Iterator[Problem]:
    if cluster.secrets is None:
        raise NotApplicableError("manifests do not contain the secrets; run it with access to the cluster")
    readers: dict[Reference, set[str]] = defaultdict(set)
    for reader, reference in _references(cluster):
        readers[reference].add(reader)
    for secret in sorted({secret for secret, _ in readers} - cluster.secrets.keys()):
        of_it = (names for (name, _), names in readers.items() if name == secret)
        yield Problem(
            f"the Secret {secret} is missing, which {_and(set().union(*of_it))} reads",
            f"create it with the keys that deploy/kubernetes names: kubectl create secret generic {secret}",
        )
    for (secret, key), names in sorted(readers.items()):
        if key and key not in cluster.secrets.get(secret, {key}):
            yield Problem(
                f"the Secret {secret} lacks the key {key}, which {_and(names)} reads",
                f"create the Secret {secret} again with the keys that deploy/kubernetes names, "
                "and restart the pods",
            )


def _and(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _references(cluster: Cluster) -> Iterator[tuple[str, Reference]]:
    for workload in cluster.workloads():
        for reference in _of_pod(pod_spec(workload)):
            yield name_of(workload), reference
    for found in cluster.of_kind(*_READ_BY_OPERATOR):
        for reference in _selectors(found.get("spec")):
            yield name_of(found), reference
    for ingress in cluster.of_kind("Ingress"):
        for entry in ingress["spec"].get("tls") or ():
            if secret := entry.get("secretName"):
                yield from ((name_of(ingress), (secret, key)) for key in _TLS_KEYS)


def _of_pod(pod: Object) -> Iterator[Reference]:
    """What pods do not start without, and the keys that their variables name below a mounted secret."""
    containers = [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]
    for volume, source in _secret_volumes(pod):
        yield from _of_volume(source, volume, containers)
    for container in containers:
        yield from _of_environment(container)


def _secret_volumes(pod: Object) -> Iterator[tuple[str, Object]]:
    """Each volume with a secret that it mounts."""
    for volume in pod.get("volumes") or ():
        for source in (volume, *((volume.get("projected") or {}).get("sources") or ())):
            if source.get("secret"):
                yield volume["name"], source["secret"]


def _of_volume(source: Object, volume: str, containers: list[Object]) -> Iterator[Reference]:
    secret = str(source.get("secretName") or source.get("name"))
    if source.get("optional"):
        return
    yield secret, ""
    if items := source.get("items"):
        yield from ((secret, item["key"]) for item in items)
        return
    for container in containers:
        yield from ((secret, key) for key in _keys_below(volume, container))


def _keys_below(volume: str, container: Object) -> Iterator[str]:
    """The names of files of a volume that the container's variables contain."""
    values = [str(variable.get("value") or "") for variable in container.get("env") or ()]
    for mount in container.get("volumeMounts") or ():
        if mount["name"] == volume:
            below = f"{mount['mountPath']}/"
            yield from (value.removeprefix(below) for value in values if value.startswith(below))


def _of_environment(container: Object) -> Iterator[Reference]:
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
        if reference and not reference.get("optional"):
            yield reference["name"], reference["key"]
    for source in container.get("envFrom") or ():
        reference = source.get("secretRef")
        if reference and not reference.get("optional"):
            yield reference["name"], ""


def _selectors(value: Any) -> Iterator[Reference]:
    """Each ``{name: SECRET, key: KEY}`` of an object that the operator reads."""
    if isinstance(value, Mapping):
        if {"name", "key"} <= value.keys() <= {"name", "key", "optional"}:
            if not value.get("optional"):
                yield value["name"], value["key"]
            return
        for name, part in value.items():
            if name != "configMap":
                yield from _selectors(part)
    elif isinstance(value, list):
        for part in value:
            yield from _selectors(part)


CHECKS: Final = (
    Check("cluster-secrets", "Every secret and key that is read in the cluster is there", _cluster_secrets),
)
